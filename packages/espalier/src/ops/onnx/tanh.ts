/** Hyperbolic tangent. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Tanh: Op = unary(
  {
    name: 'Tanh',
    doc: 'Hyperbolic tangent, element by element.',
    lower: lowerUnary('tanh'),
    versions: { 6: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
  },
  () => Math.tanh,
)
