/** Quantised spellings become operators on integers, which compute what the graph of the file does. */
import { describe, expect, test } from 'vitest'
import { floatAttribute, type Handle } from '../../../graph/builder.ts'
import type { Graph } from '../../../graph/graph.ts'
import type { DType } from '../../../tensor/dtype.ts'
import { fromNumbers, full, numbers } from '../../../tensor/elements.ts'
import { isTensor, type Tensor } from '../../../tensor/tensor.ts'
import type { Executor } from '../../executor.ts'
import { executors } from '../../executors.ts'
import { requiredInputs } from '../../feeds.ts'
import { randomFeeds } from '../../random-feeds.ts'
import { reference } from '../../reference.ts'
import { optimize } from '../index.ts'
import { operatorsIn, type Sketch, sketch } from '../rules.suite.ts'

/** Shorthands for what quantised files are made of. */
function quantizing(g: Sketch) {
  const scalar = (dtype: DType, value: number): Handle => g.constant(full(dtype, [], value) as Tensor)
  const parameters = (scale: number, zero: number, dtype: DType): [Handle, Handle] => [
    scalar('float32', scale),
    scalar(dtype, zero),
  ]
  const integers = (dtype: DType, shape: readonly number[], spread: number, shift = 0): Handle => {
    const count = shape.reduce((a, b) => a * b, 1)
    const values = Array.from({ length: count }, (_, i) => (((i * 7919 + 13) % 2003) % spread) - shift)
    return g.constant(fromNumbers(dtype, shape, values) as Tensor)
  }
  return {
    scalar,
    integers,
    quantize: (x: Handle, scale: number, zero: number, dtype: DType = 'uint8'): Handle =>
      g.node('QuantizeLinear', [x, ...parameters(scale, zero, dtype)]),
    dequantize: (x: Handle, scale: number, zero: number, dtype: DType = 'uint8'): Handle =>
      g.node('DequantizeLinear', [x, ...parameters(scale, zero, dtype)]),
    /** Weights of one scale for each place on `axis`. */
    weight: (shape: readonly number[], axis: number): Handle => {
      const scales = Array.from({ length: shape[axis]! }, (_, i) => 0.01 + 0.001 * i)
      return g.node(
        'DequantizeLinear',
        [
          integers('int8', shape, 255, 127),
          g.constant(fromNumbers('float32', [scales.length], scales) as Tensor),
          g.constant(
            fromNumbers(
              'int8',
              [scales.length],
              scales.map(() => 0),
            ) as Tensor,
          ),
        ],
        { axis },
      )
    },
  }
}

/** Largest difference between what a graph gives as it is on the reference, and optimised on `executor`. */
function difference(graph: Graph, executor: Executor): number {
  const feeds = randomFeeds(requiredInputs(graph))
  using before = reference.prepare(graph)
  using after = executor.prepare(optimize(graph))
  const [wanted, got] = [before.run(feeds), after.run(feeds)]
  let most = 0
  for (const [name, value] of wanted) {
    const other = got.get(name)
    if (!isTensor(value) || !isTensor(other!)) throw new Error('not tensors')
    expect([other.dtype, other.shape]).toEqual([value.dtype, value.shape])
    const found = numbers(other)
    for (const [i, x] of numbers(value).entries()) most = Math.max(most, Math.abs(x - found[i]!))
  }
  return most
}

interface Case {
  readonly name: string
  readonly graph: Graph
  readonly operators: string
  /** A step of the result, where it is dequantised: what ties may be off by. */
  readonly step: number
}

const matMulOf = (transB: boolean, bias: 'int32' | 'float32'): Graph =>
  sketch(g => {
    const q = quantizing(g)
    const x = q.dequantize(q.quantize(g.input('x', 'float32', [5, 19]), 0.02, 120), 0.02, 120)
    const w = q.weight(transB ? [33, 19] : [19, 33], transB ? 0 : 1)
    const scales = Array.from({ length: 33 }, (_, i) => Math.fround(0.02 * (0.01 + 0.001 * i)))
    const b =
      bias === 'float32'
        ? g.weights([33])
        : g.node(
            'DequantizeLinear',
            [
              q.integers('int32', [33], 2000, 1000),
              g.constant(fromNumbers('float32', [33], scales) as Tensor),
            ],
            { axis: 0 },
          )
    const y = g.node('Relu', [g.node('Gemm', [x, w, b], { transB: transB ? 1 : 0 })])
    return q.dequantize(q.quantize(y, 0.03, 3), 0.03, 3)
  })

