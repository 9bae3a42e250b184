import { describe, expect, test } from 'vitest'
import type { Handle } from '../../../graph/builder.ts'
import type { Graph } from '../../../graph/graph.ts'
import { full } from '../../../tensor/elements.ts'
import { expectRewrite, type Sketch, sketch } from '../rules.suite.ts'
import { normalizeRules } from './index.ts'

const symbols = { n: 2 }
const of = (build: (g: Sketch, x: Handle) => Handle | Handle[], opset = 17): Graph =>
  sketch(g => build(g, g.input('x', 'float32', ['n', 4, 6, 6])), { opset })
const same = { pads: [1, 1, 1, 1] }
const conv = (g: Sketch, x: Handle, bias = false): Handle =>
  g.node('Conv', [x, g.weights([6, 4, 3, 3]), ...(bias ? [g.weights([6])] : [])], same)
const norm = (g: Sketch, x: Handle, channels = 6): Handle =>
  g.node('BatchNormalization', [
    x,
    ...[
      g.weights([channels], 3),
      g.weights([channels], 4),
      g.weights([channels], 5),
      g.variances([channels]),
    ],
  ])

describe('batch norm behind a convolution', () => {
  test.each([false, true])('with bias: %s', bias => {
    expectRewrite(
      of((g, x) => norm(g, conv(g, x, bias))),
      normalizeRules,
      'Conv',
      { symbols },
    )
  })
  test('in groups, and transposed in groups', () => {
    const grouped = of((g, x) => norm(g, g.node('Conv', [x, g.weights([6, 2, 1, 1])], { group: 2 })))
    expectRewrite(grouped, normalizeRules, 'Conv', { symbols })
    const transposed = of((g, x) =>
      norm(g, g.node('ConvTranspose', [x, g.weights([4, 3, 2, 2])], { group: 2 })),
    )
    expectRewrite(transposed, normalizeRules, 'ConvTranspose', { symbols })
  })
  test('not where the weight is computed, is read elsewhere before the norm, or the norm trains', () => {
    const fed = sketch(g => {
      const [x, w] = [g.input('x', 'float32', [1, 4, 6, 6]), g.input('w', 'float32', [6, 4, 1, 1])]
      return norm(g, g.node('Conv', [x, w]))
    })
    expectRewrite(fed, normalizeRules, 'Conv BatchNormalization')
    const shared = of((g, x) => {
      const y = conv(g, x)
      return [norm(g, y), g.node('Relu', [y])]
    })
    expectRewrite(shared, normalizeRules, 'Conv BatchNormalization Relu', { symbols })
    const training = of((g, x) => {
      const vectors = [g.weights([6]), g.weights([6]), g.weights([6]), g.variances([6])]
      return g.node('BatchNormalization', [conv(g, x), ...vectors], { training_mode: 1 })
    })
    expectRewrite(training, normalizeRules, 'Conv BatchNormalization', { symbols })
  })
})

describe('numbers for each channel', () => {
  test.each<[string, (g: Sketch, y: Handle) => Handle]>([
    ['added', (g, y) => g.node('Add', [g.weights([6, 1, 1]), y])],
    ['subtracted', (g, y) => g.node('Sub', [y, g.weights([1, 6, 1, 1])])],
    ['multiplied', (g, y) => g.node('Mul', [y, g.weights([6, 1, 1])])],
    ['divided by', (g, y) => g.node('Div', [y, g.variances([6, 1, 1])])],
    ['one for all', (g, y) => g.node('Mul', [g.scalar(0.3), g.node('Add', [y, g.scalar(2)])])],
  ])('%s', (_, build) => {
    expectRewrite(
      of((g, x) => build(g, conv(g, x, true))),
      normalizeRules,
      'Conv',
      { symbols },
    )
  })
  test('not along other axes, and not from a number', () => {
    const wide = of((g, x) => g.node('Mul', [conv(g, x), g.weights([6])]))
    expectRewrite(wide, normalizeRules, 'Conv Mul', { symbols })
    const reverse = of((g, x) => g.node('Sub', [g.weights([6, 1, 1]), conv(g, x)]))
    expectRewrite(reverse, normalizeRules, 'Conv Sub', { symbols })
  })
})

