import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { realFile } from '../../formats/testdata.suite.ts'
import { choice } from '../../graph/graphs.suite.ts'
import { load } from '../../model.ts'
import { tensor } from '../../tensor/tensor.ts'
import { optimize, passes } from './index.ts'
import { bert, gpt2, vit } from './layers.suite.ts'
import { countsOf, expectSameResults, operatorsIn, sketch } from './rules.suite.ts'

describe('transformers', () => {
  test('BERT: products, attention, norms', () => {
    const [graph, mask] = [bert(2), tensor('int64', [2, 4], BigInt64Array.of(1n, 1n, 1n, 0n, 1n, 1n, 0n, 0n))]
    const result = optimize(graph)
    const { 'espalier.MatMul': products, 'espalier.Attention': attentions, ...rest } = countsOf(result)
    expect([products, attentions, rest['espalier.SkipLayerNormalization']]).toEqual([12, 2, 4])
    for (const gone of ['Transpose', 'Softmax', 'Erf', 'ReduceMean', 'MatMul', 'Add', 'Div'])
      expect(rest[gone]).toBeUndefined()
    const symbols = { batch: 2, length: 4 }
    expectSameResults(graph, result, { symbols, feeds: { attention_mask: mask }, tolerance: 1e-4 })
  })
  test('GPT-2 with a cache', () => {
    const graph = gpt2(2)
    const result = optimize(graph)
    expect(countsOf(result)).toMatchObject({
      'espalier.MatMul': 8,
      'espalier.Attention': 2,
      'espalier.SkipLayerNormalization': 4,
      Split: 2,
      Where: 1,
    })
    const counts = countsOf(result)
    for (const gone of ['Transpose', 'Softmax', 'Tanh', 'Gemm', 'Pow', 'Div'])
      expect(counts[gone]).toBeUndefined()
    for (const node of result.nodes.filter(({ op }) => op === 'Attention'))
      expect(node.outputs.length).toBe(3)
    for (const symbols of [
      { batch: 1, length: 1, past: 5 },
      { batch: 2, length: 3, past: 2 },
    ])
      expectSameResults(graph, result, { symbols, tolerance: 1e-4 })
  })
  test('ViT with packed projections', () => {
    const graph = vit(2)
    const result = optimize(graph)
    expect(countsOf(result)).toMatchObject({
      'espalier.MatMul': 8,
      'espalier.Attention': 2,
      LayerNormalization: 4,
      Gather: 6,
    })
    expect(countsOf(result).Transpose).toBeUndefined()
    expectSameResults(graph, result, { symbols: { batch: 2 }, tolerance: 1e-4 })
  })
})

test('branches that are known are taken, and types are stated', () => {
  const graph = { ...choice(), inputs: choice().inputs.filter(({ name }) => name === 'x') }
  const known = {
    ...graph,
    initializers: new Map([...graph.initializers, ['c', tensor('bool', [], Uint8Array.of(1))] as const]),
  }
  const result = optimize(known)
  expect(operatorsIn(result)).toBe('Add')
  const chained = optimize(sketch(g => g.node('Exp', [g.node('Exp', [g.input('x', 'float32', ['n'])])])))
  expect(chained.values.get(chained.nodes[0]!.outputs[0]!)?.type).toEqual({
    kind: 'tensor',
    dtype: 'float32',
    shape: ['n'],
  })
})

test('passes are pure, in order, and change nothing a second time', () => {
  const graph = bert(1)
  const seen: string[] = []
  const result = optimize(graph, { onPass: ({ name }) => seen.push(name) })
  expect(seen).toEqual(passes.map(({ name }) => name))
  expect(countsOf(graph).MatMul).toBe(8)
  expect(countsOf(optimize(result))).toEqual(countsOf(result))
})

const folder = realFile('models', 'onnx')

describe.skipIf(folder === undefined)('real models', () => {
  const counts: [string, Record<string, number>][] = [
    [
      'dtln/model_1.onnx',
      { Concat: 3, LSTM: 2, Slice: 4, Squeeze: 6, Transpose: 4, Unsqueeze: 6, 'espalier.MatMul': 1 },
    ],
    [
      'magika-standard_v3_3/model.onnx',
      {
        Add: 5,
        Cast: 1,
        Div: 1,
        Equal: 1,
        Exp: 1,
        Max: 3,
        Mul: 12,
        Reciprocal: 2,
        ReduceMax: 1,
        ReduceSum: 5,
        Reshape: 10,
        Slice: 2,
        Sqrt: 2,
        Squeeze: 1,
        Sub: 5,
        Transpose: 2,
        Unsqueeze: 1,
        'espalier.Activation': 1,
        'espalier.Conv': 1,
        'espalier.GlobalMaxPool': 1,
        'espalier.MatMul': 2,
      },
    ],
    ['super-resolution/super_resolution.onnx', { Reshape: 3, Transpose: 2, 'espalier.Conv': 4 }],
    [
      'ultraface/version-RFB-640.onnx',
      {
        Add: 2,
        Concat: 5,
        Exp: 1,
        Mul: 5,
        Reshape: 8,
        Slice: 4,
        Softmax: 1,
        Sub: 1,
        Transpose: 1,
        'espalier.Conv': 52,
      },
    ],
  ]
  test.each(counts)('%s', async (file, wanted) => {
    expect(countsOf(optimize(await load(join(folder!, file))))).toEqual(wanted)
  })
  test.each([
    ['magika-standard_v3_3/model.onnx', { unk__214: 1 }],
    ['dtln/model_1.onnx', {}],
  ])('%s gives the same', async (file, symbols) => {
    const graph = await load(join(folder!, file))
    expectSameResults(graph, optimize(graph), { symbols, tolerance: 1e-4 })
  })
})
