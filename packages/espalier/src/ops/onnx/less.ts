/** Comparison: less. False where one side is NaN. */
import type { Op } from '../op.ts'
import { floats16, numeric, numeric16, type Schema } from '../schema.ts'
import { comparison } from '../support/elementwise.ts'
import { lowerComparison } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['A: T', 'B: T'], outputs: ['C: T1'] }

export const Less: Op = comparison(
  {
    name: 'Less',
    doc: 'Whether the first is less, with broadcasting.',
    lower: lowerComparison('less'),
    versions: {
      7: { ...schema, types: { T: floats16, T1: ['bool'] } },
      9: { ...schema, types: { T: numeric16, T1: ['bool'] } },
      13: { ...schema, types: { T: numeric, T1: ['bool'] } },
    },
  },
  (a, b) => a < b,
)
