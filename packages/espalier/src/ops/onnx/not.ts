/** Logical negation. */
import type { Op } from '../op.ts'
import type { Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { inputValue, lowerTo, not } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Not: Op = unary(
  {
    name: 'Not',
    doc: 'Whether each element is false.',
    lower: lowerTo(c => not(inputValue(c, 0))),
    versions: { 1: { ...schema, types: { T: ['bool'] } } },
  },
  () => x => (x === 0 ? 1 : 0),
)
