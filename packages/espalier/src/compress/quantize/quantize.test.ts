/** Quantised graphs: zeros stay zeros, results stay near, engines find their integer operators, wrong things are refused. */
import { describe, expect, test } from 'vitest'
import { graphBuilder } from '../../graph/builder.ts'
import { type Graph, isSparse } from '../../graph/graph.ts'
import { graphOf } from '../../graph/graphs.suite.ts'
import { validate } from '../../graph/validate.ts'
import { batchesOf } from '../../runtime/batches.ts'
import { optimize } from '../../runtime/optimize/index.ts'
import { operatorsIn } from '../../runtime/optimize/rules.suite.ts'
import { runReference } from '../../runtime/reference.ts'
import { numbers } from '../../tensor/elements.ts'
import { normal, randomKey } from '../../tensor/random.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { float32, type Tensor, tensor } from '../../tensor/tensor.ts'
import { pruneMagnitude } from '../magnitude.ts'
import { calibrate } from './calibrate.ts'
import { quantizeDynamic } from './dynamic.ts'
import { foldNorms } from './fold-norms.ts'
import { quantizeStatic } from './static.ts'
import { quantizeWeight, quantizeWeights } from './weights.ts'

function random(shape: readonly number[], seed: number, scale = 1): Tensor<'float32'> {
  return tensor(
    'float32',
    shape,
    Float32Array.from(normal(randomKey(seed), sizeOf(shape)), x => scale * x),
  )
}

describe('quantizeWeight', () => {
  const source = float32([1, -2, 0, 4, 0, 0, 0, 0, -0.5, 0.25, 0, 127], [3, 4])
  test('has a scale for each output, and keeps zeros', () => {
    const { integers, scales } = quantizeWeight(source, { bits: 8, axis: 0 })
    expect([...scales.data]).toEqual([4 / 127, 1, 1].map(Math.fround))
    expect([...numbers(integers)]).toEqual([32, -64, 0, 127, 0, 0, 0, 0, -0, 0, 0, 127].map(x => x + 0))
    expect(quantizeWeight(source, { bits: 8, axis: 1 }).scales.shape).toEqual([4])
  })
  test('in 4 bits, with groups of inputs', () => {
    const { integers, scales } = quantizeWeight(source, { bits: 4, axis: 0, group: { axis: 1, size: 3 } })
    expect(integers.dtype).toBe('int4')
    expect(scales.shape).toEqual([3, 2])
    expect([...scales.data]).toEqual([2 / 7, 4 / 7, 1, 1, 0.5 / 7, 127 / 7].map(Math.fround))
    expect([...numbers(integers)]).toEqual([3, -7, 0, 7, 0, 0, 0, 0, -7, 3, 0, 7])
  })
  test('errs by half a step at most', () => {
    const weight = random([16, 9, 3], 1)
    for (const axis of [0, 1, 2]) {
      const { integers, scales } = quantizeWeight(weight, { bits: 8, axis })
      const step = [27, 3, 1][axis]!
      const extent = weight.shape[axis]!
      for (const [i, integer] of numbers(integers).entries()) {
        const scale = scales.data[Math.floor(i / step) % extent]!
        expect(Math.abs(weight.data[i]! - integer * scale)).toBeLessThanOrEqual(scale * 0.5001)
      }
    }
  })
  test('refuses what cannot be', () => {
    expect(() => quantizeWeight(source, { bits: 8, axis: 2 })).toThrow(/no scales along/)
    expect(() => quantizeWeight(source, { bits: 4, axis: 0, group: { axis: 0, size: 2 } })).toThrow(
      /no scales along/,
    )
    expect(() => quantizeWeight(float32([Number.NaN]), { bits: 8, axis: 0 })).toThrow(/not finite/)
  })
})

/** A convolution with relu, pooling, a residual sum, and two products of different layouts. */
function network(opset = 21): Graph {
  const g = graphBuilder({ opset })
  const x = g.input('x', 'float32', ['n', 4, 8, 8])
  const conv = (input: ReturnType<typeof g.input>, name: string, channels: number) =>
    g.node(
      'Conv',
      [
        input,
        g.constant(random([16, channels, 3, 3], channels, 0.1), `${name}.w`),
        g.constant(random([16], 9), `${name}.b`),
      ],
      { pads: [1, 1, 1, 1] },
      { name },
    )
  const first = g.node('MaxPool', [g.node('Relu', [conv(x, 'conv1', 4)])], {
    kernel_shape: [2, 2],
    strides: [2, 2],
  })
  const sum = g.node('Relu', [g.node('Add', [conv(first, 'conv2', 16), first])])
  const flat = g.node('Flatten', [sum])
  const hidden = g.node('Relu', [
    g.node(
      'Gemm',
      [flat, g.constant(random([32, 256], 4, 0.1), 'fc.w'), g.constant(random([32], 5), 'fc.b')],
      { transB: 1 },
      { name: 'fc' },
    ),
  ])
  const y = g.node(
    'MatMul',
    [hidden, g.constant(random([32, 40], 6), 'head.w')],
    {},
    { name: 'head', outputs: ['y'] },
  )
  g.output(y)
  return g.build()
}

