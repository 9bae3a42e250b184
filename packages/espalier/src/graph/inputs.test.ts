import { expect, test } from 'vitest'
import { float32 } from '../tensor/tensor.ts'
import { type Graph, tensorType } from './graph.ts'
import { chain } from './graphs.suite.ts'
import { defaultsOf, feedableInputs, inputShape } from './inputs.ts'

test('a constant that is an input too is a default, but not in files that had to list all constants', () => {
  const graph: Graph = {
    ...chain(1),
    inputs: [{ name: 'x' }, { name: 'w' }],
    initializers: new Map([
      ['w', float32([1])],
      ['v', float32([1])],
    ]),
  }
  const old = { ...graph, origin: { irVersion: 3 } }
  for (const model of [graph, { ...graph, origin: { irVersion: 4 } }]) {
    expect([...defaultsOf(model)]).toEqual(['w'])
    expect(feedableInputs(model)).toEqual([{ name: 'x' }, { name: 'w' }])
  }
  expect([...defaultsOf(old)]).toEqual([])
  expect(feedableInputs(old)).toEqual([{ name: 'x' }])
})

test('extents without a name get one of their own', () => {
  const dims = ['batch', 3, null, '?', 'None', '-1', '2*n']
  expect(inputShape({ name: 'x', type: tensorType('float32', dims) })).toEqual([
    ...['batch', 3, 'x_dim2', 'x_dim3', 'x_dim4', 'x_dim5', '2*n'],
  ])
  expect(inputShape({ name: 'x', type: tensorType('float32') })).toBeUndefined()
  expect(inputShape({ name: 'x', type: { kind: 'sequence' } })).toBeUndefined()
  expect(inputShape({ name: 'x' })).toBeUndefined()
})
