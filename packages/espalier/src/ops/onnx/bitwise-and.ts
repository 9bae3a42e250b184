/** Conjunction bit by bit. */
import type { Op } from '../op.ts'
import { integers } from '../schema.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

export const BitwiseAnd: Op = binary(
  {
    name: 'BitwiseAnd',
    doc: 'Bits that are set in both, with broadcasting.',
    lower: lowerBinary('and'),
    versions: { 18: { inputs: ['A: T', 'B: T'], outputs: ['C: T'], types: { T: integers } } },
  },
  (a, b) => a & b,
  (a, b) => a & b,
)
