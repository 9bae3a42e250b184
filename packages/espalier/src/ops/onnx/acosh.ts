/** Inverse hyperbolic cosine. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Acosh: Op = unary(
  {
    name: 'Acosh',
    doc: 'Inverse hyperbolic cosine, element by element; NaN below 1.',
    lower: lowerUnary('acosh'),
    versions: { 9: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.acosh,
)
