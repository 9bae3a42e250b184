import { describe, expect, test } from 'vitest'
import type { GraphBuilder, Handle } from '../graph/builder.ts'
import { dump } from '../graph/dump.ts'
import { type Graph, tensorType } from '../graph/graph.ts'
import { bool, chain, choice, graphOf, outer } from '../graph/graphs.suite.ts'
import { validate } from '../graph/validate.ts'
import { runReference } from '../runtime/reference.ts'
import { fromNumbers, numbers } from '../tensor/elements.ts'
import { float32, int64, type Tensor, tensor, zeros } from '../tensor/tensor.ts'
import { type FoldOptions, foldConstants } from './fold.ts'
import { annotate } from './infer.ts'

const fold = (graph: Graph, options?: FoldOptions): Graph => validate(foldConstants(validate(graph), options))
const ops = (graph: Graph): string => graph.nodes.map(({ op }) => op).join(' ')
const constants = (graph: Graph): Record<string, unknown> =>
  Object.fromEntries(
    [...graph.initializers].map(([name, value]) => [name, Array.from(numbers(value as Tensor))]),
  )
const on = (build: (g: GraphBuilder, x: Handle) => Handle | Handle[], ...dims: (number | string)[]): Graph =>
  graphOf(g => build(g, g.input('x', 'float32', dims)))

test('constant parts are computed, the rest keeps its names', () => {
  const graph = on((g, x) => {
    const [two, three] = [g.constant(float32([2]), 'two'), g.constant(float32([3]), 'three')]
    const sum = g.node('Add', [two, three], {}, { outputs: ['five'] })
    const held = g.node('Constant', [], { value: float32([7]) }, { outputs: ['seven'] })
    return [g.node('Mul', [x, g.node('Neg', [sum], {}, { outputs: ['minus'] })]), g.node('Add', [x, held])]
  }, 2)
  const folded = fold(graph)
  expect(ops(folded)).toBe('Mul Add')
  expect(constants(folded)).toEqual({ minus: [-5], seven: [7] })
  expect(fold(folded)).toBe(folded)
})

test('a graph without constant parts is left alone', () => {
  for (const graph of [chain(3), choice()]) expect(foldConstants(graph)).toBe(graph)
})

test('what is known of shapes is constant', () => {
  const graph = on(
    (g, x) => {
      const shape = g.node('Shape', [x])
      const channels = g.node(
        'Gather',
        [shape, g.constant(int64([1]))],
        { axis: 0 },
        { outputs: ['channels'] },
      )
      const target = g.node(
        'Concat',
        [g.constant(int64([-1])), channels],
        { axis: 0 },
        { outputs: ['target'] },
      )
      return [g.node('Reshape', [x, target]), shape]
    },
    ...['n', 3, 4],
  )
  const folded = fold(graph)
  expect(ops(folded)).toBe('Shape Reshape')
  expect(constants(folded)).toEqual({ target: [-1, 3] })
  expect(constants(fold(on((g, x) => g.node('Shape', [g.node('Relu', [x])]), 2, 3)))).toEqual({
    shape_1: [2, 3],
  })
})

test('an output may become a constant', () => {
  const graph = on(g => g.node('Neg', [g.constant(float32([1]))], {}, { outputs: ['y'] }), 1)
  const folded = fold(graph)
  expect([ops(folded), constants(folded)]).toEqual(['', { y: [-1] }])
  expect(runReference(folded, { x: float32([0]) }).get('y')).toEqual(float32([-1]))
})

test('results of several outputs, of which one is not wanted', () => {
  const graph = on(g => {
    const [, index] = g.nodes(
      'TopK',
      [g.constant(float32([3, 9, 5])), g.constant(int64([2]))],
      {},
      { outputs: ['', 'index'] },
    )
    return index!
  }, 1)
  expect(constants(fold(graph))).toEqual({ index: [1, 2] })
})

test('what is said of values that became constants goes', () => {
  const graph = on(
    (g, x) => g.node('Add', [x, g.node('Neg', [g.constant(float32([1]))], {}, { outputs: ['c'] })]),
    1,
  )
  const folded = fold(annotate(graph))
  expect([...folded.values.keys()]).toEqual([])
})

