/** Piecewise linear sigmoid. */
import type { Op } from '../op.ts'
import { float, floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerActivation } from '../support/lower-elementwise.ts'

const schema: Schema = {
  inputs: ['X: T'],
  outputs: ['Y: T'],
  attributes: { alpha: float(0.2), beta: float(0.5) },
}

export const HardSigmoid: Op = unary(
  {
    name: 'HardSigmoid',
    doc: 'max(0, min(1, alpha * x + beta)), element by element.',
    lower: lowerActivation(c => ({
      name: 'hard_sigmoid',
      alpha: c.attributes.float('alpha'),
      beta: c.attributes.float('beta'),
    })),
    versions: { 6: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  c => {
    const alpha = c.attributes.float('alpha')
    const beta = c.attributes.float('beta')
    return x => Math.max(0, Math.min(1, alpha * x + beta))
  },
)
