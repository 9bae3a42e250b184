/** Average of every plane. */
import type { Op } from '../op.ts'
import { globalPool } from '../support/global-pool.ts'

export const GlobalAveragePool: Op = globalPool({
  name: 'GlobalAveragePool',
  doc: 'Average over all spatial axes.',
  since: 1,
  reduction: 'mean',
  pool: () => plane => plane.reduce((sum, value) => sum + value, 0) / plane.length,
})
