/** Complement bit by bit. */
import type { Op } from '../op.ts'
import { integers } from '../schema.ts'
import { unary } from '../support/elementwise.ts'

export const BitwiseNot: Op = unary(
  {
    name: 'BitwiseNot',
    doc: 'Every bit turned, element by element.',
    versions: { 18: { inputs: ['X: T'], outputs: ['Y: T'], types: { T: integers } } },
  },
  () => x => ~x,
  () => x => ~x,
)
