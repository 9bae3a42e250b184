import { describe, expect, test, vi } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { bool, chain, choice, graphOf, outer } from '../graph/graphs.suite.ts'
import { float32, int64, type Tensor } from '../tensor/tensor.ts'
import { operators } from './index.ts'
import { interpret, interpreter } from './interpret.ts'
import type { Op, Operators } from './op.ts'

// What holds for every executor is in runtime/executor.suite.ts.

test('values of a graph, from feeds that are taken as they are', () => {
  const feeds = new Map([['x', float32([1, -3, 5])]]) // two are stated
  expect(interpret(chain(2), feeds, { operators, outputs: ['y', 'relu_1'] })).toEqual(
    new Map([
      ['y', float32([1, 0, 5])],
      ['relu_1', float32([1, 0, 5])],
    ]),
  )
  expect([...feeds.keys()]).toEqual(['x'])
})

test('operators are looked up once for many runs', () => {
  const find = vi.fn(operators.find)
  const counted: Operators = { all: operators.all, find }
  const run = interpreter(choice(), counted)
  const feeds = (value: boolean) =>
    new Map<string, Tensor>([
      ['x', float32([1, 2])],
      ['c', bool(value)],
    ])
  for (const value of [true, false, true, false]) run(feeds(value), { outputs: ['y'] })
  expect(find.mock.calls).toEqual([
    ['', 'If'],
    ['', 'Add'],
  ])
})

describe('what is wrong comes with its node', () => {
  const failing =
    (graph: Graph, outputs: readonly string[] = []) =>
    () =>
      interpret(graph, new Map([['c', bool(true)]]), { operators, outputs })
  test.each<[string, () => unknown, object]>([
    [
      'a value that nothing makes',
      failing(graphOf(g => g.node('Relu', [outer('gone')], {}, { name: 'n' }))),
      { code: 'invalid-graph', where: { node: 'n (Relu)', tensor: 'gone' } },
    ],
    [
      'an output that nothing makes',
      failing(
        graphOf(() => []),
        ['gone'],
      ),
      { code: 'invalid-graph', where: { tensor: 'gone' } },
    ],
    [
      'an operator that is not there',
      failing(graphOf(g => g.node('Gone', [], {}, { name: 'n' }))),
      { code: 'unsupported-op', where: { node: 'n (Gone)' } },
    ],
    [
      'a body that takes other inputs',
      failing(
        graphOf(g => {
          const body = graphOf(b => [b.input('going', 'bool'), b.input('v', 'float32')], 'loop body')
          const x = g.constant(float32([1]))
          return g.node('Loop', [g.constant(int64(1)), undefined, x], { body }, { name: 'n' })
        }),
      ),
      { code: 'invalid-graph', where: { node: 'n (Loop)' } },
    ],
    [
      'a sparse constant out of bounds',
      failing(
        graphOf(g =>
          g.constant({ dtype: 'float32', shape: [2], values: float32([5]), indices: int64([7]) }, 'w'),
        ),
        ['w'],
      ),
      { code: 'bad-argument', where: { tensor: 'w' } },
    ],
  ])('%s', (_, call, wanted) => {
    expect(call).toThrow(expect.objectContaining(wanted))
  })
})

test('a body is given as many values as it has inputs', () => {
  const odd: Op = {
    name: 'Odd',
    doc: 'For tests.',
    versions: {
      1: { inputs: [], outputs: ['y: float32'], attributes: { body: { type: 'graph', required: true } } },
    },
    infer: () => [],
    evaluate: c => c.runGraph(c.attributes.graph('body'), []),
  }
  const graph = graphOf(g => g.node('Odd', [], { body: chain(1) }, { name: 'n' }))
  const own: Operators = { all: [odd], find: () => odd }
  expect(() => interpret(graph, new Map(), { operators: own, outputs: [] })).toThrow(
    'node n (Odd): body "graph" takes another number of inputs; expected 1, got 0',
  )
})
