/** Layer normalisation over the last axis of a sum, which is given too where it is wanted. */
import type { Op } from '../op.ts'
import { momentsOf } from '../support/normalize.ts'
import { skipNormalization } from '../support/skip-normalization.ts'

export const SkipLayerNormalization: Op = skipNormalization(
  {
    name: 'SkipLayerNormalization',
    doc: 'Layer normalisation of x + residual over the last axis, with scale and bias; and the sum.',
  },
  ['scale: T', 'bias?: T'],
  'layer',
  momentsOf,
)
