/** Disjunction. */
import type { Op } from '../op.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

export const Or: Op = binary(
  {
    name: 'Or',
    doc: 'Whether one or both are true, with broadcasting.',
    lower: lowerBinary('or'),
    versions: { 7: { inputs: ['A: T', 'B: T'], outputs: ['C: T1'], types: { T: ['bool'], T1: ['bool'] } } },
  },
  (a, b) => a | b,
)
