/** Disjunction bit by bit. */
import type { Op } from '../op.ts'
import { integers } from '../schema.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

export const BitwiseOr: Op = binary(
  {
    name: 'BitwiseOr',
    doc: 'Bits that are set in one or both, with broadcasting.',
    lower: lowerBinary('or'),
    versions: { 18: { inputs: ['A: T', 'B: T'], outputs: ['C: T'], types: { T: integers } } },
  },
  (a, b) => a | b,
  (a, b) => a | b,
)
