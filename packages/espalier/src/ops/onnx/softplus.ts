/** Smooth rectifier. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { softplus } from '../support/activations.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Softplus: Op = unary(
  {
    name: 'Softplus',
    doc: 'ln(1 + exp(x)), element by element.',
    lower: lowerUnary('softplus'),
    versions: { 1: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => softplus,
)
