/** Uniformly distributed random numbers in a given shape. */
import type { Op } from '../op.ts'
import { float } from '../schema.ts'
import { randomTensor, uniform } from '../support/random-values.ts'

export const RandomUniform: Op = randomTensor(
  { name: 'RandomUniform', doc: 'Uniformly distributed random numbers in a given shape.' },
  { low: float(0), high: float(1) },
  uniform,
)
