import { expect, test } from 'vitest'
import { graphOf } from '../graph/graphs.suite.ts'
import { fromNumbers, full } from '../tensor/elements.ts'
import { float32 } from '../tensor/tensor.ts'
import { weightPlaces, weightViews } from './weight-views.ts'

const graph = graphOf(g => {
  const image = g.input('image', 'float32', ['n', 3, 8, 8])
  const conv = g.node('Conv', [image, g.constant(full('float32', [4, 3, 3, 3], 1), 'conv')])
  const flat = g.node('Flatten', [conv])
  const shared = g.constant(full('float32', [144, 144], 1), 'shared')
  const a = g.node('MatMul', [flat, shared])
  const b = g.node('Gemm', [a, shared], { transB: 1 })
  const turned = g.node('Transpose', [g.constant(full('float32', [10, 144], 1), 'turned')], { perm: [1, 0] })
  const c = g.node('MatMul', [b, turned])
  const bytes = g.constant(fromNumbers('int8', [10, 6], new Array(60).fill(1)), 'bytes')
  const weight = g.node('DequantizeLinear', [bytes, g.constant(float32([1]), 'scale')])
  const table = g.constant(full('float32', [10, 4], 1), 'table')
  g.output(g.node('Gather', [table, g.input('ids', 'int64', ['n'])]))
  return g.node('MatMul', [c, weight])
})

test('weights are matrices of outputs by inputs', () => {
  expect(Object.fromEntries(weightViews(graph))).toEqual({
    conv: { order: [0, 2, 3, 1], columnAxes: 3 },
    shared: { order: [1, 0], columnAxes: 1 },
    turned: { order: [0, 1], columnAxes: 1 },
    bytes: { order: [1, 0], columnAxes: 1 },
  })
})

test('each use of a weight counts, in its own order', () => {
  const uses = weightPlaces(graph).filter(({ name }) => name === 'shared')
  expect(uses.map(({ node, view }) => [node.op, view.order])).toEqual([
    ['MatMul', [1, 0]],
    ['Gemm', [0, 1]],
  ])
})
