import { expect, test } from 'vitest'
import { float32 } from '../tensor/tensor.ts'
import { dump } from './dump.ts'
import { type Graph, tensorType } from './graph.ts'
import { graphOf, outer } from './graphs.suite.ts'
import { inlineBody } from './inline.ts'
import { freshNames } from './names.ts'
import { validate } from './validate.ts'

/** A graph with `body` in the place of its only node. */
function inline(graph: Graph, body: Graph): Graph {
  const [node] = graph.nodes
  const fresh = freshNames({ ...graph, nodes: [] })
  const { nodes, initializers, values } = inlineBody(body, node!.outputs, fresh)
  return validate({
    ...graph,
    nodes,
    initializers: new Map([...graph.initializers, ...initializers]),
    values,
  })
}

const holder = (body: Graph, ...outputs: string[]): Graph =>
  graphOf(g => {
    const x = g.input('x', 'float32', [2])
    return g
      .nodes('If', [x], { then_branch: body }, { name: 'if', outputs })
      .filter(({ name }) => name !== '')
  })

test('names of the body give way to those around, outputs get the names of the node', () => {
  const body = graphOf(g => {
    const w = g.constant(float32([1, 2]), 'w')
    const a = g.node('Add', [outer('x'), w], {}, { name: 'if', outputs: ['y'] })
    return [g.node('Relu', [a], {}, { outputs: ['inner'] })]
  })
  const typed = { ...body, values: new Map([['y', { name: 'y', type: tensorType('float32', [2]) }]]) }
  const graph = { ...holder(typed, 'y'), initializers: new Map([['w', float32([0])]]) }
  expect(dump(inline(graph, typed))).toMatchInlineSnapshot(`
    "graph graph (onnx 21) {
      input x: float32 2
      constant w: float32 1 = [0]
      constant w_1: float32 2 = [1, 2]
      y_1: float32 2 = Add(x, w_1)  # if
      y = Relu(y_1)  # relu_1
      output y
    }
    "
  `)
})

test('what cannot be renamed is copied: constants, values from outside, values given twice', () => {
  const body = graphOf(g => {
    const w = g.constant(float32([1, 2]), 'w')
    const a = g.node('Relu', [outer('x')], {}, { outputs: ['a'] })
    return [a, a, w, outer('x'), a]
  })
  expect(dump(inline(holder(body, 'p', 'q', 'r', 's', ''), body))).toMatchInlineSnapshot(`
    "graph graph (onnx 21) {
      input x: float32 2
      constant w: float32 2 = [1, 2]
      p = Relu(x)  # relu_1
      q = Identity(p)
      r = Identity(w)
      s = Identity(x)
      output p
      output q
      output r
      output s
    }
    "
  `)
})

test('bodies inside follow, except where they hide a name', () => {
  const hiding = graphOf(g => {
    const a = g.constant(float32([3]), 'a')
    return g.node('Relu', [a])
  })
  const using = graphOf(g => [g.node('Add', [outer('a'), outer('x')]), outer('a')])
  const nested = graphOf(g => [g.node('If', [outer('a')], { then_branch: using })])
  const body = graphOf(g => {
    const a = g.node('Relu', [outer('x')], {}, { outputs: ['a'] })
    return g.node('If', [a], { then_branch: nested, else_branch: hiding }, { outputs: ['b'] })
  })
  const graph = { ...holder(body, 'y'), initializers: new Map([['a', float32([0])]]) }
  expect(dump(inline(graph, body))).toMatchInlineSnapshot(`
    "graph graph (onnx 21) {
      input x: float32 2
      constant a: float32 1 = [0]
      a_1 = Relu(x)  # relu_1
      y = If(a_1)  # if_1
        then_branch {
          if_1 = If(a_1)
            then_branch {
              add_1 = Add(a_1, x)
              output add_1
              output a_1
            }
          output if_1
        }
        else_branch {
          constant a: float32 1 = [3]
          relu_1 = Relu(a)
          output relu_1
        }
      output y
    }
    "
  `)
})

test('new names keep clear of those that bodies inside have', () => {
  const inner = graphOf(g => {
    const [y, a1] = [g.constant(float32([3]), 'y'), g.constant(float32([4]), 'a_1')]
    return g.node('Sum', [y, a1, outer('a')])
  })
  const body = graphOf(g => {
    const a = g.node('Relu', [outer('x')], {}, { outputs: ['a'] })
    g.node('If', [a], { then_branch: inner }, { outputs: ['b'] })
    return a
  })
  const graph = { ...holder(body, 'y'), initializers: new Map([['a', float32([0])]]) }
  expect(dump(inline(graph, body))).toMatchInlineSnapshot(`
    "graph graph (onnx 21) {
      input x: float32 2
      constant a: float32 1 = [0]
      a_2 = Relu(x)  # relu_1
      b = If(a_2)  # if_1
        then_branch {
          constant y: float32 1 = [3]
          constant a_1: float32 1 = [4]
          sum_1 = Sum(y, a_1, a_2)
          output sum_1
        }
      y = Identity(a_2)
      output y
    }
    "
  `)
})
