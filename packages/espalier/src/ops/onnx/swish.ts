/** Swish (arXiv 1710.05941); with alpha 1 it is SiLU. */
import type { Op } from '../op.ts'
import { float, floats, type Schema } from '../schema.ts'
import { sigmoid } from '../support/activations.ts'
import { unary } from '../support/elementwise.ts'
import { lowerActivation } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'], attributes: { alpha: float(1) } }

export const Swish: Op = unary(
  {
    name: 'Swish',
    doc: 'x * sigmoid(alpha * x), element by element.',
    lower: lowerActivation(c => ({ name: 'silu', alpha: c.attributes.float('alpha'), beta: 0 })),
    versions: { 24: { ...schema, types: { T: floats } } },
  },
  c => {
    const alpha = c.attributes.float('alpha')
    return x => x * sigmoid(alpha * x)
  },
)
