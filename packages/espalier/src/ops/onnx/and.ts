/** Conjunction. */
import type { Op } from '../op.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

export const And: Op = binary(
  {
    name: 'And',
    doc: 'Whether both are true, with broadcasting.',
    lower: lowerBinary('and'),
    versions: { 7: { inputs: ['A: T', 'B: T'], outputs: ['C: T1'], types: { T: ['bool'], T1: ['bool'] } } },
  },
  (a, b) => a & b,
)
