import { describe, expect, test } from 'vitest'
import { annotate } from '../../../analysis/infer.ts'
import type { Handle } from '../../../graph/builder.ts'
import { tensor } from '../../../tensor/tensor.ts'
import { applyRules } from '../apply.ts'
import { shareCommon } from '../common-subexpressions.ts'
import { expectRewrite, expectSameResults, operatorsIn, type Sketch, sketch } from '../rules.suite.ts'
import { normalizeRules } from './index.ts'
import { reshapeTarget } from './reshape-target.ts'

const symbols = { n: 3 }
const of = (build: (g: Sketch, x: Handle) => Handle | Handle[], opset = 17): ReturnType<typeof sketch> =>
  sketch(g => build(g, g.node('Relu', [g.input('x', 'float32', ['n', 4, 6])])), { opset })

describe('nodes that do nothing', () => {
  test.each<[string, (g: Sketch, x: Handle) => Handle]>([
    ['Identity', (g, x) => g.node('Identity', [x])],
    ['Dropout', (g, x) => g.node('Dropout', [x])],
    ['Cast', (g, x) => g.node('Cast', [x], { to: 1 })],
    ['Transpose', (g, x) => g.node('Transpose', [x], { perm: [0, 1, 2] })],
    ['Reshape', (g, x) => g.node('Reshape', [x, g.ints([0, 4, -1])])],
    ['Expand', (g, x) => g.node('Expand', [x, g.ints([4, 1])])],
    ['Pad', (g, x) => g.node('Pad', [x, g.ints([0, 0, 0, 0, 0, 0])])],
    ['Concat of one', (g, x) => g.node('Concat', [x], { axis: 1 })],
    ['times one', (g, x) => g.node('Mul', [g.scalar(1), x])],
    ['plus zero', (g, x) => g.node('Add', [x, g.constant(tensor('float32', [6], new Float32Array(6)))])],
  ])('%s', (_, build) => {
    expectRewrite(
      of((g, x) => g.node('Neg', [build(g, x)])),
      normalizeRules,
      'Relu Neg',
      { symbols },
    )
    // An output keeps its name.
    const result = expectRewrite(of(build), normalizeRules, 'Relu', { symbols })
    expect(result.nodes[0]!.outputs).toEqual([result.outputs[0]!.name])
  })
  test('stay where they name an output that is made elsewhere too', () => {
    expectRewrite(
      of((g, x) => [x, g.node('Identity', [x])]),
      normalizeRules,
      'Relu Identity',
      { symbols },
    )
    const passed = sketch(g => g.node('Dropout', [g.input('x', 'float32', [2])]))
    expectRewrite(passed, normalizeRules, 'Identity')
  })
  test('stay where they do something', () => {
    expectRewrite(
      of((g, x) => g.node('Mul', [x, g.scalar(2)])),
      normalizeRules,
      'Relu Mul',
      { symbols },
    )
    expectRewrite(
      of((g, x) => g.node('Mul', [x, g.weights([1, 1, 1, 1])])),
      normalizeRules,
      'Relu Mul',
      { symbols },
    )
    const training = of((g, x) => {
      const yes = g.constant(tensor('bool', [], Uint8Array.of(1)))
      return g.node('Dropout', [x, g.scalar(0.5), yes])
    })
    expect(operatorsIn(applyRules(annotate(training), normalizeRules))).toBe('Relu Dropout')
  })
})

test('what a body takes from outside keeps its name', () => {
  // Both branches use the name of the value behind the Identity for one of their own.
  const graph = sketch(g => {
    const [x, condition] = [g.input('x', 'float32', [2]), g.input('c', 'bool', [])]
    const value = g.node('Neg', [x], {}, { outputs: ['taken'] })
    const [same, twin] = [g.node('Identity', [value]), g.node('Neg', [x])]
    const branch = (outer: Handle): ReturnType<typeof sketch> =>
      sketch(b => b.node('Abs', [b.node('Relu', [outer], {}, { outputs: ['taken'] })]))
    const chosen = g.node('If', [condition], { then_branch: branch(same), else_branch: branch(twin) })
    return g.node('Add', [chosen, value])
  })
  for (const yes of [0, 1]) {
    const feeds = { c: tensor('bool', [], Uint8Array.of(yes)) }
    expectRewrite(shareCommon(graph), normalizeRules, 'Neg Identity Neg If Add', { feeds })
  }
})

test('moves in a row', () => {
  const turned = (g: Sketch, x: Handle, ...perms: number[][]): Handle =>
    perms.reduce((y, perm) => g.node('Transpose', [y], { perm }), x)
  expectRewrite(
    of((g, x) => turned(g, x, [1, 2, 0], [1, 2, 0])),
    normalizeRules,
    'Relu Transpose',
    { symbols },
  )
  expectRewrite(
    of((g, x) => turned(g, x, [1, 2, 0], [2, 0, 1])),
    normalizeRules,
    'Relu',
    { symbols },
  )
  const reshaped = of((g, x) =>
    g.node('Reshape', [g.node('Unsqueeze', [x, g.ints([1])]), g.ints([-1, 3, 8])]),
  )
  expectRewrite(reshaped, normalizeRules, 'Relu Reshape', { symbols })
  const back = of((g, x) => g.node('Squeeze', [g.node('Unsqueeze', [x, g.ints([1])]), g.ints([1])]))
  expectRewrite(back, normalizeRules, 'Relu', { symbols })
  const kept = of((g, x) => g.node('Reshape', [g.node('Reshape', [x, g.ints([-1, 8])]), g.ints([0, 2, 4])]))
  expectRewrite(kept, normalizeRules, 'Relu Reshape Reshape', { symbols })
})

