/** Lp norm of every plane. */
import type { Op } from '../op.ts'
import { int } from '../schema.ts'
import { globalPool } from '../support/global-pool.ts'
import { readPower } from '../support/pooling.ts'

export const GlobalLpPool: Op = globalPool({
  name: 'GlobalLpPool',
  doc: 'The Lp norm over all spatial axes.',
  since: 2,
  attributes: { p: int(2) },
  pool(c) {
    const p = readPower(c.attributes)
    return plane => plane.reduce((sum, value) => sum + Math.abs(value) ** p, 0) ** (1 / p)
  },
})
