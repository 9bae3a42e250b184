import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Graph } from './graph.ts'
import { chain, choice, graphOf, outer } from './graphs.suite.ts'
import { sortNodes } from './order.ts'
import { validate } from './validate.ts'

const names = (graph: Graph): string[] => graph.nodes.map(({ name }) => name)

test('a graph in order is left alone', () => {
  const graph = chain(5)
  expect(sortNodes(graph)).toBe(graph)
})

test('any order of nodes is brought into one that works, and then left alone', () => {
  const graph = graphOf(g => {
    const x = g.input('x', 'float32')
    const [a, b] = [g.node('A', [x]), g.node('B', [x])]
    const c = g.node('C', [a, b])
    return [g.node('D', [c, a]), g.node('E', [b])]
  })
  const orders = fc.shuffledSubarray([...graph.nodes], { minLength: graph.nodes.length })
  fc.assert(
    fc.property(orders, nodes => {
      const sorted = sortNodes({ ...graph, nodes })
      expect(sortNodes(validate(sorted))).toBe(sorted)
      expect(names(sorted).sort()).toEqual(names(graph).sort())
    }),
  )
})

test('a late node moves before the first that needs it', () => {
  const graph = graphOf(g => {
    const [a, b, c] = [g.node('A', []), g.node('B', []), g.node('C', [])]
    return g.node('D', [a, b, c])
  })
  const [a, b, c, d] = graph.nodes
  expect(sortNodes({ ...graph, nodes: [a!, d!, c!, b!] }).nodes).toEqual([a, b, c, d])
})

test('what bodies take from outside counts', () => {
  const graph = choice()
  const maker = {
    ...graph.nodes[0]!,
    name: 'x',
    op: 'Copy',
    inputs: ['x0'],
    outputs: ['x'],
    attributes: new Map(),
  }
  const late = { ...graph, inputs: graph.inputs.slice(0, 1), nodes: [...graph.nodes, maker] }
  expect(names(sortNodes(late))).toEqual(['x', 'if'])
})

describe('cycles', () => {
  const ring = (count: number): Graph =>
    graphOf(g => {
      for (let i = 0; i < count; i++)
        g.node('Op', [outer(`v${(i + count - 1) % count}`)], {}, { name: `n${i}`, outputs: [`v${i}`] })
      return outer('v0')
    })
  test.each([
    [1, 'tensor "v0": nodes feed each other in a cycle: n0 (Op) -> n0 (Op)'],
    [3, 'tensor "v0": nodes feed each other in a cycle: n0 (Op) -> n1 (Op) -> n2 (Op) -> n0 (Op)'],
  ])('of %d are named in the direction of flow', (count, message) => {
    expect(() => sortNodes(ring(count))).toThrow(expect.objectContaining({ code: 'invalid-graph', message }))
  })
  test('of many are named in part', () => {
    expect(() => sortNodes(ring(100_000))).toThrow(/n9 \(Op\) -> n10 \(Op\) -> 99989 more -> n0 \(Op\)$/)
  })
})

test('a chain of 100,000 nodes in reverse order', () => {
  const graph = chain(100_000)
  const sorted = sortNodes({ ...graph, nodes: graph.nodes.toReversed() })
  expect(sorted.nodes.every((node, index) => node === graph.nodes[index])).toBe(true)
})
