import { describe, expect, test } from 'vitest'
import { float32 } from '../tensor/tensor.ts'
import { extract, removeUnused } from './extract.ts'
import { type Graph, tensorType } from './graph.ts'
import { chain, choice, graphOf, outer } from './graphs.suite.ts'
import { validate } from './validate.ts'

/** z = (x + w) * (y + w), of which the sums are `a` and `b`; `a` has a stated type. */
function diamond(): Graph {
  const graph = graphOf(g => {
    const [x, y] = [g.input('x', 'float32', [2]), g.input('y', 'float32', [2])]
    const w = g.constant(float32([1, 2]), 'w')
    const a = g.node('Add', [x, w], {}, { outputs: ['a'] })
    const b = g.node('Add', [y, w], {}, { outputs: ['b'] })
    return g.node('Mul', [a, b], {}, { outputs: ['z'] })
  })
  return {
    ...graph,
    values: new Map([['a', { name: 'a', type: tensorType('float32', [2]), doc: 'a sum' }]]),
    initializerFields: new Map([['w', Uint8Array.of(1)]]),
  }
}

const parts = ({ inputs, outputs, nodes, initializers, values }: Graph): string =>
  [inputs.map(v => v.name), nodes.flatMap(n => n.outputs), outputs.map(v => v.name)]
    .concat([[...initializers.keys()], [...values.keys()]])
    .map(names => names.join(' '))
    .join(' | ')

describe('extract', () => {
  test.each<[string[], string[], string]>([
    [['x', 'y'], ['z'], 'x y | a b z | z | w | a'],
    [['x'], ['a'], 'x | a | a | w | '],
    [['a', 'y'], ['z'], 'a y | b z | z | w | '],
    [['a', 'b'], ['z'], 'a b | z | z |  | '],
    [['x', 'w'], ['a'], 'x w | a | a |  | '],
    [['a', 'a'], ['a'], 'a |  | a |  | '],
    [['y'], ['b', 'w', 'b'], 'y | b | b w b | w | '],
    [['x', 'y'], ['b'], 'x y | b | b | w | '],
  ])('from %j to %j', (inputs, outputs, wanted) => {
    expect(parts(validate(extract(diamond(), inputs, outputs)))).toBe(wanted)
  })
  test('takes along what is stated', () => {
    const piece = extract(diamond(), ['a', 'y', 'w'], ['z'])
    expect(piece.inputs).toEqual([
      { name: 'a', type: tensorType('float32', [2]), doc: 'a sum' },
      { name: 'y', type: tensorType('float32', [2]) },
      { name: 'w', type: tensorType('float32', [2]) },
    ])
    expect([...piece.initializerFields!.keys()]).toEqual([])
  })
  test('takes along what bodies read', () => {
    const graph = graphOf(g => {
      const inner = graphOf(b => b.node('Relu', [outer('x')]))
      const x = g.node('Relu', [g.input('x0', 'float32')], {}, { outputs: ['x'] })
      return [g.node('If', [g.input('c', 'bool')], { then_branch: inner }, { outputs: ['y'] }), x]
    })
    expect(parts(extract(graph, ['x0', 'c'], ['y']))).toBe('x0 c | x y | y |  | ')
  })
  test('a node that makes a given value beside a needed one keeps its outputs, the given one renamed', () => {
    const graph = graphOf(g => {
      const [a, b] = g.nodes('Split', [g.input('x', 'float32')], {}, { outputs: ['a', 'b'] })
      g.constant(float32([1]), 'a_unused')
      return g.node('Add', [a, b], {}, { outputs: ['c'] })
    })
    expect(parts(validate(extract(graph, ['x', 'a'], ['c'])))).toBe('x a | a_unused_1 b c | c |  | ')
  })
  test.each([
    [['x', 'q'], ['z'], 'tensor "q": the graph has no such value'],
    [['x'], ['q'], 'tensor "q": the graph has no such value'],
    [
      ['a'],
      ['z'],
      'the outputs need inputs of the graph that are not among the given; got "y". Add them to the inputs',
    ],
    [
      [],
      ['z'],
      'the outputs need inputs of the graph that are not among the given; got "x", "y". Add them to the inputs',
    ],
  ])('refuses from %j to %j', (inputs, outputs, message) => {
    const error = expect.objectContaining({ code: 'bad-argument', message: expect.stringContaining(message) })
    expect(() => extract(diamond(), inputs, outputs)).toThrow(error)
  })
  test('a default stays where it is not given', () => {
    const graph = diamond()
    const defaulted = { ...graph, inputs: [...graph.inputs, { name: 'w' }] }
    expect(parts(extract(defaulted, ['x'], ['a']))).toBe('x | a | a | w | ')
  })
})

describe('removeUnused', () => {
  test('leaves a graph alone in which everything is used', () => {
    for (const graph of [diamond(), choice(), chain(3)]) expect(removeUnused(graph)).toBe(graph)
  })
  test('removes nodes, constants and what is said of them, but no inputs', () => {
    const graph = diamond()
    const piece = removeUnused({ ...graph, outputs: [{ name: 'b' }] })
    expect(parts(piece)).toBe('x y | b | b | w | ')
    expect(parts(removeUnused({ ...graph, outputs: [{ name: 'x' }] }))).toBe('x y |  | x |  | ')
  })
  test('keeps defaults of inputs, and is done after one pass', () => {
    const graph = diamond()
    const defaulted = { ...graph, inputs: [...graph.inputs, { name: 'w' }], outputs: [{ name: 'x' }] }
    const piece = removeUnused(defaulted)
    expect([...piece.initializers.keys()]).toEqual(['w'])
    expect(removeUnused(piece)).toBe(piece)
  })
  test('works on bodies, whose outputs may come from outside', () => {
    const body = graphOf(() => [{ name: 'elsewhere' }])
    expect(removeUnused(body)).toBe(body)
  })
  test('a chain of 100,000 nodes', () => {
    const graph = chain(100_000)
    expect(removeUnused({ ...graph, outputs: [{ name: 'relu_50000' }] }).nodes.length).toBe(50_000)
  })
})
