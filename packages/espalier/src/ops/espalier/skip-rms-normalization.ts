/** RMS normalisation over the last axis of a sum, which is given too where it is wanted. */
import type { Op } from '../op.ts'
import { skipNormalization } from '../support/skip-normalization.ts'

export const SkipRMSNormalization: Op = skipNormalization(
  {
    name: 'SkipRMSNormalization',
    doc: 'RMS normalisation of x + residual over the last axis, with scale; and the sum.',
  },
  ['scale: T'],
  'rms',
  (x, start, steps) => {
    let squares = 0
    for (const step of steps) squares += x[start + step]! ** 2
    return { mean: 0, variance: squares / steps.length }
  },
)
