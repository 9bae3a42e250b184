import { expect, test } from 'vitest'
import { choice, graphOf, outer } from './graphs.suite.ts'
import { capturesOf, namesMadeBy, readsOf, usesOf } from './uses.ts'

test('a body takes from outside what it does not make', () => {
  const innermost = graphOf(g => g.node('Op', [outer('a'), outer('b'), outer('c')]))
  const body = graphOf(g => {
    g.input('a', 'float32')
    const b = g.constant({ dtype: 'bool', shape: [], data: Uint8Array.of(1) }, 'b')
    const made = g.node('If', [b], { then_branch: innermost }, { outputs: ['made'] })
    g.node('Op', [made, undefined, outer('d')])
    return [made, outer('e')]
  })
  expect(capturesOf(innermost)).toEqual(['a', 'b', 'c'])
  expect(capturesOf(body)).toEqual(['c', 'd', 'e'])
  expect([...namesMadeBy(body)]).toEqual(['a', 'b', 'made', 'op_1'])
})

test('nodes read their inputs and what their bodies take', () => {
  const graph = choice()
  expect(readsOf(graph.nodes[0]!)).toEqual(['c', 'x', 'x'])
  const { producer, consumers } = usesOf(graph)
  expect([...producer]).toEqual([['y', graph.nodes[0]]])
  expect([...consumers]).toEqual([
    ['c', graph.nodes],
    ['x', graph.nodes],
  ])
})

test('a node with very many inputs and captures', () => {
  const many = Array.from({ length: 200_000 }, (_, i) => outer(`v${i}`))
  const body = graphOf(g => g.node('Concat', many))
  const graph = graphOf(g => g.node('If', [outer('c')], { then_branch: body }))
  expect(readsOf(graph.nodes[0]!).length).toBe(200_001)
})
