import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../cli/testing.ts'
import { readFile, writeTensors } from '../formats/index.ts'
import { graphBuilder } from '../graph/builder.ts'
import type { Graph } from '../graph/graph.ts'
import { fromNumbers, numbers } from '../tensor/elements.ts'
import { float32, int64, type Tensor } from '../tensor/tensor.ts'
import { type ReadDataOptions, readData, readingOnce } from './data.ts'

const path = temporaryFolder()

function taking(shape: readonly (number | string)[]): Graph {
  const g = graphBuilder()
  g.output(g.node('Relu', [g.input('x', 'float32', shape)]))
  return g.build()
}

async function read(graph: Graph, file: string, options: ReadDataOptions = {}) {
  const { inputs, labels } = await readData(graph, [{ file: path(file) }], options)
  const [input] = inputs.values() as Iterable<Tensor>
  return { shape: input!.shape, first: numbers(input!)[0], labels: labels && [...numbers(labels)] }
}

test('a CIFAR batch has pictures and labels', async () => {
  const record = (label: number): number[] => [label, ...new Array<number>(3072).fill(20 * label)]
  writeFileSync(path('batch.bin'), Uint8Array.from([3, 1, 2].flatMap(record)))
  const graph = taking(['n', 3, 32, 32])
  const normalization = { mean: [0.5, 0.5, 0.5] }
  expect(await read(graph, 'batch.bin', { normalization })).toEqual({
    shape: [3, 3, 32, 32],
    first: Math.fround(60 / 255 - 0.5),
    labels: [3, 1, 2],
  })
  expect(await read(graph, 'batch.bin', { limit: 2 })).toEqual({
    shape: [2, 3, 32, 32],
    first: 60,
    labels: [3, 1],
  })
  expect((await read(graph, 'batch.bin', { limit: 9 })).labels).toEqual([3, 1, 2])
})

test('a file is read once, whatever is taken from it', async () => {
  const tensors: [string, Tensor][] = [
    ['x', float32([1, 2, 3, 4], [2, 2])],
    ['labels', int64([1, 0])],
  ]
  await writeTensors(path('once.npz'), new Map(tensors))
  const files: string[] = []
  const counting = (file: string): ReturnType<typeof readFile> => {
    files.push(file)
    return readFile(file)
  }
  const graph = taking([2, 2])
  const file = path('once.npz')
  const feeds = [{ file, input: 'x', array: 'x' }]
  const { inputs, labels } = await readData(graph, feeds, {
    read: readingOnce(counting),
    labels: { file, array: 'labels' },
  })
  const found = [inputs.get('x') as Tensor, labels!].map(value => [...numbers(value)])
  expect([...found, files]).toEqual([[1, 2, 3, 4], [1, 0], [file]])
})

test('an archive may have labels beside the inputs, by any of their names', async () => {
  const x = float32([1, 2, 3, 4], [2, 2])
  await writeTensors(
    path('a.npz'),
    new Map<string, Tensor>([
      ['x', x],
      ['labels', int64([1, 0])],
    ]),
  )
  await writeTensors(
    path('b.npz'),
    new Map<string, Tensor>([
      ['pictures', x],
      ['label', int64([0, 1])],
    ]),
  )
  await writeTensors(
    path('c.npz'),
    new Map<string, Tensor>([
      ['x', x],
      ['y', int64([0, 1])],
    ]),
  )
  const graph = taking(['n', 2])
  expect((await read(graph, 'a.npz')).labels).toEqual([1, 0])
  expect(await read(graph, 'b.npz')).toEqual({ shape: [2, 2], first: 1, labels: [0, 1] })
  expect((await read(graph, 'c.npz')).labels).toBeUndefined()
  expect((await read(graph, 'c.npz', { labels: { file: path('c.npz'), array: 'y' } })).labels).toEqual([0, 1])
  await expect(read(graph, 'c.npz', { labels: { file: path('c.npz') } })).rejects.toThrow(
    /which array holds the labels/,
  )
  await expect(read(graph, 'c.npz', { labels: { file: path('c.npz'), array: 'z' } })).rejects.toThrow(
    /no array "z"/,
  )
})

test('pictures and labels in files of their own', async () => {
  await writeTensors(
    path('images.idx'),
    new Map([
      [
        'data',
        fromNumbers(
          'uint8',
          [3, 2, 2],
          [...'abcdefghijkl'].map((_, i) => i),
        ),
      ],
    ]),
  )
  await writeTensors(path('labels.idx'), new Map([['data', fromNumbers('uint8', [3], [2, 1, 0])]]))
  const options = { labels: { file: path('labels.idx') }, limit: 2 }
  expect(await read(taking(['n', 1, 2, 2]), 'images.idx', options)).toEqual({
    shape: [2, 1, 2, 2],
    first: 0,
    labels: [2, 1],
  })
})

test('what does not fit is refused as with every input', async () => {
  const x = float32([1])
  await writeTensors(
    path('two.npz'),
    new Map<string, Tensor>([
      ['a', x],
      ['b', x],
    ]),
  )
  await expect(read(taking(['n']), 'two.npz')).rejects.toThrow(/several arrays/)
  await expect(read(taking(['n', 2]), 'none.npz')).rejects.toThrow(/none\.npz/)
})