describe('batch norm in front of a convolution', () => {
  const unpadded = (g: Sketch, x: Handle): Handle =>
    g.node('Conv', [x, g.weights([6, 2, 3, 3])], { group: 2 })
  test('without padding', () => {
    expectRewrite(
      of((g, x) => unpadded(g, norm(g, x, 4))),
      normalizeRules,
      'Conv',
      { symbols },
    )
  })
  test('with padding only where nothing is shifted', () => {
    expectRewrite(
      of((g, x) => conv(g, norm(g, x, 4))),
      normalizeRules,
      'BatchNormalization Conv',
      { symbols },
    )
    const centred = of((g, x) => {
      const zeros = g.constant(full('float32', [4], 0))
      return conv(g, g.node('BatchNormalization', [x, g.weights([4]), zeros, zeros, g.variances([4])]))
    })
    expectRewrite(centred, normalizeRules, 'Conv', { symbols })
  })
})

describe('padding in front of a window', () => {
  const pad = (g: Sketch, x: Handle, value?: number, pads = [0, 0, 1, 2, 0, 0, 0, 1]): Handle =>
    g.node('Pad', [x, g.ints(pads), ...(value === undefined ? [] : [g.scalar(value)])])
  test('of a convolution', () => {
    expectRewrite(
      of((g, x) => conv(g, pad(g, x))),
      normalizeRules,
      'Conv',
      { symbols },
    )
    expectRewrite(
      of((g, x) => conv(g, pad(g, x, 1))),
      normalizeRules,
      'Pad Conv',
      { symbols },
    )
    const channels = of((g, x) =>
      g.node('Conv', [pad(g, x, 0, [0, 1, 0, 0, 0, 0, 0, 0]), g.weights([6, 5, 1, 1])]),
    )
    expectRewrite(channels, normalizeRules, 'Pad Conv', { symbols })
    const axes = of((g, x) => conv(g, g.node('Pad', [x, g.ints([1, 1]), undefined, g.ints([-1])])), 18)
    expectRewrite(axes, normalizeRules, 'Conv', { symbols })
  })
  test('of an average counts', () => {
    const average = (g: Sketch, x: Handle, attributes = {}): Handle =>
      g.node('AveragePool', [x], { kernel_shape: [3, 3], strides: [2, 2], ...attributes })
    const result = expectRewrite(
      of((g, x) => average(g, pad(g, x))),
      normalizeRules,
      'AveragePool',
      { symbols },
    )
    expect(result.nodes[0]!.attributes.get('count_include_pad')).toEqual({ type: 'int', value: 1 })
    const counting = of((g, x) => average(g, pad(g, x), { ...same, count_include_pad: 1 }))
    expectRewrite(counting, normalizeRules, 'AveragePool', { symbols })
    expectRewrite(
      of((g, x) => average(g, pad(g, x), same)),
      normalizeRules,
      'Pad AveragePool',
      { symbols },
    )
    const ceil = of((g, x) => average(g, pad(g, x), { ceil_mode: 1 }))
    expectRewrite(ceil, normalizeRules, 'Pad AveragePool', { symbols })
  })
  test('of a maximum is minus infinity', () => {
    const largest = (g: Sketch, x: Handle): Handle => g.node('MaxPool', [x], { kernel_shape: [3, 3] })
    expectRewrite(
      of((g, x) => largest(g, pad(g, x))),
      normalizeRules,
      'Pad MaxPool',
      { symbols },
    )
    expectRewrite(
      of((g, x) => largest(g, pad(g, x, Number.NEGATIVE_INFINITY))),
      normalizeRules,
      'MaxPool',
      { symbols },
    )
  })
})
