import { describe, expect, test } from 'vitest'
import type { Handle } from '../../../graph/builder.ts'
import type { Graph } from '../../../graph/graph.ts'
import { expectRewrite, float, type Sketch, sketch } from '../rules.suite.ts'
import { normalizeRules } from './index.ts'

const of = (build: (g: Sketch, x: Handle) => Handle | Handle[], opset = 17): Graph =>
  sketch(g => build(g, g.input('x', 'float32', ['n', 5])), { opset })

function expectActivation(graph: Graph, activation: string, alpha = 0, beta = 0): void {
  const result = expectRewrite(graph, normalizeRules, 'espalier.Activation', { symbols: { n: 40 } })
  const attributes = result.nodes[0]!.attributes
  expect(attributes.get('activation')).toEqual({ type: 'string', value: activation })
  expect((attributes.get('alpha') as { value: number }).value).toBeCloseTo(alpha, 5)
  expect((attributes.get('beta') as { value: number }).value).toBeCloseTo(beta, 5)
}

const erf = (g: Sketch, x: Handle): Handle =>
  g.node('Add', [g.node('Erf', [g.node('Div', [x, g.scalar(Math.SQRT2)])]), g.scalar(1)])
const erfByMul = (g: Sketch, x: Handle): Handle =>
  g.node('Add', [g.scalar(1), g.node('Erf', [g.node('Mul', [g.scalar(Math.SQRT1_2), x])])])
const cube = (g: Sketch, x: Handle): Handle => g.node('Pow', [x, g.scalar(3)])
const cubeByMul = (g: Sketch, x: Handle): Handle => g.node('Mul', [x, g.node('Mul', [x, x])])
const tanh = (g: Sketch, inner: Handle): Handle =>
  g.node('Add', [g.node('Tanh', [g.node('Mul', [inner, g.scalar(0.7978845608028654)])]), g.scalar(1)])
const cubic = (g: Sketch, x: Handle, power: Handle): Handle =>
  g.node('Add', [x, g.node('Mul', [power, g.scalar(0.044715)])])

describe('GELU', () => {
  test.each<[string, (g: Sketch, x: Handle) => Handle]>([
    ['(x (1 + erf)) / 2', (g, x) => g.node('Mul', [g.node('Mul', [x, erf(g, x)]), g.scalar(0.5)])],
    ['(x / 2) (1 + erf)', (g, x) => g.node('Mul', [g.node('Mul', [x, g.scalar(0.5)]), erf(g, x)])],
    ['x (0.5 (1 + erf))', (g, x) => g.node('Mul', [x, g.node('Mul', [g.scalar(0.5), erfByMul(g, x)])])],
    ['(1 + erf) x over 2', (g, x) => g.node('Div', [g.node('Mul', [erfByMul(g, x), x]), g.scalar(2)])],
  ])('%s', (_, build) => expectActivation(of(build), 'gelu'))
  test.each<[string, (g: Sketch, x: Handle) => Handle]>([
    [
      'half last, Pow',
      (g, x) => g.node('Mul', [g.node('Mul', [x, tanh(g, cubic(g, x, cube(g, x)))]), g.scalar(0.5)]),
    ],
    [
      'half first, products',
      (g, x) => g.node('Mul', [g.node('Mul', [g.scalar(0.5), x]), tanh(g, cubic(g, x, cubeByMul(g, x)))]),
    ],
    [
      'x factored out',
      (g, x) => {
        const square = g.node('Mul', [g.node('Mul', [x, x]), g.scalar(0.044715)])
        const sum = g.node('Add', [square, g.scalar(1)])
        return g.node('Mul', [g.node('Mul', [x, g.scalar(0.5)]), tanh(g, g.node('Mul', [x, sum]))])
      },
    ],
  ])('with tanh: %s', (_, build) => expectActivation(of(build), 'gelu_tanh'))

  test.each<[string, (g: Sketch, x: Handle) => Handle | Handle[]]>([
    ['another factor', (g, x) => g.node('Mul', [g.node('Mul', [x, erf(g, x)]), g.scalar(0.4)])],
    [
      'another offset',
      (g, x) =>
        g.node('Mul', [g.node('Mul', [x, g.node('Add', [g.node('Erf', [x]), g.scalar(1)])]), g.scalar(0.5)]),
    ],
    [
      'another value inside',
      (g, x) => g.node('Mul', [g.node('Mul', [x, erf(g, g.node('Abs', [x]))]), g.scalar(0.5)]),
    ],
    [
      'an inner value that is an output',
      (g, x) => {
        const inner = erf(g, x)
        return [g.node('Mul', [g.node('Mul', [x, inner]), g.scalar(0.5)]), inner]
      },
    ],
    [
      'a constant that adds axes',
      (g, x) => g.node('Mul', [g.node('Mul', [x, erf(g, x)]), g.weights([1, 1, 1])]),
    ],
  ])('not with %s', (_, build) => {
    const graph = of(build)
    expectRewrite(graph, normalizeRules, graph.nodes.map(node => node.op).join(' '), { symbols: { n: 3 } })
  })
  test('not in float64', () => {
    const graph = sketch(g => {
      const x = g.input('x', 'float64', [3])
      return g.node('Mul', [x, g.node('Sigmoid', [x])])
    })
    expectRewrite(graph, normalizeRules, 'Sigmoid Mul')
  })
})

