import { describe, expect, test } from 'vitest'
import type { Handle } from '../../../graph/builder.ts'
import type { Graph } from '../../../graph/graph.ts'
import { shareCommon } from '../common-subexpressions.ts'
import { expectRewrite, type Sketch, sketch } from '../rules.suite.ts'
import { normalizeRules } from './index.ts'

const symbols = { n: 4 }
const of = (build: (g: Sketch, x: Handle) => Handle | Handle[], opset = 17): Graph =>
  shareCommon(sketch(g => build(g, g.input('x', 'float32', ['n', 3, 8])), { opset }))

interface Spelling {
  readonly axes?: number
  readonly square?: 'pow' | 'mul'
  readonly divide?: 'div' | 'reciprocal' | 'one-over' | 'power'
  readonly apart?: boolean
  readonly power?: number
}

const mean = (g: Sketch, x: Handle, axes = -1): Handle =>
  g.node('ReduceMean', [x], { axes: [axes], keepdims: 1 })

function standardized(g: Sketch, x: Handle, spelling: Spelling): Handle {
  const center = (): Handle => g.node('Sub', [x, mean(g, x, spelling.axes)])
  const difference = center()
  return divided(g, difference, spelling.apart ? center() : difference, spelling)
}

function divided(g: Sketch, x: Handle, squared: Handle, spelling: Spelling): Handle {
  const { axes, square = 'pow', divide = 'div', power = 2 } = spelling
  const squares =
    square === 'pow' ? g.node('Pow', [squared, g.scalar(power)]) : g.node('Mul', [squared, squared])
  const radicand = g.node('Add', [mean(g, squares, axes), g.scalar(1e-5)])
  if (divide === 'power') return g.node('Mul', [x, g.node('Pow', [radicand, g.scalar(-0.5)])])
  const root = g.node('Sqrt', [radicand])
  if (divide === 'div') return g.node('Div', [x, root])
  const inverse = divide === 'reciprocal' ? g.node('Reciprocal', [root]) : g.node('Div', [g.scalar(1), root])
  return g.node('Mul', [inverse, x])
}

const affine = (g: Sketch, x: Handle, shape = [8]): Handle =>
  g.node('Add', [g.node('Mul', [x, g.weights(shape)]), g.weights(shape, 2)])

describe('layer norm', () => {
  test.each<[string, Spelling]>([
    ['as torch exports it', {}],
    ['with products and reciprocals', { square: 'mul', divide: 'reciprocal' }],
    ['with the difference computed twice', { apart: true, axes: 2, divide: 'one-over' }],
    ['with a power', { divide: 'power' }],
  ])('%s', (_, spelling) => {
    const graph = of((g, x) => affine(g, standardized(g, x, spelling)))
    const result = expectRewrite(graph, normalizeRules, 'espalier.SkipLayerNormalization', { symbols })
    expect(result.nodes[0]!.inputs.length).toBe(4)
    expect(result.initializers.size).toBe(2)
  })
  test('scale and shift may be wider than a vector, or missing', () => {
    const wide = of((g, x) => affine(g, standardized(g, x, {}), [1, 1, 8]))
    expectRewrite(wide, normalizeRules, 'espalier.SkipLayerNormalization', { symbols })
    expectRewrite(
      of((g, x) => standardized(g, x, {})),
      normalizeRules,
      'espalier.SkipLayerNormalization',
      { symbols },
    )
  })
  test('casts to the same type do not hide it', () => {
    const graph = of((g, x) =>
      affine(g, g.node('Cast', [standardized(g, g.node('Cast', [x], { to: 1 }), {})], { to: 1 })),
    )
    expectRewrite(graph, normalizeRules, 'espalier.SkipLayerNormalization', { symbols })
  })
  test('multiplied out, as TensorFlow does', () => {
    const graph = of((g, x) => {
      const center = mean(g, x)
      const difference = g.node('Sub', [x, center])
      const variance = mean(g, g.node('Mul', [difference, difference]))
      const inverse = g.node('Reciprocal', [g.node('Sqrt', [g.node('Add', [variance, g.scalar(1e-3)])])])
      const factor = g.node('Mul', [inverse, g.weights([8])])
      const shift = g.node('Sub', [g.weights([8], 2), g.node('Mul', [center, factor])])
      return g.node('Add', [g.node('Mul', [x, factor]), shift])
    })
    expectRewrite(graph, normalizeRules, 'espalier.SkipLayerNormalization', { symbols })
  })
  test.each<[string, (g: Sketch, x: Handle) => Handle | Handle[], string]>([
    ['another axis', (g, x) => standardized(g, x, { axes: 1 }), 'ReduceMean Sub Pow ReduceMean Add Sqrt Div'],
    [
      'another power',
      (g, x) => standardized(g, x, { power: 4 }),
      'ReduceMean Sub Pow ReduceMean Add Sqrt Div',
    ],
    [
      'a difference that is an output',
      (g, x) => {
        const difference = g.node('Sub', [x, mean(g, x)])
        return [divided(g, difference, difference, {}), difference]
      },
      'ReduceMean Sub espalier.SkipRMSNormalization',
    ],
  ])('not with %s', (_, build, remaining) => {
    expectRewrite(of(build), normalizeRules, remaining, { symbols })
  })
  test('a scale for each row is no scale of the norm', () => {
    const graph = of((g, x) => g.node('Mul', [standardized(g, x, {}), g.weights([3, 1])]))
    expectRewrite(graph, normalizeRules, 'espalier.SkipLayerNormalization Mul', { symbols })
  })
})

describe('RMS norm', () => {
  test.each<[string, Spelling]>([
    ['with a quotient', {}],
    ['with an inverse root', { divide: 'reciprocal' }],
    ['with a power', { divide: 'power', square: 'mul' }],
  ])('%s', (_, spelling) => {
    const graph = of((g, x) => g.node('Mul', [g.weights([8]), divided(g, x, x, spelling)]))
    expectRewrite(graph, normalizeRules, 'espalier.SkipRMSNormalization', { symbols })
  })
  test('a shift stays apart', () => {
    const graph = of((g, x) => affine(g, divided(g, x, x, {})))
    expectRewrite(graph, normalizeRules, 'espalier.SkipRMSNormalization Add', { symbols })
  })
  test('not of another value', () => {
    const graph = of((g, x) => divided(g, x, g.node('Abs', [x]), {}))
    expectRewrite(graph, normalizeRules, 'Abs Pow ReduceMean Add Sqrt Div', { symbols })
  })
  test('axes as an input', () => {
    const graph = of((g, x) => {
      const squares = g.node('ReduceMean', [g.node('Mul', [x, x]), g.ints([-1])])
      return g.node('Div', [x, g.node('Sqrt', [g.node('Add', [squares, g.scalar(1e-6)])])])
    }, 18)
    const result = expectRewrite(graph, normalizeRules, 'espalier.SkipRMSNormalization', { symbols })
    const epsilon = result.nodes[0]!.attributes.get('epsilon')
    expect(epsilon?.type === 'float' && Math.abs(epsilon.value - 1e-6) < 1e-12).toBe(true)
  })
})
