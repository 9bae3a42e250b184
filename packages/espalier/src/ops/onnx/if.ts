/** Conditional execution of one of two body graphs. */
import { EspalierError } from '../../errors.ts'
import type { Graph, ValueType } from '../../graph/graph.ts'
import type { InferContext, Op } from '../op.ts'
import { required, type Schema, type TypeName } from '../schema.ts'
import { checkBody, passingSchemas } from '../support/bodies.ts'
import { joinTypes } from '../support/type-join.ts'

const version = (V: readonly TypeName[]): Schema => ({
  inputs: ['cond: B'],
  outputs: ['outputs...: V*'],
  types: { B: ['bool'], V },
  attributes: { then_branch: required('graph'), else_branch: required('graph') },
})

export const If: Op = {
  name: 'If',
  doc: 'Runs `then_branch` when the condition holds, otherwise `else_branch`.',
  versions: passingSchemas(version),
  infer(c) {
    const condition = c.constant(0)
    const [yes, no] = [c.attributes.graph('then_branch'), c.attributes.graph('else_branch')]
    if (condition?.dtype === 'bool' && condition.data.length === 1)
      return c.inferGraph(condition.data[0] ? yes : no, [])
    const [first, second] = [attempt(c, yes), attempt(c, no)]
    if (second instanceof EspalierError) {
      if (first instanceof EspalierError) throw first
      return first
    }
    return first instanceof EspalierError
      ? second
      : first.map((type, index) => joinTypes(type, second[index]))
  },
  evaluate(c) {
    const condition = c.tensor(0)
    if (condition.dtype !== 'bool' || condition.data.length !== 1)
      throw new EspalierError('bad-shape', 'the condition is not a single bool', {
        expected: 'bool of one element',
        got: `${condition.dtype} of ${condition.data.length}`,
      })
    const body = c.attributes.graph(condition.data[0] ? 'then_branch' : 'else_branch')
    checkBody(body, 0, c.outputCount)
    return c.runGraph(body, [])
  },
}

/**
 * Types of a branch's outputs, or why it cannot run. Exporters guard operators that do not fit every shape by an `If`, so
 * that a branch which cannot run is one that is not chosen.
 */
function attempt(c: InferContext, branch: Graph): readonly (ValueType | undefined)[] | EspalierError {
  try {
    return c.inferGraph(branch, [])
  } catch (error) {
    if (error instanceof EspalierError) return error
    throw error
  }
}
