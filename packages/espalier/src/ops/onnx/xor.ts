/** Exclusive disjunction. */
import type { Op } from '../op.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

export const Xor: Op = binary(
  {
    name: 'Xor',
    doc: 'Whether just one is true, with broadcasting.',
    lower: lowerBinary('xor'),
    versions: { 7: { inputs: ['A: T', 'B: T'], outputs: ['C: T1'], types: { T: ['bool'], T1: ['bool'] } } },
  },
  (a, b) => a ^ b,
)
