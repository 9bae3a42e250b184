/** Running sum. */
import type { Op } from '../op.ts'
import { highPrecision } from '../schema.ts'
import { cumulative, cumulativeVersion } from '../support/cumulative.ts'
import { lowerCumulativeSum } from '../support/lower-lines.ts'

export const CumSum: Op = {
  ...cumulative(
    {
      name: 'CumSum',
      doc: 'Running sum along an axis, with or without the element itself, from either end.',
      versions: {
        11: cumulativeVersion(['uint32', 'uint64', 'int32', 'int64', 'float32', 'float64']),
        14: cumulativeVersion(highPrecision),
      },
    },
    { neutral: 0, combine: (a, b) => a + b },
    { neutral: 0n, combine: (a, b) => BigInt.asIntN(64, a + b) },
  ),
  lower: lowerCumulativeSum,
}
