import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { classifier, temporaryFolder, weight } from './cli/testing.ts'
import { encodeOnnx, encodeSafetensors, writeSafetensors } from './formats/index.ts'
import { isSparse } from './graph/graph.ts'
import { graphOf } from './graph/graphs.suite.ts'
import { denseOf } from './graph/sparse.ts'
import { load, save } from './model.ts'
import { float32, sameTensor, type Tensor } from './tensor/tensor.ts'

const path = temporaryFolder()
const bytesOf = (chunks: Iterable<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat([...chunks]))

describe('load', () => {
  test('from a path and from bytes, telling how far it is', async () => {
    const graph = classifier()
    await save(path('m.onnx'), graph)
    const reads: number[] = []
    for (const input of [path('m.onnx'), bytesOf(encodeOnnx(graph))]) {
      const found = await load(input, { onRead: done => reads.push(done) })
      expect(found.nodes).toHaveLength(6)
      const weightOf = (g: typeof graph) => g.initializers.get('conv1.weight') as Tensor
      expect(sameTensor(weightOf(found), weightOf(graph))).toBe(true)
    }
    expect(reads.length).toBeGreaterThan(1)
  })

  test('refuses tensors and broken models, naming the file', async () => {
    const tensors = new Map([['a', float32([1])]])
    await writeSafetensors(path('t.safetensors'), tensors)
    await expect(load(path('t.safetensors'))).rejects.toMatchObject({
      code: 'unsupported-format',
      where: { file: path('t.safetensors') },
    })
    await expect(load(bytesOf(encodeSafetensors(tensors)))).rejects.toThrow('<bytes>: the file holds tensors')
    const broken = bytesOf(encodeOnnx({ ...classifier(), inputs: [] }))
    await expect(load(broken)).rejects.toMatchObject({ code: 'invalid-graph', where: { file: '<bytes>' } })
    await expect(load(path('none.onnx'))).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('save', () => {
  test.each([
    ['m.npz', 'a npz file cannot hold a model; expected a path that ends with .onnx or .espalier'],
    ['m.txt', 'the name does not say which format to write'],
  ])('%s is refused', async (name, message) => {
    await expect(save(path(name), classifier())).rejects.toThrow(message)
    expect(existsSync(path(name))).toBe(false)
  })

  test('compressed, and back; with options of ONNX only where ONNX is written', async () => {
    const graph = classifier()
    await save(path('m.espalier'), graph)
    const found = await load(path('m.espalier'))
    expect(bytesOf(encodeOnnx(found))).toEqual(bytesOf(encodeOnnx(graph)))
    await expect(save(path('n.espalier'), graph, { externalData: true })).rejects.toMatchObject({
      code: 'bad-argument',
      where: { field: 'externalData' },
    })
  })

  test('sparse tensors in ONNX give the same model', async () => {
    const graph = graphOf(g =>
      g.node('MatMul', [
        g.input('x', 'float32', [1, 32]),
        g.constant(
          weight([32, 32], i => i % 8 > 0),
          'w',
        ),
      ]),
    )
    await save(path('s.onnx'), graph, { sparse: true })
    const found = await load(path('s.onnx'))
    const sparse = found.initializers.get('w')!
    expect(isSparse(sparse) && sparse.values.shape).toEqual([128])
    expect(sameTensor(denseOf(sparse), graph.initializers.get('w') as Tensor)).toBe(true)
  })

  test('refuses a broken model', async () => {
    await expect(save(path('x.onnx'), { ...classifier(), inputs: [] })).rejects.toMatchObject({
      code: 'invalid-graph',
    })
  })
})
