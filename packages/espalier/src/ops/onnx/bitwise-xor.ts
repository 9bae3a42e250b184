/** Exclusive disjunction bit by bit. */
import type { Op } from '../op.ts'
import { integers } from '../schema.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

export const BitwiseXor: Op = binary(
  {
    name: 'BitwiseXor',
    doc: 'Bits that are set in just one, with broadcasting.',
    lower: lowerBinary('xor'),
    versions: { 18: { inputs: ['A: T', 'B: T'], outputs: ['C: T'], types: { T: integers } } },
  },
  (a, b) => a ^ b,
  (a, b) => a ^ b,
)
