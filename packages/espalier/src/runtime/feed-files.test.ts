import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../cli/testing.ts'
import { writeNpy, writeNpz, writeSafetensors } from '../formats/index.ts'
import { graphBuilder } from '../graph/builder.ts'
import { type Dim, tensorType } from '../graph/graph.ts'
import type { DType } from '../tensor/dtype.ts'
import { bigints, fromNumbers, numbers } from '../tensor/elements.ts'
import { float32, type Tensor, tensor } from '../tensor/tensor.ts'
import { type FeedFileOptions, readFeeds } from './feed-files.ts'

const path = temporaryFolder()

function graphOf(dtype: DType, shape?: Dim[]) {
  const g = graphBuilder()
  g.input('x', dtype, shape)
  return g.build()
}

/** What a model with one input is fed when a file holds `array`. */
async function feed(
  array: Tensor,
  graph: ReturnType<typeof graphOf>,
  options: FeedFileOptions = {},
): Promise<{ readonly value: Tensor; readonly notes: readonly string[] }> {
  const notes: string[] = []
  await writeSafetensors(path('x.safetensors'), new Map([['a', array]]))
  const feeds = await readFeeds(graph, [{ file: path('x.safetensors') }], {
    ...options,
    onNote: note => notes.push(note),
  })
  return { value: feeds.get('x') as Tensor, notes }
}

describe('axes of extent 1', () => {
  test.each([
    [
      [8, 28, 28],
      ['batch', 1, 28, 28],
      [8, 1, 28, 28],
    ],
    [
      [28, 28],
      ['batch', 1, 28, 28],
      [1, 1, 28, 28],
    ],
    [[1, 1, 3], [3], [3]],
    [[3], ['batch', 3], [1, 3]],
    [[], [1, 1], [1, 1]],
    [[5], ['batch', 'length'], [5]],
    [[5], [1, 4], [5]],
    [
      [2, 3],
      ['batch', 3],
      [2, 3],
    ],
  ])('%j for %j is %j', async (given, wanted, expected) => {
    const count = given.reduce((product, extent) => product * extent, 1)
    const { value, notes } = await feed(
      fromNumbers('float32', given, new Array(count).fill(1)),
      graphOf('float32', wanted),
    )
    expect(value.shape).toEqual(expected)
    expect(notes).toHaveLength(given.length === expected.length ? 0 : 1)
  })
})

describe('data types', () => {
  test.each([
    ['float64', 'float16'],
    ['int32', 'float32'],
    ['uint8', 'int64'],
  ] as const)('%s becomes %s, and that is said', async (from, to) => {
    const { value, notes } = await feed(fromNumbers(from, [2], [1, 2]), graphOf(to, [2]))
    expect([value.dtype, [...numbers(value)]]).toEqual([to, [1, 2]])
    expect(notes).toEqual([`input "x": ${from} is converted to ${to}`])
  })

  test('integers beyond 2^53 stay exact, and those that do not fit are refused', async () => {
    const big = tensor('int64', [1], BigInt64Array.of(2n ** 62n + 1n))
    expect(bigints((await feed(big, graphOf('uint64', [1]))).value)[0]).toBe(2n ** 62n + 1n)
    await expect(feed(big, graphOf('int32', [1]))).rejects.toThrow('expected int32, got 4611686018427387905')
    await expect(feed(fromNumbers('int8', [1], [-1]), graphOf('uint8', [1]))).rejects.toThrow('got -1')
  })

  test.each([
    ['float32', 'int32'],
    ['bool', 'float32'],
    ['float32', 'string'],
    ['float32', 'bool'],
  ] as const)('%s does not become %s', async (from, to) => {
    await expect(feed(fromNumbers(from, [1], [1]), graphOf(to, [1]))).rejects.toMatchObject({
      code: 'bad-dtype',
      where: { tensor: 'x' },
    })
  })

  test('an input of unknown type takes what it is given', async () => {
    const graph = { ...graphOf('float32'), inputs: [{ name: 'x' }] }
    expect((await feed(fromNumbers('int8', [1], [1]), graph)).value.dtype).toBe('int8')
  })
})

