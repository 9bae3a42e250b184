import { describe, expect, test } from 'vitest'
import { type Graph, type Node, operatorName } from '../graph/graph.ts'
import { graphOf, outer } from '../graph/graphs.suite.ts'
import { missingOps, requireOps } from './missing.ts'
import type { Op } from './op.ts'
import { lookUp, operatorsOf, opsetOf, resolve, schemaVersion } from './registry.ts'

const op = (name: string, versions: readonly number[], domain?: string): Op => ({
  name,
  doc: 'For tests.',
  versions: Object.fromEntries(
    versions.map(version => [version, { inputs: [`v${version}?: bool`], outputs: [] }]),
  ),
  infer: () => [],
  evaluate: () => [],
  ...(domain !== undefined && { domain }),
})

const add = op('Add', [7, 13, 14])
const operators = operatorsOf([add, op('Late', [20]), op('Add', [1], 'my'), op('Same', [1], 'ai.onnx')])

const graphWith = (opsets: [string, number][]): Graph => ({ ...graphOf(() => []), opsets: new Map(opsets) })
const node = (name: string, domain = ''): Node => ({
  ...{ name: 'n', op: name, domain, inputs: [], outputs: [], attributes: new Map() },
})

test("operators are found by name and domain, ONNX's own under both spellings", () => {
  expect(operators.find('', 'Add')).toBe(add)
  expect(operators.find('ai.onnx', 'Add')).toBe(add)
  expect(operators.find('my', 'Add')?.domain).toBe('my')
  expect(operators.find('', 'Same')?.domain).toBe('ai.onnx')
  expect(operators.find('your', 'Add')).toBeUndefined()
  expect(operators.find('', 'constructor')).toBeUndefined()
  expect(() => operatorsOf([add, op('Add', [1], 'ai.onnx')])).toThrow('two operators are called Add')
  expect(() => operatorsOf([op('A', [1], 'my'), op('A', [2], 'my')])).toThrow('two operators are called my.A')
})

test.each([
  [6, undefined],
  [7, 7],
  [12, 7],
  [13, 13],
  [99, 14],
])('in operator set %i, the schema of version %s holds', (opset, version) => {
  expect(schemaVersion(add, opset)).toBe(version)
})

test('the version of an operator set', () => {
  const both = graphWith([
    ['ai.onnx', 13],
    ['my', 2],
  ])
  expect([opsetOf(both, ''), opsetOf(both, 'ai.onnx'), opsetOf(both, 'my')]).toEqual([13, 13, 2])
  expect(opsetOf(graphWith([['', 9]]), 'ai.onnx')).toBe(9)
  expect(opsetOf(both, 'your')).toBeUndefined()
})

describe('looking up', () => {
  const graph = graphWith([['', 13]])
  test('gives the schema in force', () => {
    expect(resolve(operators, graph, node('Add', 'ai.onnx'))).toMatchObject({
      version: 13,
      schema: { inputs: ['v13?: bool'] },
    })
  })
  test.each([
    [node('Nope'), 'not implemented'],
    [node('Nope', 'my'), 'not implemented'],
    [node('Add', 'my'), 'the graph does not import operator set "my"'],
    [node('Late'), 'implemented from version 20 of its operator set on, the graph has version 13'],
  ])('%# says why it cannot', (wanted, reason) => {
    expect(lookUp(operators, graph, wanted)).toBe(reason)
    expect(() => resolve(operators, graph, wanted)).toThrow(
      expect.objectContaining({
        code: 'unsupported-op',
        message: `operator ${operatorName(wanted)} cannot run: ${reason}`,
      }),
    )
  })
  test('in a graph without operator sets', () => {
    expect(lookUp(operators, graphWith([]), node('Add'))).toBe(
      'the graph does not import operator set "ai.onnx"',
    )
  })
})

describe('what is missing', () => {
  const graph: Graph = graphOf(g => {
    const x = g.input('x', 'float32')
    const body = graphOf(b => b.node('Nope', [outer('x')], {}, { name: 'inner', domain: 'my' }))
    for (let i = 0; i < 7; i++) g.node('Gone', [x], { body })
    return g.node('Add', [x])
  })
  test('is found in bodies too, by operator', () => {
    expect(missingOps(graph, operators)).toEqual([
      {
        op: 'Gone',
        reason: 'not implemented',
        nodes: Array.from({ length: 7 }, (_, i) => `gone_${i + 1} (Gone)`),
      },
      { op: 'my.Nope', reason: 'not implemented', nodes: new Array(7).fill('inner (my.Nope)') },
    ])
  })
  test('is named all at once', () => {
    expect(() => requireOps(graph, operators)).toThrow(
      expect.objectContaining({
        code: 'unsupported-op',
        message: [
          '2 operators of this graph cannot run:',
          '  Gone: not implemented; used by gone_1 (Gone), gone_2 (Gone), gone_3 (Gone), gone_4 (Gone), gone_5 (Gone) and 2 more',
          '  my.Nope: not implemented; used by inner (my.Nope), inner (my.Nope), inner (my.Nope), inner (my.Nope), inner (my.Nope) and 2 more',
          'docs/operators.md lists the operators that can',
        ].join('\n'),
      }),
    )
    expect(() => requireOps({ ...graphWith([['', 13]]), nodes: [node('Late')] }, operators)).toThrow(
      '1 operator of this graph cannot run:\n  Late: implemented from version 20',
    )
  })
  test('is nothing in a graph that can run', () => {
    requireOps({ ...graph, nodes: [node('Add')] }, operators)
    expect(missingOps({ ...graph, nodes: [node('Add')] }, operators)).toEqual([])
  })
})
