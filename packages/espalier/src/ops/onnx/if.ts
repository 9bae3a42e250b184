/** Conditional execution of one of two body graphs. */
import { EspalierError } from '../../errors.ts'
import type { ValueType } from '../../graph/graph.ts'
import type { Op } from '../op.ts'
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
    const branch = (name: string): readonly (ValueType | undefined)[] =>
      c.inferGraph(c.attributes.graph(name), [])
    if (condition?.dtype === 'bool' && condition.data.length === 1)
      return branch(condition.data[0] ? 'then_branch' : 'else_branch')
    const otherwise = branch('else_branch')
    return branch('then_branch').map((type, index) => joinTypes(type, otherwise[index]))
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
