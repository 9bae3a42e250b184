/** Square root of the sum of squares over axes. */
import type { Op } from '../op.ts'
import { reduction, reductionVersions } from '../support/reduce.ts'

export const ReduceL2: Op = reduction(
  {
    name: 'ReduceL2',
    doc: 'L2 norm over the given axes; 0 for none. Norms of integers are truncated.',
    versions: reductionVersions,
  },
  'l2',
  (x, start, steps) => {
    let sum = 0
    for (const step of steps) sum += x[start + step]! ** 2
    return Math.sqrt(sum)
  },
  (x, start, steps) => {
    let sum = 0n
    for (const step of steps) sum += x[start + step]! * x[start + step]!
    return integerRoot(sum)
  },
)

/** floor(sqrt(value)), exactly: one Newton step from the floating-point root, then the last units. */
function integerRoot(value: bigint): bigint {
  if (value === 0n) return 0n
  const near = BigInt(Math.floor(Math.sqrt(Number(value))))
  let root = (near + value / near) / 2n
  while (root * root > value) root--
  while ((root + 1n) * (root + 1n) <= value) root++
  return root
}
