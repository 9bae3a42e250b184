/** Running product. */
import type { Op } from '../op.ts'
import { highPrecision } from '../schema.ts'
import { cumulative, cumulativeVersion } from '../support/cumulative.ts'

export const CumProd: Op = cumulative(
  {
    name: 'CumProd',
    doc: 'Running product along an axis, with or without the element itself, from either end.',
    versions: { 26: cumulativeVersion(highPrecision) },
  },
  { neutral: 1, combine: (a, b) => a * b },
  { neutral: 1n, combine: (a, b) => BigInt.asIntN(64, a * b) },
)