const feeds = { x: random([3, 4, 8, 8], 7) }
const result = (graph: Graph): Float64Array =>
  numbers(runReference(validate(graph), feeds).get('y') as Tensor)

/** Error of a result, relative to its spread. */
function errorOf(graph: Graph, wanted = result(network())): number {
  const found = result(graph)
  const norm = (values: Float64Array): number => Math.hypot(...values)
  return norm(found.map((value, i) => value - wanted[i]!)) / norm(wanted)
}

/** Zeros of the weights, in the order of their names. */
function zeros(graph: Graph, ending: string): number[] {
  return [...graph.initializers]
    .filter(([name]) => name.endsWith(ending))
    .map(([, constant]) => (isSparse(constant) ? 0 : numbers(constant).filter(value => value === 0).length))
}

const pruned = pruneMagnitude(network(), { sparsity: 0.8, pattern: 'block4', smallest: 256 }).graph

describe('weights alone', () => {
  test('as integers behind DequantizeLinear give nearly the same', () => {
    const { graph, layers } = quantizeWeights(network(), { smallest: 256 })
    expect(layers.map(({ name, bits, scales }) => [name, bits, scales])).toEqual([
      ['conv1.w', 8, 16],
      ['conv2.w', 8, 16],
      ['fc.w', 8, 32],
      ['head.w', 8, 40],
    ])
    expect(errorOf(graph)).toBeLessThan(0.03)
    expect(errorOf(quantizeWeights(network(), { bits: 4, group: 16, smallest: 256 }).graph)).toBeLessThan(0.3)
  })
  test('keep their zeros', () => {
    const { graph } = quantizeWeights(pruned, { smallest: 256 })
    for (const [i, count] of zeros(graph, '.w_quantized').entries())
      expect(count).toBeGreaterThanOrEqual(zeros(pruned, '.w')[i]!)
  })
  test('need an operator set that has the form', () => {
    expect(() => quantizeWeights(network(12))).toThrow(/too old.*opset 13/)
    expect(() => quantizeWeights(network(17), { bits: 4 })).toThrow(/too old.*opset 21/)
  })
})

describe('dynamic', () => {
  test('puts products on integers, and leaves convolutions', () => {
    const { graph, layers, skipped } = quantizeDynamic(network(), { smallest: 256 })
    expect(layers.map(({ name }) => name)).toEqual(['fc.w', 'head.w'])
    expect(skipped.map(({ name }) => name)).toEqual(['conv1.w', 'conv2.w'])
    expect(errorOf(graph)).toBeLessThan(0.02)
    const operators = operatorsIn(optimize(graph))
    expect(operators).toContain('espalier.DynamicQuantizedMatMul')
    expect(operators).not.toContain('MatMulInteger')
  })
  test('quantises an input once for all its products', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', ['n', 32])
      return ['q', 'k', 'v'].map((name, i) =>
        g.node('MatMul', [x, g.constant(random([32, 32], i), name)], {}, { name }),
      )
    })
    const made = quantizeDynamic(graph).graph
    expect(made.nodes.filter(({ op }) => op === 'DynamicQuantizeLinear')).toHaveLength(1)
    expect(made.nodes.filter(({ op }) => op === 'MatMulInteger')).toHaveLength(3)
    expect([...made.initializers.keys()].sort()).toEqual(
      ['q', 'k', 'v'].flatMap(name => [`${name}_quantized`, `${name}_scale`]).sort(),
    )
  })
  test('keeps zeros', () => {
    expect(
      zeros(quantizeDynamic(pruned, { smallest: 256 }).graph, 'fc.w_quantized')[0],
    ).toBeGreaterThanOrEqual(6553)
  })
})