describe('others', () => {
  const sixth = 1 / 6
  const plusThree = (g: Sketch, x: Handle): Handle => g.node('Add', [x, g.scalar(3)])
  const clipped = (g: Sketch, x: Handle): Handle =>
    g.node('Clip', [plusThree(g, x), g.scalar(0), g.scalar(6)])
  test('SiLU, and the quick GELU', () => {
    expectActivation(
      of((g, x) => g.node('Mul', [x, g.node('Sigmoid', [x])])),
      'silu',
      1,
    )
    expectActivation(
      of((g, x) => g.node('Mul', [g.node('Sigmoid', [g.node('Mul', [x, g.scalar(1.702)])]), x])),
      'silu',
      1.702,
    )
    const gated = of((g, x) => g.node('Mul', [x, g.node('Sigmoid', [g.node('Neg', [x])])]))
    expectRewrite(gated, normalizeRules, 'Neg Sigmoid Mul', { symbols: { n: 2 } })
  })
  test('hard swish', () => {
    const sixths = float(sixth)
    expectActivation(
      of((g, x) => g.node('Mul', [x, g.node('HardSigmoid', [x], { alpha: sixths, beta: float(0.5) })])),
      'hard_swish',
    )
    expectActivation(
      of((g, x) => g.node('Mul', [x, g.node('Div', [clipped(g, x), g.scalar(6)])])),
      'hard_swish',
    )
    expectActivation(
      of((g, x) => g.node('Div', [g.node('Mul', [x, clipped(g, x)]), g.scalar(6)])),
      'hard_swish',
    )
    const other = of((g, x) => g.node('Mul', [x, g.node('HardSigmoid', [x])]))
    expectRewrite(other, normalizeRules, 'HardSigmoid Mul', { symbols: { n: 2 } })
  })
  test('hard sigmoid', () => {
    expectActivation(
      of((g, x) => g.node('Div', [clipped(g, x), g.scalar(6)])),
      'hard_sigmoid',
      sixth,
      0.5,
    )
    const other = of((g, x) => g.node('Div', [clipped(g, x), g.scalar(5)]))
    expectRewrite(other, normalizeRules, 'Add Clip Div', { symbols: { n: 2 } })
  })
  test('ReLU6', () => {
    expectActivation(
      of((g, x) => g.node('Min', [g.node('Relu', [x]), g.scalar(6)])),
      'clip',
      0,
      6,
    )
    expectActivation(
      of((g, x) => g.node('Clip', [g.node('Relu', [x]), undefined, g.scalar(6)])),
      'clip',
      0,
      6,
    )
    const negative = of((g, x) => g.node('Min', [g.node('Relu', [x]), g.scalar(-1)]))
    expectRewrite(negative, normalizeRules, 'Relu Min', { symbols: { n: 2 } })
  })
  test('softplus and Mish', () => {
    const softplus = (g: Sketch, x: Handle): Handle =>
      g.node('Log', [g.node('Add', [g.node('Exp', [x]), g.scalar(1)])])
    const symbols = { n: 20 }
    expectRewrite(of(softplus), normalizeRules, 'Softplus', { symbols })
    const mish = (g: Sketch, x: Handle): Handle => g.node('Mul', [x, g.node('Tanh', [softplus(g, x)])])
    expectRewrite(of(mish, 18), normalizeRules, 'Mish', { symbols })
    expectRewrite(of(mish, 17), normalizeRules, 'Softplus Tanh Mul', { symbols })
    const other = of((g, x) => g.node('Log', [g.node('Add', [g.node('Exp', [x]), g.scalar(2)])]))
    expectRewrite(other, normalizeRules, 'Exp Add Log', { symbols })
  })
})
