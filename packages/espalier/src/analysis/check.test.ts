import { describe, expect, test } from 'vitest'
import type { PlainAttribute } from '../graph/builder.ts'
import { floatAttribute } from '../graph/builder.ts'
import { type Graph, tensorType } from '../graph/graph.ts'
import { bool, chain, choice, graphOf, outer } from '../graph/graphs.suite.ts'
import type { Problem } from '../graph/validate.ts'
import { validate } from '../graph/validate.ts'
import type { DType } from '../tensor/dtype.ts'
import { int64 } from '../tensor/tensor.ts'
import { checkModel } from './check.ts'

const problems = (graph: Graph): readonly Problem[] => checkModel(validate(graph)).problems
const messages = (graph: Graph): string[] => problems(graph).map(({ message }) => message)

test('nothing is wrong with sound models', () => {
  for (const graph of [chain(3), choice(), graphOf(() => [])])
    expect(checkModel(graph)).toEqual({ problems: [], missing: [] })
})

/** One node with inputs of these types. */
function node(
  op: string,
  inputs: readonly (DType | undefined)[],
  attributes: Readonly<Record<string, PlainAttribute>> = {},
  outputs: readonly string[] = ['y'],
): Graph {
  return graphOf(g => {
    const operands = inputs.map((dtype, i) => dtype && g.input(`x${i}`, dtype))
    return g.nodes(op, operands, attributes, { name: 'n', outputs }).filter(({ name }) => name !== '')
  })
}

describe('schemas', () => {
  const f = 'float32'
  test.each<[Graph, string[]]>([
    [node('Add', [f]), ['has 1 input, the operator takes 2']],
    [node('Relu', [f, f]), ['has 2 inputs, the operator takes 1']],
    [node('Concat', [], { axis: 0 }), ['has 0 inputs, the operator takes at least 1']],
    [node('Concat', [f, undefined, f], { axis: 0 }), ['lacks input 1 ("inputs")']],
    [node('Conv', [f, undefined, f]), ['lacks input "W"']],
    [node('Relu', [f], {}, ['y', 'z']), ['has 2 outputs, the operator gives 1']],
    [node('TopK', [f, 'int64'], {}, ['y']), ['has 1 output, the operator gives 2']],
    [node('Concat', [f]), ['lacks the attribute "axis"']],
    [node('Relu', [f], { slope: 1 }), ['has an attribute "slope" that the operator does not know']],
    [
      node('Concat', [f], { axis: floatAttribute(1) }),
      ['attribute "axis" is of type float, the operator takes int'],
    ],
    [
      node('Pad', [f, 'int64'], { mode: 'mirror' }),
      ['attribute "mode" is "mirror", the operator knows constant, reflect, edge, wrap'],
    ],
    [
      node('Gelu', [f], { approximate: ['tanh'] }),
      ['attribute "approximate" is of type strings, the operator takes string'],
    ],
    [
      node('Relu', [f], { constructor: 1 }),
      ['has an attribute "constructor" that the operator does not know'],
    ],
    [
      node('Relu', ['bool']),
      [
        'input "X" is bool, the operator takes int8, int16, int32, int64, bfloat16, float16, float32 or float64',
      ],
    ],
    [node('Add', [f, 'int64']), ['inputs "A" and "B" must have one type, but are float32 and int64']],
    [node('And', ['int32', 'bool']), ['input "A" is int32, the operator takes bool']],
    [
      node('Concat', [f, f, 'int8'], { axis: 0 }),
      ['inputs 0 ("inputs") and 2 ("inputs") must have one type, but are float32 and int8'],
    ],
    [
      node('Concat', [], { axis: floatAttribute(1), more: 1 }, ['a', 'b']),
      [
        'has 0 inputs, the operator takes at least 1',
        'has 2 outputs, the operator gives 1',
        'attribute "axis" is of type float, the operator takes int',
        'has an attribute "more" that the operator does not know',
      ],
    ],
  ])('%#: %o', (graph, wanted) => {
    expect(problems(graph)).toEqual(
      wanted.map(message => ({ message, node: expect.stringMatching(/^n \(/) })),
    )
  })
  test('hold in bodies', () => {
    const body = graphOf(b => [b.input('going', 'bool'), b.node('Relu', [outer('x'), outer('x')])])
    const graph = graphOf(g => {
      g.input('x', 'float32')
      return g.node('Loop', [g.constant(int64(3))], { body })
    })
    expect(messages(graph)).toEqual(['has 2 inputs, the operator takes 1'])
  })
})

describe('types and shapes', () => {
  test('every node that cannot run is found', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', [2, 3])
      const a = g.node('MatMul', [x, x], {}, { name: 'first' })
      return [g.node('Relu', [a]), g.node('Concat', [x, x], { axis: 7 }, { name: 'second' })]
    })
    expect(problems(graph).map(({ node }) => node)).toEqual(['first (MatMul)', 'second (Concat)'])
    expect(problems(graph)[1]).toEqual({
      message: 'axis 7 is outside a tensor of rank 2; expected -2 to 1',
      node: 'second (Concat)',
    })
  })
  test('an output that is not what it is stated to be', () => {
    const graph = graphOf(g => g.input('x', 'float32', [2]))
    const stated = { ...graph, outputs: [{ name: 'x', type: tensorType('int8', [2]) }] }
    expect(problems(stated)).toEqual([
      {
        message: 'the stated type is not the one that the operators give; expected float32 2, got int8 2',
        tensor: 'x',
      },
    ])
  })
  test('an error in the body of a loop is one of its node', () => {
    const body = graphOf(b => {
      b.input('i', 'int64', [])
      const going = b.input('going', 'bool', [])
      const x = b.input('x', 'float32')
      b.node('And', [x, going], {}, { name: 'and' })
      return [going, b.node('Concat', [x, x], { axis: 0 })]
    })
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', [1])
      return g.node('Loop', [g.constant(int64(3)), g.constant(bool(true)), x], { body })
    })
    expect(problems(graph)).toEqual([
      { message: 'input "A" is float32, the operator takes bool', node: 'and (And)' },
    ])
  })
  test('are not looked at where the structure is broken', () => {
    const graph = graphOf(g => g.node('Add', [outer('nowhere'), outer('nowhere')]))
    const { problems } = checkModel({ ...graph, opsets: new Map() })
    expect(problems.map(({ message }) => message)).toEqual([
      'the graph imports no operator set',
      ...new Array(2).fill('the value is made by no node, input or initialiser'),
    ])
  })
})

test('missing operators are no broken rules', () => {
  const graph = graphOf(g =>
    g.node('Relu', [g.node('Own', [g.input('x', 'float32')], { any: 1 }, { domain: 'my' })]),
  )
  expect(checkModel(graph)).toEqual({
    problems: [],
    missing: [{ op: 'my.Own', reason: 'not implemented', nodes: ['own_1 (my.Own)'] }],
  })
})

test('options that name what is not there are errors of the caller', () => {
  expect(() => checkModel(chain(1), { symbols: new Map([['n', 1]]) })).toThrow(
    expect.objectContaining({ code: 'bad-argument' }),
  )
})
