/** Inverse hyperbolic sine. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Asinh: Op = unary(
  {
    name: 'Asinh',
    doc: 'Inverse hyperbolic sine, element by element.',
    lower: lowerUnary('asinh'),
    versions: { 9: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.asinh,
)
