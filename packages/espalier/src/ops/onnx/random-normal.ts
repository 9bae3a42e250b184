/** Normally distributed random numbers in a given shape. */
import type { Op } from '../op.ts'
import { float } from '../schema.ts'
import { normal, randomTensor } from '../support/random-values.ts'

export const RandomNormal: Op = randomTensor(
  { name: 'RandomNormal', doc: 'Normally distributed random numbers in a given shape.' },
  { mean: float(0), scale: float(1) },
  normal,
)
