/** Shrinkage: hard without bias, soft with bias equal to lambd. For integers the result is truncated. */
import type { Op } from '../op.ts'
import { float, numeric16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'

const schema: Schema = {
  inputs: ['input: T'],
  outputs: ['output: T'],
  attributes: { bias: float(0), lambd: float(0.5) },
}

export const Shrink: Op = unary(
  {
    name: 'Shrink',
    doc: 'x + bias below -lambd, x - bias above lambd, zero in between, element by element.',
    versions: { 9: { ...schema, types: { T: numeric16 } } },
  },
  c => {
    const bias = c.attributes.float('bias')
    const lambd = c.attributes.float('lambd')
    return x => {
      if (x < -lambd) return x + bias
      return x > lambd ? x - bias : 0
    }
  },
)
