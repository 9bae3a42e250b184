/** Normally distributed random numbers in the shape of the input. */
import type { Op } from '../op.ts'
import { float } from '../schema.ts'
import { normal, randomLike } from '../support/random-values.ts'

export const RandomNormalLike: Op = randomLike(
  { name: 'RandomNormalLike', doc: 'Normally distributed random numbers in the shape of the input.' },
  { mean: float(0), scale: float(1) },
  normal,
)
