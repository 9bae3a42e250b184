/** Position of the smallest element along an axis. */
import type { Op } from '../op.ts'
import { argExtremum } from '../support/arg-extremum.ts'

export const ArgMin: Op = argExtremum(
  { name: 'ArgMin', doc: 'Index of the smallest element along an axis, the first (or last) of equals.' },
  true,
)
