/** Mish (arXiv 1908.08681). */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { softplus } from '../support/activations.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Mish: Op = unary(
  {
    name: 'Mish',
    doc: 'x * tanh(softplus(x)), element by element.',
    lower: lowerUnary('mish'),
    versions: { 18: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => x => x * Math.tanh(softplus(x)),
)
