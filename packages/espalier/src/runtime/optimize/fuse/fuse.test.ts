import { describe, expect, test } from 'vitest'
import type { Handle } from '../../../graph/builder.ts'
import type { Graph } from '../../../graph/graph.ts'
import { expectRewrite, float, type Sketch, sketch } from '../rules.suite.ts'
import { fuseRules } from './index.ts'

const symbols = { n: 3 }
const of = (build: (g: Sketch, x: Handle) => Handle | Handle[]): Graph =>
  sketch(g => build(g, g.input('x', 'float32', ['n', 4, 6])))
const own = { domain: 'espalier' }
const product = (g: Sketch, x: Handle): Handle => g.node('MatMul', [x, g.weights([6, 6])])
const withBias = (g: Sketch, x: Handle): Handle =>
  g.node('MatMul', [x, g.weights([6, 6]), g.weights([6])], {}, own)

describe('behind a product', () => {
  test.each<[string, (g: Sketch, x: Handle) => Handle]>([
    ['an activation', (g, x) => g.node('Relu', [product(g, x)])],
    ['a clip', (g, x) => g.node('Clip', [withBias(g, x), g.scalar(-1), g.scalar(1)])],
    [
      'one of the shared list',
      (g, x) => g.node('Activation', [withBias(g, x)], { activation: 'gelu_tanh' }, own),
    ],
    ['a residual', (g, x) => g.node('Add', [x, product(g, x)])],
    ['bias, residual and activation', (g, x) => g.node('LeakyRelu', [g.node('Add', [withBias(g, x), x])])],
    ['a number', (g, x) => g.node('Relu', [g.node('Div', [product(g, x), g.scalar(3)])])],
    ['a transpose before', (g, x) => g.node('MatMul', [x, g.node('Transpose', [x], { perm: [0, 2, 1] })])],
  ])('%s', (_, build) => {
    expectRewrite(of(build), fuseRules, 'espalier.MatMul', { symbols })
  })
  test.each<[string, (g: Sketch, x: Handle) => Handle | Handle[], string]>([
    ['a sum that broadcasts', (g, x) => g.node('Add', [product(g, x), g.weights([4, 1])]), 'MatMul Add'],
    ['two sums', (g, x) => g.node('Add', [g.node('Add', [product(g, x), x]), x]), 'espalier.MatMul Add'],
    [
      'a sum after an activation',
      (g, x) => g.node('Add', [g.node('Relu', [product(g, x)]), x]),
      'espalier.MatMul Add',
    ],
    ['two activations', (g, x) => g.node('Tanh', [g.node('Relu', [product(g, x)])]), 'espalier.MatMul Tanh'],
    ['a number behind a bias', (g, x) => g.node('Mul', [withBias(g, x), g.scalar(2)]), 'espalier.MatMul Mul'],
    [
      'a product that is an output',
      (g, x) => {
        const y = product(g, x)
        return [g.node('Relu', [y]), y]
      },
      'MatMul Relu',
    ],
    [
      'a clip with computed bounds',
      (g, x) => g.node('Clip', [product(g, x), g.input('low', 'float32', [])]),
      'MatMul Clip',
    ],
    [
      'another transpose',
      (g, x) =>
        g.node('MatMul', [
          g.weights([2, 2]),
          g.node('Transpose', [g.node('Slice', [x, g.ints([0]), g.ints([2]), g.ints([1])])], {
            perm: [2, 1, 0],
          }),
        ]),
      'Slice Transpose MatMul',
    ],
  ])('not %s', (_, build, remaining) => {
    expectRewrite(of(build), fuseRules, remaining, { symbols })
  })
  test('not in float64', () => {
    const graph = sketch(g => {
      const x = g.input('x', 'float64', [2, 2])
      return g.node('Relu', [g.node('MatMul', [x, x])])
    })
    expectRewrite(graph, fuseRules, 'MatMul Relu')
  })
})

test('behind a convolution with channels last', () => {
  const graph = of((g, x) => {
    const y = g.node('Conv', [x, g.weights([6, 6, 3]), g.weights([6])], { pads: [1, 1] }, own)
    return g.node('HardSwish', [g.node('Add', [y, x])])
  })
  const result = expectRewrite(graph, fuseRules, 'espalier.Conv', { symbols })
  expect(result.nodes[0]!.inputs.length).toBe(4)
})

describe('a sum in front of a norm', () => {
  const norm = (g: Sketch, x: Handle, attributes = {}): Handle =>
    g.node('LayerNormalization', [x, g.weights([6]), g.weights([6], 2)], {
      epsilon: float(1e-6),
      ...attributes,
    })
  test('joins it, and is given where it is wanted', () => {
    const alone = of((g, x) => norm(g, g.node('Add', [x, g.node('Relu', [x])])))
    expectRewrite(alone, fuseRules, 'Relu espalier.SkipLayerNormalization', { symbols })
    const shared = of((g, x) => {
      const sum = g.node('Add', [x, g.node('Relu', [x])])
      return [norm(g, sum), g.node('Neg', [sum])]
    })
    expectRewrite(shared, fuseRules, 'Relu espalier.SkipLayerNormalization Neg', { symbols })
    const rms = of((g, x) => {
      const sum = g.node('Add', [x, g.node('Relu', [x])])
      return g.node('SkipRMSNormalization', [sum, undefined, g.weights([6])], {}, own)
    })
    expectRewrite(rms, fuseRules, 'Relu espalier.SkipRMSNormalization', { symbols })
  })
  test('not where it broadcasts, or over more axes', () => {
    const wide = of((g, x) => norm(g, g.node('Add', [x, g.weights([6])])))
    expectRewrite(wide, fuseRules, 'Add LayerNormalization', { symbols })
    const axes = sketch(g => {
      const x = g.input('x', 'float32', [3, 6])
      return g.node('LayerNormalization', [g.node('Add', [x, g.node('Relu', [x])]), g.weights([3, 6])], {
        axis: 0,
      })
    })
    expectRewrite(axes, fuseRules, 'Relu Add LayerNormalization')
  })
})
