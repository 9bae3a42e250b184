import { describe, expect, test } from 'vitest'
import { weightViews } from '../analysis/weight-views.ts'
import type { Graph } from '../graph/graph.ts'
import { graphOf } from '../graph/graphs.suite.ts'
import { sparsify } from '../graph/sparse.ts'
import { numbers } from '../tensor/elements.ts'
import { randomKey, uniform } from '../tensor/random.ts'
import { sizeOf } from '../tensor/shape.ts'
import { type Tensor, tensor, zeros } from '../tensor/tensor.ts'
import { pruneMagnitude } from './magnitude.ts'

function weights(shape: readonly number[], seed = 1, scale = 1): Tensor<'float32'> {
  return tensor(
    'float32',
    shape,
    Float32Array.from(uniform(randomKey(seed), sizeOf(shape)), u => scale * (u - 0.5)),
  )
}

/** An embedding tied to the last product, a convolution, a product [in, out] and one [out, in]. */
const graph = graphOf(g => {
  const table = g.constant(weights([30, 64], 5), 'table')
  const x = g.input('x', 'float32', ['n', 8, 4, 4])
  let y = g.node('Conv', [x, g.constant(weights([16, 8, 3, 3], 1, 10), 'conv')], {}, { name: 'conv1' })
  y = g.node('Flatten', [y])
  y = g.node('MatMul', [y, g.constant(weights([64, 32], 2), 'product')], {}, { name: 'mm' })
  y = g.node('Gemm', [y, g.constant(weights([64, 32], 3), 'gemm')], { transB: 1 }, { name: 'fc' })
  y = g.node('MatMul', [y, g.constant(weights([64, 4], 4), 'small')], {}, { name: 'tiny' })
  const tied = g.node('Transpose', [table])
  g.output(
    g.node('MatMul', [g.node('Gather', [table, g.input('ids', 'int64', ['n'])]), tied], {}, { name: 'head' }),
  )
  return y
})
const weight = (of: Graph, name: string): Tensor => of.initializers.get(name) as Tensor
const zerosOf = (of: Graph, name: string): number => numbers(weight(of, name)).filter(x => x === 0).length

describe('pruneMagnitude', () => {
  test('zeros the smallest weights of each layer, and says what it left', () => {
    const { graph: pruned, layers, skipped } = pruneMagnitude(graph, { sparsity: 0.75 })
    expect(layers).toMatchObject([
      {
        name: 'conv',
        node: 'conv1',
        op: 'Conv',
        elements: 1152,
        zeros: 864,
        asked: 0.75,
        pattern: 'unstructured',
      },
      { name: 'product', node: 'mm', zeros: 1536 },
      { name: 'gemm', node: 'fc', zeros: 1536 },
    ])
    expect(Object.fromEntries(skipped.map(({ name, reason }) => [name, reason]))).toEqual({
      small: 'fewer than 1024 elements',
      table: expect.stringMatching(/\(Gather\) reads it too/),
    })
    for (const { name } of layers) {
      const [before, after] = [numbers(weight(graph, name)), numbers(weight(pruned, name))]
      const gone = before.filter((_, i) => after[i] === 0).map(Math.abs)
      const left = after.filter(x => x !== 0)
      expect(Math.max(...gone)).toBeLessThanOrEqual(Math.min(...left.map(Math.abs)))
      expect(left.every(x => before.includes(x))).toBe(true)
    }
    expect(weight(pruned, 'small')).toBe(weight(graph, 'small'))
    expect(zerosOf(graph, 'conv')).toBe(0)
  })

  test('one threshold spares the layer of large weights', () => {
    const { layers } = pruneMagnitude(graph, { sparsity: 0.5, threshold: 'global' })
    const total = layers.reduce((sum, { elements }) => sum + elements, 0)
    expect(layers.reduce((sum, layer) => sum + layer.zeros, 0)).toBe(Math.round(total / 2))
    expect(layers[0]!.zeros / layers[0]!.elements).toBeLessThan(0.2)
  })

  test('patterns run along the inputs of each output, in every layout', () => {
    const views = weightViews(graph)
    const { graph: pruned } = pruneMagnitude(graph, { pattern: '2:4' })
    // [in, out], [out, in]: groups of four inputs.
    const [product, gemm, conv] = ['product', 'gemm', 'conv'].map(name => numbers(weight(pruned, name)))
    for (let out = 0; out < 32; out++)
      for (let i = 0; i < 64; i += 4)
        expect([0, 1, 2, 3].filter(k => product![(i + k) * 32 + out] !== 0)).toHaveLength(2)
    for (let i = 0; i < 64 * 32; i += 4) expect(gemm!.subarray(i, i + 4).filter(x => x !== 0)).toHaveLength(2)
    // [out, channel, tap]: four channels of one tap.
    expect(views.get('conv')!.order).toEqual([0, 2, 3, 1])
    for (let out = 0; out < 16; out++)
      for (let tap = 0; tap < 9; tap++)
        for (let c = 0; c < 8; c += 4)
          expect([0, 1, 2, 3].filter(k => conv![(out * 8 + c + k) * 9 + tap] !== 0)).toHaveLength(2)
  })

  test('layers are chosen by place and by name', () => {
    const names = (options: object) =>
      pruneMagnitude(graph, { sparsity: 0.5, ...options }).layers.map(({ name }) => name)
    expect(names({ keepFirst: true })).toEqual(['product', 'gemm'])
    expect(names({ smallest: 1 })).toEqual(['conv', 'product', 'gemm', 'small'])
    expect(names({ smallest: 1, keepLast: true })).toEqual(['conv', 'product', 'gemm', 'small'])
    expect(names({ include: ({ op }: { op: string }) => op === 'Gemm' })).toEqual(['gemm'])
  })

  test('sparse constants are pruned like dense ones', () => {
    const sparse = sparsify(
      tensor(
        'float32',
        [64, 32],
        Float32Array.from({ length: 2048 }, (_, i) => (i % 8 === 0 ? 1 + i : 0)),
      ),
    )!
    const { layers } = pruneMagnitude(
      { ...graph, initializers: new Map(graph.initializers).set('gemm', sparse) },
      { sparsity: 0.9 },
    )
    expect(layers.find(({ name }) => name === 'gemm')!.zeros).toBe(1843)
  })

  test('nothing to prune is an error, as is a sparsity that cannot be', () => {
    expect(() => pruneMagnitude(graph, { sparsity: 0.5, include: () => false })).toThrow(
      /no weight to prune.*not asked for/,
    )
    expect(() => pruneMagnitude(graph)).toThrow(/needs a sparsity/)
    expect(() => pruneMagnitude(graph, { pattern: '2:4', sparsity: 0.8 })).toThrow(/sparsity of its own/)
    const none = graphOf(g =>
      g.node('Add', [g.input('x', 'float32', [2]), g.constant(zeros('float32', [2]))]),
    )
    expect(() => pruneMagnitude(none, { sparsity: 0.5 })).toThrow(/no products or convolutions/)
  })
})
