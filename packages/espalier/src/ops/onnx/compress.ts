/** Entries picked by a mask. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, normalizeAxis } from '../../tensor/shape.ts'
import { elementCount, reshape, type Tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, optional, type Schema } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { selectAxes } from '../support/movement.ts'

const schema: Schema = {
  inputs: ['input: T', 'condition: T1'],
  outputs: ['output: T'],
  types: { T: allTypes, T1: ['bool'] },
  attributes: { axis: optional('int') },
}

export const Compress: Op = {
  name: 'Compress',
  doc: 'The entries along `axis` (or of the flattened input) where the condition holds.',
  versions: { 9: schema, 11: schema },
  infer(c) {
    const condition = c.constant(1)
    const count: Dim = condition === undefined ? null : chosen(condition).length
    const axis = c.attributes.optionalInt('axis')
    if (axis === undefined) return [typed(c.dtype(0), [count])]
    const shape = c.shape(0)
    return [typed(c.dtype(0), shape?.with(normalizeAxis(axis, shape.length), count))]
  },
  evaluate(c) {
    const axis = c.attributes.optionalInt('axis')
    const input = axis === undefined ? reshape(c.tensor(0), [elementCount(c.tensor(0))]) : c.tensor(0)
    const at = normalizeAxis(axis ?? 0, input.shape.length)
    const positions = chosen(c.tensor(1))
    const last = positions.at(-1) ?? 0
    if (positions.length > 0 && last >= input.shape[at]!)
      throw new EspalierError('bad-shape', 'the condition is longer than what it chooses from', {
        expected: `at most ${input.shape[at]} elements`,
        got: `position ${last}`,
      })
    const tables = input.shape.map((_, other) => (other === at ? positions : undefined))
    return [selectAxes(input, tables)]
  },
}

/** Positions where the condition holds. */
function chosen(condition: Tensor): readonly number[] {
  if (condition.dtype !== 'bool' || condition.shape.length !== 1)
    throw new EspalierError('bad-shape', 'the condition is not a list of bools', {
      got: `${condition.dtype} of shape ${formatShape(condition.shape)}`,
    })
  const positions: number[] = []
  for (const [index, holds] of condition.data.entries()) if (holds) positions.push(index)
  return positions
}
