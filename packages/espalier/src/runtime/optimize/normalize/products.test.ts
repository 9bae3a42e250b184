import { describe, expect, test } from 'vitest'
import type { Handle } from '../../../graph/builder.ts'
import { expectRewrite, float, type Sketch, sketch } from '../rules.suite.ts'
import { normalizeRules } from './index.ts'

describe('Gemm', () => {
  const gemm = (
    attributes: Record<string, ReturnType<typeof float> | number>,
    x = [4, 3],
    w = [3, 5],
  ): ReturnType<typeof sketch> =>
    sketch(g => g.node('Gemm', [g.input('x', 'float32', x), g.weights(w), g.weights([5])], attributes))
  test('is a product with bias', () => {
    expectRewrite(gemm({}), normalizeRules, 'espalier.MatMul')
    expectRewrite(
      gemm({ transB: 1, alpha: float(0.5), beta: float(2) }, [4, 3], [5, 3]),
      normalizeRules,
      'espalier.MatMul',
    )
    expectRewrite(gemm({ beta: float(0) }), normalizeRules, 'espalier.MatMul')
    expectRewrite(gemm({ transA: 1 }, [3, 4]), normalizeRules, 'Transpose espalier.MatMul')
  })
  test('not where the summand would have to be multiplied, nor in float64', () => {
    const fed = sketch(g => {
      const [x, c] = [g.input('x', 'float32', [4, 3]), g.input('c', 'float32', [4, 5])]
      return [
        g.node('Gemm', [x, g.weights([3, 5]), c], { beta: float(2) }),
        g.node('Gemm', [x, g.weights([3, 5]), c]),
      ]
    })
    expectRewrite(fed, normalizeRules, 'Gemm espalier.MatMul')
    const wide = sketch(g => {
      const [a, b] = [g.input('a', 'float64', [2, 2]), g.input('b', 'float64', [2, 2])]
      return g.node('Gemm', [a, b])
    })
    expectRewrite(wide, normalizeRules, 'Gemm')
  })
})

describe('bias', () => {
  const symbols = { n: 3 }
  const product = (g: Sketch): Handle =>
    g.node('MatMul', [g.input('x', 'float32', ['n', 4, 6]), g.weights([6, 5])])
  test('a vector, on either side, also with leading ones', () => {
    expectRewrite(
      sketch(g => g.node('Add', [product(g), g.weights([5])])),
      normalizeRules,
      'espalier.MatMul',
      { symbols },
    )
    const wide = sketch(g => g.node('Add', [g.weights([1, 1, 5]), product(g)]))
    expectRewrite(wide, normalizeRules, 'espalier.MatMul', { symbols })
    const fed = sketch(g => g.node('Add', [product(g), g.input('b', 'float32', [5])]))
    expectRewrite(fed, normalizeRules, 'espalier.MatMul', { symbols })
  })
  test('not other sums', () => {
    const rows = sketch(g => g.node('Add', [product(g), g.weights([4, 1])]))
    expectRewrite(rows, normalizeRules, 'MatMul Add', { symbols })
    const scalar = sketch(g => g.node('Add', [product(g), g.scalar(1)]))
    expectRewrite(scalar, normalizeRules, 'MatMul Add', { symbols })
    const shared = sketch(g => {
      const y = product(g)
      return [g.node('Add', [y, g.weights([5])]), y]
    })
    expectRewrite(shared, normalizeRules, 'MatMul Add', { symbols })
  })
})

test('rows flattened for a product and unflattened behind it', () => {
  const build = (g: Sketch, target: (g: Sketch, x: Handle) => Handle): Handle => {
    const x = g.input('x', 'float32', ['n', 's', 6])
    const flat = g.node('Reshape', [x, g.ints([-1, 6])])
    return g.node('Reshape', [g.node('Gemm', [flat, g.weights([6, 5]), g.weights([5])]), target(g, x)])
  }
  const symbols = { n: 2, s: 3 }
  const back = sketch(g =>
    build(g, (_, x) => {
      const extent = (i: number): Handle => g.node('Gather', [g.node('Shape', [x]), g.ints([i])])
      return g.node('Concat', [extent(0), extent(1), g.ints([5])], { axis: 0 })
    }),
  )
  const result = expectRewrite(back, normalizeRules, 'espalier.MatMul', { symbols })
  expect(result.nodes[0]!.inputs[0]).toBe('x')
  const other = sketch(g => build(g, () => g.ints([-1, 3, 5])))
  expectRewrite(other, normalizeRules, 'Reshape espalier.MatMul Reshape', { symbols })
})

test('quotients become products for powers of two alone', () => {
  const over = (value: number): ReturnType<typeof sketch> =>
    sketch(g => g.node('Div', [g.input('x', 'float32', [3]), g.scalar(value)]))
  expectRewrite(over(-0.25), normalizeRules, 'Mul', { tolerance: 0 })
  for (const value of [3, 0.1, 2 ** -127, Number.POSITIVE_INFINITY])
    expectRewrite(over(value), [...normalizeRules], 'Div', { feeds: {} })
})