describe('left alone', () => {
  test.each<[string, (g: GraphBuilder) => Handle]>([
    ['random numbers', g => g.node('RandomNormal', [], { shape: [2] })],
    ['unknown operators', g => g.node('Own', [g.constant(float32([1]))], {}, { domain: 'my' })],
    ['what may be fed', g => g.node('Neg', [g.input('w', 'float32', [1])])],
    [
      'random numbers in a body',
      g => {
        const branch = graphOf(b => b.node('RandomNormal', [], { shape: [2] }))
        const same = graphOf(b => b.node('Neg', [outer('k')]))
        g.constant(float32([1]), 'k')
        return g.node('If', [g.node('Own', [], {}, { domain: 'my' })], {
          then_branch: branch,
          else_branch: same,
        })
      },
    ],
    [
      'loops that do not end',
      g => {
        const body = graphOf(b => [
          b.input('i', 'int64', []) && b.input('going', 'bool', []),
          b.node('Identity', [b.input('v', 'float32', [1])]),
        ])
        return g.node('Loop', [undefined, g.constant(bool(true)), g.constant(float32([1]))], { body })
      },
    ],
    ['sequences', g => g.node('SequenceConstruct', [g.constant(float32([1]))])],
    [
      'large products',
      g => {
        const matrix = g.constant(zeros('float32', [1000, 1000]) as Tensor)
        return g.node('MatMul', [matrix, matrix])
      },
    ],
    [
      'large results of small inputs',
      g => g.node('Expand', [g.constant(float32([1])), g.constant(int64([300_000]))]),
    ],
    ['results that nothing could hold', g => g.node('ConstantOfShape', [g.constant(int64([2 ** 50]))])],
  ])('%s', (_, build) => {
    const graph = on((g, x) => [x, build(g)], 2)
    expect(fold(graph)).toBe(graph)
  })
  test('a default, which a caller may feed', () => {
    const graph = on((g, x) => g.node('Add', [x, g.node('Neg', [g.constant(float32([1]), 'w')])]), 2)
    const listed = { ...graph, inputs: [...graph.inputs, { name: 'w', type: tensorType('float32', [1]) }] }
    expect(fold(listed)).toBe(listed)
    expect(ops(fold({ ...listed, origin: { irVersion: 3 } }))).toBe('Add')
  })
  test('a node that fails when it is computed', () => {
    // Too large for inference to compute, out of range when it is computed.
    const graph = on(
      g => g.node('Gather', [g.constant(zeros('float32', [5000]) as Tensor), g.constant(int64([9999]))]),
      1,
    )
    expect(fold(graph)).toBe(graph)
  })
  test('quantised weights and what depends on them', () => {
    const graph = on(
      (g, x) => {
        const w = g.constant(fromNumbers('int8', [2, 2], [1, 2, 3, 4]) as Tensor, 'w')
        const scale = g.node(
          'Div',
          [g.constant(float32([1]), 'one'), g.constant(float32([2]), 'two')],
          {},
          { outputs: ['scale'] },
        )
        const dequantized = g.node('DequantizeLinear', [w, g.node('Squeeze', [scale])])
        const product = g.node('MatMul', [x, g.node('Transpose', [dequantized])])
        return [product, g.node('Shape', [product], {}, { outputs: ['shape'] })]
      },
      1,
      2,
    )
    const folded = fold(graph)
    expect(ops(folded)).toBe('DequantizeLinear Transpose MatMul')
    expect(constants(folded)).toEqual({ w: [1, 2, 3, 4], squeeze_1: [0.5], shape: [1, 2] })
  })
})

describe('limits', () => {
  const graph = on(g => g.node('Expand', [g.constant(float32([1])), g.constant(int64([5000]))]), 1)
  test('a result may be as large as the limit', () => {
    expect(ops(fold(graph, { limit: 20_000 }))).toBe('')
    expect(ops(fold(graph, { limit: 19_999 }))).toBe('Expand')
  })
  test('or as what it is computed from', () => {
    const big = on(g => g.node('Neg', [g.constant(zeros('float32', [5000]) as Tensor)]), 1)
    expect(ops(fold(big, { limit: 0 }))).toBe('')
    const cast = on(g => g.node('Cast', [g.constant(zeros('float16', [5000]) as Tensor)], { to: 1 }), 1)
    expect(ops(fold(cast, { limit: 0 }))).toBe('Cast')
  })
  test('what a Constant holds only changes its place', () => {
    const held = on(g => g.node('Constant', [], { value: zeros('float32', [5000]) as Tensor }), 1)
    expect(ops(fold(held, { limit: 0 }))).toBe('')
  })
})

describe('conditions', () => {
  const branches = (condition: (g: GraphBuilder, x: Handle) => Handle): Graph =>
    on(
      (g, x) => {
        const yes = graphOf(b =>
          b.node('Add', [outer('x'), b.constant(float32([1]), 'k')], {}, { name: 'add' }),
        )
        const no = graphOf(b =>
          b.node('Mul', [outer('x'), b.node('Neg', [b.constant(float32([2]), 'k')])], {}, { name: 'mul' }),
        )
        return g.node('If', [condition(g, x)], { then_branch: yes, else_branch: no }, { outputs: ['y'] })
      },
      'n',
      3,
    )

  test('that are constant leave the branch that is taken, folded itself', () => {
    expect(dump(fold(branches(g => g.constant(bool(false), 'c'))))).toMatchInlineSnapshot(`
      "graph graph (onnx 21) {
        input x: float32 nx3
        constant neg_1: float32 1 = [-2]
        y = Mul(x, neg_1)  # mul
        output y
      }
      "
    `)
    expect(ops(fold(branches(g => g.constant(tensor('bool', [1], Uint8Array.of(1))))))).toBe('Add')
  })
  test('that follow from shapes are constant', () => {
    const rank = branches((g, x) => {
      const channels = g.node('Gather', [g.node('Shape', [x]), g.constant(int64(1))], { axis: 0 })
      return g.node('Equal', [channels, g.constant(int64(3))])
    })
    expect(ops(fold(rank))).toBe('Add')
  })
  test('inside of branches follow', () => {
    const inner = graphOf(b => {
      const same = graphOf(c => c.node('Abs', [outer('x')]))
      return b.node('If', [b.constant(bool(true), 'd')], { then_branch: same, else_branch: same })
    })
    const graph = on(
      (g, _) => g.node('If', [g.constant(bool(true), 'd')], { then_branch: inner, else_branch: inner }),
      2,
    )
    expect(ops(fold(graph))).toBe('Abs')
  })
  test('that are not constant stay', () => {
    const graph = branches(g => g.input('c', 'bool', []))
    expect(fold(graph)).toBe(graph)
  })
  test('keep the numbers', () => {
    const feeds = { x: float32([1, 2, 3], [1, 3]) }
    for (const value of [true, false]) {
      const graph = branches(g => g.constant(bool(value)))
      expect(runReference(fold(graph), feeds)).toEqual(runReference(graph, feeds))
    }
  })
})

test('a graph that contradicts itself is refused', () => {
  const graph = on((g, x) => g.node('MatMul', [x, x]), 2, 3)
  expect(() => foldConstants(graph)).toThrow(expect.objectContaining({ code: 'bad-shape' }))
})