const cases: readonly Case[] = [
  {
    name: 'a product with an int32 bias and Relu',
    graph: matMulOf(false, 'int32'),
    operators: 'QuantizeLinear espalier.QuantizedMatMul DequantizeLinear',
    step: 0.03,
  },
  {
    name: 'a transposed weight and a float32 bias',
    graph: matMulOf(true, 'float32'),
    operators: 'QuantizeLinear espalier.QuantizedMatMul DequantizeLinear',
    step: 0.03,
  },
  {
    name: 'convolutions, a residual sum, a pool and a function in between',
    graph: sketch(g => {
      const q = quantizing(g)
      const again = (x: Handle, scale: number, zero: number): Handle =>
        q.dequantize(q.quantize(x, scale, zero), scale, zero)
      const x = again(g.input('x', 'float32', [2, 3, 9, 8]), 0.02, 128)
      const first = g.node('Conv', [x, q.weight([16, 3, 3, 3], 0), g.weights([16])], {
        pads: [1, 1, 1, 1],
        strides: [2, 2],
      })
      const a = again(g.node('Relu', [first]), 0.05, 0)
      const depthwise = again(
        g.node('Conv', [a, q.weight([16, 1, 3, 3], 0)], { group: 16, pads: [1, 1, 1, 1] }),
        0.2,
        100,
      )
      const swished = again(g.node('HardSwish', [depthwise]), 0.2, 5)
      const sum = again(g.node('Relu', [g.node('Add', [a, swished])]), 0.2, 2)
      const pooled = again(g.node('MaxPool', [sum], { kernel_shape: [2, 2], strides: [1, 1] }), 0.2, 2)
      return again(g.node('Conv', [pooled, q.weight([6, 8, 1, 1], 0)], { group: 2 }), 0.4, 128)
    }),
    operators: '',
    step: 0.8,
  },
  {
    name: 'bytes that only move',
    graph: sketch(g => {
      const q = quantizing(g)
      const x = q.dequantize(q.quantize(g.input('x', 'float32', [4, 6]), 0.02, 7), 0.02, 7)
      const moved = q.dequantize(q.quantize(g.node('Transpose', [x], { perm: [1, 0] }), 0.02, 7), 0.02, 7)
      const joined = q.quantize(g.node('Concat', [moved, moved], { axis: 1 }), 0.02, 7)
      return q.dequantize(q.quantize(q.dequantize(joined, 0.02, 7), 0.05, 9), 0.05, 9)
    }),
    operators: 'QuantizeLinear Transpose Concat espalier.Lookup DequantizeLinear',
    step: 0,
  },
  {
    name: 'dynamic quantisation with bias, residual and activation',
    graph: sketch(g => {
      const q = quantizing(g)
      const x = g.input('x', 'float32', [2, 7, 12])
      const [bytes, scale, zero] = g.nodes('DynamicQuantizeLinear', [x], {}, { outputs: ['xq', 'xs', 'xz'] })
      const w = q.integers('uint8', [12, 20], 256)
      const sums = g.node('MatMulInteger', [bytes!, w, zero!, q.scalar('uint8', 117)])
      const scales = g.node('Mul', [scale!, g.scalar(0.02)])
      const product = g.node('Mul', [g.node('Cast', [sums], { to: 1 }), scales])
      const biased = g.node('Add', [g.weights([20]), product])
      const act = g.node('LeakyRelu', [g.node('Add', [biased, g.input('r', 'float32', [2, 7, 20])])], {
        alpha: floatAttribute(0.1),
      })
      return act
    }),
    operators: 'espalier.DynamicQuantizedMatMul',
    step: 1e-4,
  },
]

describe('quantised spellings', () => {
  test.each(cases)('$name', ({ graph, operators, step }) => {
    const optimized = optimize(graph)
    if (operators !== '') expect(operatorsIn(optimized)).toBe(operators)
    else
      expect(operatorsIn(optimized)).not.toMatch(
        /(^| )(Conv|Add|Relu|HardSwish|DequantizeLinear \S+ QuantizeLinear)( |$)/,
      )
    expect(difference(graph, reference)).toBeLessThanOrEqual(step * 1.001)
  })
})

for (const executor of executors) {
  if (executor === reference) continue
  describe.skipIf(!executor.available().ok)(`quantised operators on ${executor.name}`, () => {
    test.each(cases)('$name', ({ graph, step }) => {
      expect(difference(graph, executor)).toBeLessThanOrEqual(step * 1.001)
    })
  })
}
