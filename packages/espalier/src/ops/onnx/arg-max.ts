/** Position of the largest element along an axis. */
import type { Op } from '../op.ts'
import { argExtremum } from '../support/arg-extremum.ts'

export const ArgMax: Op = argExtremum(
  { name: 'ArgMax', doc: 'Index of the largest element along an axis, the first (or last) of equals.' },
  false,
)
