/** Uniformly distributed random numbers in the shape of the input. */
import type { Op } from '../op.ts'
import { float } from '../schema.ts'
import { randomLike, uniform } from '../support/random-values.ts'

export const RandomUniformLike: Op = randomLike(
  { name: 'RandomUniformLike', doc: 'Uniformly distributed random numbers in the shape of the input.' },
  { low: float(0), high: float(1) },
  uniform,
)
