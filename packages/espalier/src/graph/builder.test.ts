import { describe, expect, test } from 'vitest'
import { float32 } from '../tensor/tensor.ts'
import { floatAttribute, floatsAttribute, graphBuilder } from './builder.ts'
import { tensorType } from './graph.ts'
import { chain } from './graphs.suite.ts'
import { validate } from './validate.ts'

test('a graph comes out as it was built', () => {
  const g = graphBuilder({ name: 'net', opset: 17, opsets: { custom: 2 } })
  const x = g.input('x', 'float32', ['n', 3])
  const w = g.constant(float32([1, 2, 3], [3, 1]))
  const y = g.node('MatMul', [x, w])
  const [top, index] = g.nodes('TopK', [y], { axis: 0 }, { name: 'best', outputs: ['top', ''] })
  const z = g.node('Mine', [top, undefined, x], {}, { domain: 'custom', name: 'last' })
  g.output(z, tensorType('float32'))
  const graph = validate(g.build())
  expect(graph).toMatchObject({
    name: 'net',
    inputs: [{ name: 'x', type: { kind: 'tensor', dtype: 'float32', shape: ['n', 3] } }],
    outputs: [{ name: 'last:0', type: { kind: 'tensor', dtype: 'float32' } }],
    nodes: [
      { name: 'matmul_1', op: 'MatMul', inputs: ['x', 'constant_1'], outputs: ['matmul_1'] },
      { name: 'best', op: 'TopK', outputs: ['top', ''] },
      { name: 'last', op: 'Mine', domain: 'custom', inputs: ['top', '', 'x'], outputs: ['last:0'] },
    ],
  })
  expect(index).toEqual({ name: '' })
  expect([...graph.opsets]).toEqual([
    ['', 17],
    ['custom', 2],
  ])
  g.node('Relu', [x])
  expect(graph.nodes.length).toBe(3) // what was built does not change any more
})

test('attributes get their types', () => {
  const g = graphBuilder()
  const body = chain(1)
  const weights = float32([1])
  const indices = { dtype: 'int64', shape: [0], data: new BigInt64Array(0) } as const
  const sparse = { dtype: 'float32', shape: [3], values: float32([]), indices } as const
  const given = { weights, sparse, body, n: 1, list: [1, 2], none: [], text: 'a', texts: ['a', 'b'] }
  g.node('Op', [], { ...given, x: floatAttribute(1), xs: floatsAttribute([0.5]) })
  const types = [...g.build().nodes[0]!.attributes].map(([name, { type }]) => [name, type])
  expect(Object.fromEntries(types)).toEqual({
    ...{ weights: 'tensor', sparse: 'sparse_tensor', body: 'graph', n: 'int', list: 'ints', none: 'ints' },
    ...{ text: 'string', texts: 'strings', x: 'float', xs: 'floats' },
  })
})

describe('names', () => {
  test('that are made keep clear of those that are given', () => {
    const g = graphBuilder()
    const x = g.input('relu_1', 'float32')
    g.node('Relu', [x], {}, { name: 'relu_2' })
    const made = [g.node('Relu', [x]), g.node('Relu', [x], {}, { outputs: ['y'] }), g.node('Relu', [x])]
    expect(made.map(({ name }) => name)).toEqual(['relu_3', 'y', 'relu_5'])
    expect(g.build().nodes.map(({ name }) => name)).toEqual(['relu_2', 'relu_3', 'relu_4', 'relu_5'])
  })
  test.each([
    ['a value twice', 'tensor "x": two values have this name', g => g.constant(float32([1]), 'x')],
    ['a node twice', 'node a (Relu): two nodes have this name', g => g.node('Relu', [], {}, { name: 'a' })],
    ['no name', 'a value has no name', g => g.input('', 'float32')],
    ['no output', 'Relu is given no output', g => g.node('Relu', [], {}, { outputs: [] })],
    [
      'a fraction for an integer',
      '"alpha": a plain number is an integer attribute; got 0.5. Write a float as floatAttribute(x), floats as floatsAttribute([x, y])',
      g => g.node('Elu', [], { alpha: 0.5 }),
    ],
  ] as const satisfies [string, string, (g: ReturnType<typeof graphBuilder>) => unknown][])(
    'refuses %s',
    (_, message, build) => {
      const g = graphBuilder()
      g.node('Relu', [g.input('x', 'float32')], {}, { name: 'a' })
      expect(() => build(g)).toThrow(expect.objectContaining({ code: 'bad-argument', message }))
    },
  )
})