describe('bytes', () => {
  const first = fromNumbers('uint8', [1, 2, 1, 2], [0, 255, 0, 255])

  test('keep their values, and that is said', async () => {
    const { value, notes } = await feed(first, graphOf('float32', [1, 2, 1, 2]))
    expect([...numbers(value)]).toEqual([0, 255, 0, 255])
    expect(notes).toEqual(['input "x": uint8 is converted to float32, with values from 0 to 255'])
  })

  test('are normalised on request, by channel in the second or the last axis', async () => {
    const normalization = { mean: [0, 1], std: [1, 0.5] }
    const { value, notes } = await feed(first, graphOf('float32', [1, 2, 1, 2]), { normalization })
    expect([[...numbers(value)], notes]).toEqual([[0, 1, -2, 0], []])
    const last = fromNumbers('uint8', [1, 1, 2, 2], [0, 255, 0, 255])
    expect([
      ...numbers((await feed(last, graphOf('float32', [1, 1, 2, 2]), { normalization })).value),
    ]).toEqual([0, 0, 0, 0])
  })
})

describe('rows', () => {
  const rows = { from: 1, to: 3 }

  test.each(['float32', 'float16', 'int4', 'bool'] as const)('of %s', async dtype => {
    const { value } = await feed2(fromNumbers(dtype, [4, 2], [0, 1, 1, 0, 1, 1, 0, 0]), dtype)
    expect([value.shape, [...numbers(value)]]).toEqual([
      [2, 2],
      [1, 0, 1, 1],
    ])
  })

  async function feed2(array: Tensor, dtype: DType) {
    const encoded = dtype === 'int4' ? 'uint8' : dtype
    const source = encoded === dtype ? array : fromNumbers('uint8', array.shape, numbers(array))
    return feed(source, graphOf(dtype, ['n', 2]), { rows })
  }

  test('of strings', async () => {
    await writeNpy(path('s.npy'), tensor('string', [4], ['a', 'b', 'c', 'd']))
    const feeds = await readFeeds(graphOf('string', ['n']), [{ file: path('s.npy') }], { rows })
    expect((feeds.get('x') as Tensor).data).toEqual(['b', 'c'])
  })

  test.each([
    [[2, 2], 'rows within 0 to 2'],
    [[], 'rows within 0 to 0'],
  ])('that shape %j does not have', async (shape, expected) => {
    const array = fromNumbers('float32', shape, new Array(shape.length === 0 ? 1 : 4).fill(0))
    await expect(feed(array, graphOf('float32'), { rows })).rejects.toMatchObject({
      code: 'bad-argument',
      expected,
    })
  })
})

describe('which input', () => {
  const g = graphBuilder()
  g.input('a', 'float32', [1])
  g.input('b', 'float32', [1])
  g.inputOf('list', { kind: 'sequence', element: tensorType('float32') })
  const graph = g.build()

  test('all whose names are in the file, the named one, or a list of all arrays', async () => {
    await writeNpz(path('ab.npz'), [
      ['a', float32([1])],
      ['b', float32([2])],
      ['c', float32([3])],
    ])
    const file = path('ab.npz')
    expect([...(await readFeeds(graph, [{ file }])).keys()]).toEqual(['a', 'b'])
    const one = await readFeeds(graph, [
      { file, input: 'a', array: 'c' },
      { file, input: 'list' },
    ])
    expect([...numbers(one.get('a') as Tensor)]).toEqual([3])
    expect(one.get('list')).toHaveLength(3)
    await expect(readFeeds(graph, [{ file, array: 'c' }])).rejects.toThrow(
      'it is not said which input this file is for; expected a or b or list',
    )
    await expect(readFeeds(graph, [{ file, input: 'z' }])).rejects.toMatchObject({
      code: 'unknown-input',
      where: { file },
      expected: 'a, b, list',
    })
    await expect(readFeeds(graph, [{ file }, { file, input: 'b' }])).rejects.toThrow(
      'two files feed this input',
    )
  })
})
