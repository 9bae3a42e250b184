/** Exponential linear unit (arXiv 1511.07289). */
import type { Op } from '../op.ts'
import { float, floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerActivation } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'], attributes: { alpha: float(1) } }

export const Elu: Op = unary(
  {
    name: 'Elu',
    doc: 'x, and alpha * (exp(x) - 1) below zero, element by element.',
    lower: lowerActivation(c => ({ name: 'elu', alpha: c.attributes.float('alpha'), beta: 0 })),
    versions: { 6: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  c => {
    const alpha = c.attributes.float('alpha')
    return x => (x < 0 ? alpha * Math.expm1(x) : x)
  },
)
