import { describe, expect, test } from 'vitest'
import { float32 } from '../tensor/tensor.ts'
import type { GraphBuilder } from './builder.ts'
import type { Graph } from './graph.ts'
import { chain, choice, graphOf, outer } from './graphs.suite.ts'
import { type Problem, problemsOf, validate } from './validate.ts'

test('sound graphs pass as they are', () => {
  for (const graph of [chain(3), choice(), graphOf(() => []), graphOf(g => g.input('x', 'float32'))])
    expect(validate(graph)).toBe(graph)
})

/** `chain(2)` with other parts. */
const broken = (parts: Partial<Graph> | ((graph: Graph) => Partial<Graph>)): Graph => {
  const graph = chain(2)
  return { ...graph, ...(typeof parts === 'function' ? parts(graph) : parts) }
}

/** A graph whose `If` has the body that `build` makes. */
const around = (build: (g: GraphBuilder) => ReturnType<GraphBuilder['node']>): Graph =>
  graphOf(g => {
    const x = g.input('x', 'float32')
    const branch = graphOf(build, 'yes')
    const y = g.node('If', [x], { then_branch: branch }, { name: 'if', outputs: ['y'] })
    return g.node('Relu', [y], {}, { outputs: ['z'] })
  })

const order = 'the value is used before it is made; the nodes are out of order or form a cycle'
const noMaker = 'the value is made by no node, input or initialiser'

test.each<[string, Graph, Problem[]]>([
  ['no operator set', broken({ opsets: new Map() }), [{ message: 'the graph imports no operator set' }]],
  [
    'nodes out of order',
    broken(({ nodes }) => ({ nodes: nodes.toReversed() })),
    [{ message: order, node: 'relu_2 (Relu)', tensor: 'relu_1' }],
  ],
  [
    'a value that nothing makes',
    broken({ inputs: [] }),
    [{ message: noMaker, node: 'relu_1 (Relu)', tensor: 'x' }],
  ],
  [
    'an output that nothing makes',
    broken({ outputs: [{ name: 'z' }] }),
    [{ message: 'an output is made by no node, input or initialiser', tensor: 'z' }],
  ],
  [
    'inputs of one name, or none',
    broken(({ inputs }) => ({ inputs: [...inputs, ...inputs, { name: '' }] })),
    [{ message: 'two inputs have this name', tensor: 'x' }, { message: 'an input has no name' }],
  ],
  [
    'constants and outputs without a name',
    broken(({ outputs }) => ({
      initializers: new Map([['', float32([1])]]),
      outputs: [...outputs, { name: '' }],
    })),
    [{ message: 'an initialiser has no name' }, { message: 'an output has no name' }],
  ],
  [
    'a value made twice: by two nodes, by a node and a constant, by a node and an input',
    broken(({ nodes }) => ({
      nodes: [...nodes, { ...nodes[0]!, name: 'again', outputs: ['relu_1', 'k', 'x'] }],
      initializers: new Map([['k', float32([1])]]),
    })),
    ['relu_1', 'k', 'x'].map(tensor => ({
      message: 'the value is made twice',
      node: 'again (Relu)',
      tensor,
    })),
  ],
  [
    'nodes of one name',
    broken(({ nodes }) => ({ nodes: nodes.map(node => ({ ...node, name: 'n' })) })),
    [{ message: 'two nodes have this name', node: 'n (Relu)' }],
  ],
  [
    'a node without an operator',
    broken(({ nodes }) => ({ nodes: nodes.map((node, i) => (i === 0 ? { ...node, op: '' } : node)) })),
    [{ message: 'the node has no operator', node: 'relu_1 ()' }],
  ],
  [
    'a body that takes what is made after it',
    around(g => g.node('Relu', [outer('z')], {}, { name: 'inner' })),
    [{ message: noMaker, node: 'inner (Relu)', tensor: 'z' }],
  ],
  [
    'a body that takes what its own node makes',
    around(g => g.node('Relu', [outer('y')], {}, { name: 'inner' })),
    [{ message: noMaker, node: 'inner (Relu)', tensor: 'y' }],
  ],
  [
    'a body whose output is nowhere',
    around(() => outer('nowhere')),
    [
      {
        message: 'an output of the body "yes" is made by no node, input or initialiser',
        node: 'if (If)',
        tensor: 'nowhere',
      },
    ],
  ],
  [
    'a body that takes a value and then gives another its name',
    around(g => g.node('Relu', [outer('x')], {}, { name: 'inner', outputs: ['x'] })),
    [{ message: order, node: 'inner (Relu)', tensor: 'x' }],
  ],
])('finds %s', (_, graph, problems) => {
  expect(problemsOf(graph)).toEqual(problems)
})

test('a name of a body may hide one outside', () => {
  const graph = around(g => {
    const x = g.constant(float32([1]), 'x')
    return g.node('Relu', [x], {}, { name: 'relu_1' })
  })
  expect(problemsOf(graph)).toEqual([])
})

test('a value may be an output several times, and an input or a constant may be one', () => {
  const graph = graphOf(g => {
    const x = g.input('x', 'float32')
    return [x, x, g.constant(float32([1]))]
  })
  expect(problemsOf(graph)).toEqual([])
})

describe('the error', () => {
  test('is the problem when there is one', () => {
    expect(() => validate(broken({ inputs: [] }))).toThrow(
      expect.objectContaining({
        code: 'invalid-graph',
        where: { node: 'relu_1 (Relu)', tensor: 'x' },
        message: `node relu_1 (Relu), tensor "x": ${noMaker}`,
      }),
    )
  })
  test('lists several', () => {
    const graph = { ...chain(12), inputs: [], opsets: new Map() }
    const lonely = graph.nodes.map(node => ({ ...node, inputs: ['gone'] }))
    const { message } = errorOf({ ...graph, nodes: lonely })
    expect(message.split('\n').slice(0, 3)).toEqual([
      '13 things are wrong with the graph:',
      '  the graph imports no operator set',
      `  node relu_1 (Relu), tensor "gone": ${noMaker}`,
    ])
    expect(message.split('\n').slice(-1)).toEqual(['  and 3 more'])
  })
})

function errorOf(graph: Graph): Error {
  try {
    validate(graph)
  } catch (error) {
    return error as Error
  }
  throw new Error('the graph passed')
}

test('many bodies in a large graph', () => {
  const graph = graphOf(g => {
    const x = g.input('x', 'float32')
    const body = graphOf(b => b.node('Relu', [outer('x')]))
    return Array.from({ length: 20_000 }, () => g.node('If', [x], { then_branch: body }))
  })
  expect(problemsOf(graph)).toEqual([])
})
