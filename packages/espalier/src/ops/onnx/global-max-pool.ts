/** Largest element of every plane. */
import type { Op } from '../op.ts'
import { globalPool } from '../support/global-pool.ts'

export const GlobalMaxPool: Op = globalPool({
  name: 'GlobalMaxPool',
  doc: 'The largest element over all spatial axes.',
  since: 1,
  reduction: 'max',
  pool: () => plane => plane.reduce((best, value) => Math.max(best, value), Number.NEGATIVE_INFINITY),
})
