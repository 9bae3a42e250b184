/** Inverse hyperbolic tangent. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Atanh: Op = unary(
  {
    name: 'Atanh',
    doc: 'Inverse hyperbolic tangent, element by element; NaN outside [-1, 1].',
    lower: lowerUnary('atanh'),
    versions: { 9: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.atanh,
)
