import { expect, test } from 'vitest'
import { graphBuilder } from '../graph/builder.ts'
import type { Dim } from '../graph/graph.ts'
import { float32 } from '../tensor/tensor.ts'
import { batchSymbols, inputSymbols } from './symbols.ts'

function graphOf(...shapes: Dim[][]) {
  const g = graphBuilder()
  for (const [index, shape] of shapes.entries()) g.input(`x${index}`, 'float32', shape)
  return g.build()
}

test.each([
  [[['batch', 3]], ['batch'], ['batch']],
  [[['batch', 'length']], ['batch', 'length'], ['batch']],
  [[['n', 'n']], ['n'], []],
  [
    [
      ['n', 4],
      [2, 'n'],
    ],
    ['n'],
    [],
  ],
  [[['n', 4], ['n']], ['n'], ['n']],
  [[['2*n', 4], ['m']], ['n', 'm'], ['m']],
  [[[null, 'batch size']], ['x0_dim0', 'batch size'], ['x0_dim0']],
  [[[1, 2], []], [], []],
])('%j', (shapes, symbols, batch) => {
  const graph = graphOf(...(shapes as Dim[][]))
  expect([inputSymbols(graph), batchSymbols(graph)]).toEqual([symbols, batch])
})

test('inputs with a default and of unknown type do not count', () => {
  const graph = graphOf(['n', 4], ['m'])
  expect(inputSymbols({ ...graph, initializers: new Map([['x1', float32([1])]]) })).toEqual(['n'])
  expect(inputSymbols({ ...graph, inputs: [{ name: 'x' }] })).toEqual([])
})