describe('static', () => {
  const options = { smallest: 256, backend: 'reference' } as const
  test('puts convolutions, products and sums on integers', async () => {
    const { graph, layers, skipped } = await quantizeStatic(network(), [feeds], options)
    expect(layers.map(({ name }) => name)).toEqual(['conv1.w', 'conv2.w', 'fc.w', 'head.w'])
    expect(skipped).toEqual([])
    expect(errorOf(graph)).toBeLessThan(0.05)
    const operators = operatorsIn(optimize(graph))
    for (const operator of ['QuantizedConv', 'QuantizedMatMul', 'QuantizedAdd'])
      expect(operators, operators).toContain(`espalier.${operator}`)
    expect(operators.match(/Conv|MatMul/g)).toHaveLength(4)
    expect(operators).not.toMatch(/(^| )(Conv|MatMul|Gemm|MaxPool\(float)/)
  })
  test('keeps zeros and the names of inputs and outputs', async () => {
    const { graph } = await quantizeStatic(pruned, [feeds, feeds], options)
    for (const [i, count] of zeros(graph, '.w_quantized').entries())
      expect(count).toBeGreaterThanOrEqual(zeros(pruned, '.w')[i]!)
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(graph.outputs.map(({ name }) => name)).toEqual(['y'])
  })
  test('needs data, and numbers', async () => {
    await expect(quantizeStatic(network(), [], options)).rejects.toThrow(/no data/)
    const bad = { x: tensor('float32', [1, 4, 8, 8], new Float32Array(256).fill(Number.NaN)) }
    await expect(quantizeStatic(network(), [bad], options)).rejects.toMatchObject({
      code: 'not-a-number',
      where: { tensor: 'x' },
    })
    await expect(quantizeStatic(network(12), [feeds], options)).rejects.toThrow(/too old/)
  })
  test('sees ranges over all runs', async () => {
    const graph = graphOf(g => g.node('Neg', [g.input('x', 'float32', [2])], {}, { outputs: ['y'] }))
    const data = [{ x: float32([1, 2]) }, new Map([['x', float32([-5, 0])]])]
    const ranges = await calibrate(graph, ['x', 'y'], data, { backend: 'reference' })
    expect(Object.fromEntries(ranges)).toEqual({ x: { min: -5, max: 2 }, y: { min: -2, max: 5 } })
  })
})

test('norms become part of the weights before, which keep their names', async () => {
  const graph = graphOf(g => {
    const x = g.input('x', 'float32', ['n', 4, 8, 8])
    const [w, b] = [g.constant(random([16, 4, 3, 3], 1), 'w'), g.constant(random([16], 2), 'b')]
    const norm = ['scale', 'shift', 'mean'].map((name, i) => g.constant(random([16], 3 + i), name))
    const variance = g.constant(tensor('float32', [16], new Float32Array(16).fill(2)), 'variance')
    const y = g.node('Conv', [x, w, b], { pads: [1, 1, 1, 1] }, { name: 'conv' })
    return g.node('Relu', [g.node('BatchNormalization', [y, ...norm, variance])], {}, { outputs: ['y'] })
  })
  const folded = foldNorms(graph)
  expect(folded.nodes.map(({ op }) => op)).toEqual(['Conv', 'Relu'])
  expect([...folded.initializers.keys()].sort()).toEqual(['b', 'w'])
  expect(folded.values.size).toBe(0)
  expect(errorOf(folded, result(graph))).toBeLessThan(1e-5)
  expect(foldNorms(folded)).toBe(folded)
  const { graph: quantized } = await quantizeStatic(folded, [feeds], { smallest: 1, backend: 'reference' })
  expect(operatorsIn(optimize(quantized))).toMatch(/^QuantizeLinear Transpose espalier.QuantizedConv/)
  expect(errorOf(quantized, result(graph))).toBeLessThan(0.03)
})

test('data is cut into the runs that a model takes', () => {
  const rows = (extents: readonly (number | string)[], lengths: readonly number[]): number[] => {
    const graph = graphOf(g => extents.map((n, i) => g.node('Relu', [g.input(`x${i}`, 'float32', [n, 2])])))
    const given = new Map(lengths.map((n, i) => [`x${i}`, random([n, 2], i)]))
    return batchesOf(graph, given).map(batch => (batch.get('x0') as Tensor).shape[0]!)
  }
  expect(rows(['n'], [70])).toEqual([32, 32, 6])
  expect(rows([1], [3])).toEqual([1, 1, 1])
  expect(rows([2, 'n'], [6, 6])).toEqual([2, 2, 2])
  expect(rows([2], [5])).toEqual([5])
  expect(rows(['n', 'n'], [70, 3])).toEqual([70])
})
