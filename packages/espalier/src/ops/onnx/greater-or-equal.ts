/** Comparison: greater or equal. False where one side is NaN. */
import type { Op } from '../op.ts'
import { numeric, numeric16, type Schema } from '../schema.ts'
import { comparison } from '../support/elementwise.ts'
import { lowerComparison } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['A: T', 'B: T'], outputs: ['C: T1'] }

export const GreaterOrEqual: Op = comparison(
  {
    name: 'GreaterOrEqual',
    doc: 'Whether the first is greater or equal, with broadcasting.',
    lower: lowerComparison('less_equal', true),
    versions: {
      12: { ...schema, types: { T: numeric16, T1: ['bool'] } },
      16: { ...schema, types: { T: numeric, T1: ['bool'] } },
    },
  },
  (a, b) => a >= b,
)