test('casts there and back', () => {
  const through = (from: 'int32' | 'float32', to: number, back: number): ReturnType<typeof sketch> =>
    sketch(g =>
      g.node('Neg', [g.node('Cast', [g.node('Cast', [g.input('x', from, [4])], { to })], { to: back })]),
    )
  expectRewrite(through('int32', 7, 6), normalizeRules, 'Neg')
  expectRewrite(through('float32', 11, 1), normalizeRules, 'Neg')
  expectRewrite(through('float32', 10, 1), normalizeRules, 'Cast Cast Neg', { tolerance: 0 })
})

test('a position taken behind a transpose is taken before it', () => {
  const graph = of((g, x) => {
    const turned = g.node('Transpose', [x], { perm: [1, 2, 0] })
    return [0, 2].map(i =>
      g.node('Gather', [turned, g.constant(tensor('int64', [], BigInt64Array.of(BigInt(i))))]),
    )
  })
  expectRewrite(graph, normalizeRules, 'Relu Gather Transpose Gather Transpose', { symbols })
})

describe('targets of reshapes', () => {
  const reshaped = (rest: number[], axes = [0]): ReturnType<typeof sketch> =>
    of((g, x) => {
      const parts = axes.map(axis => g.node('Gather', [g.node('Shape', [x]), g.ints([axis])]))
      return g.node('Reshape', [x, g.node('Concat', [...parts, g.ints(rest)], { axis: 0 })])
    })
  test('are constant where types say them', () => {
    expectRewrite(reshaped([2, 12]), [reshapeTarget], 'Relu Reshape', { symbols })
    expectRewrite(reshaped([24]), [reshapeTarget], 'Relu Reshape', { symbols: { n: 0 } })
  })
  test('and stay where they do not', () => {
    const moved = of((g, x) => {
      const batch = g.node('Gather', [g.node('Shape', [x]), g.ints([0])])
      return g.node('Reshape', [x, g.node('Concat', [g.ints([24]), batch], { axis: 0 })])
    })
    expectRewrite(moved, [reshapeTarget], 'Relu Shape Gather Concat Reshape', { symbols })
    const fed = sketch(g => g.node('Reshape', [g.input('x', 'float32', [4]), g.input('shape', 'int64', [2])]))
    expectRewrite(fed, [reshapeTarget], 'Reshape', {
      feeds: { shape: tensor('int64', [2], BigInt64Array.of(2n, 2n)) },
    })
  })
})

describe('extents', () => {
  test('of values in the middle come from the inputs', () => {
    const graph = sketch(g => {
      const [a, b] = [g.input('a', 'float32', ['n', 2]), g.input('b', 'float32', ['m', 2])]
      const joined = g.node('Concat', [a, b], { axis: 0 })
      return [g.node('Shape', [joined]), g.node('Relu', [joined])]
    })
    const result = applyRules(annotate(graph), normalizeRules)
    expect(result.nodes.filter(({ op }) => op === 'Shape').map(({ inputs }) => inputs[0])).toEqual(['b', 'a'])
    expectSameResults(graph, result, { symbols: { n: 3, m: 4 } })
  })
  test('that no input has stay', () => {
    const graph = sketch(g => g.node('Shape', [g.node('NonZero', [g.input('x', 'float32', ['n'])])]))
    expect(operatorsIn(applyRules(annotate(graph), normalizeRules))).toBe('NonZero Shape')
  })
})

describe('repetitions', () => {
  test('of nodes and of small constants are shared, outputs keep their makers', () => {
    const graph = of((g, x) => {
      const twice = (): Handle => g.node('Mul', [x, g.scalar(2)])
      return [g.node('Add', [twice(), twice()]), twice()]
    })
    const result = shareCommon(graph)
    expect(operatorsIn(result)).toBe('Relu Mul Add Mul')
    expect(result.initializers.size).toBe(1)
    expectSameResults(graph, result, { symbols })
  })
  test('other attributes, other constants and random numbers are not', () => {
    const graph = of((g, x) => [
      g.node('Concat', [g.node('Softmax', [x], { axis: 1 }), g.node('Softmax', [x], { axis: 2 })], {
        axis: 0,
      }),
      g.node('Add', [g.node('Mul', [x, g.scalar(0)]), g.node('Mul', [x, g.scalar(-0)])]),
      g.node('Add', [g.node('RandomNormalLike', [x]), g.node('RandomNormalLike', [x])]),
    ])
    expect(shareCommon(graph)).toBe(graph)
  })
})
