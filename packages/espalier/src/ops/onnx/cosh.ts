/** Hyperbolic cosine. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Cosh: Op = unary(
  {
    name: 'Cosh',
    doc: 'Hyperbolic cosine, element by element.',
    lower: lowerUnary('cosh'),
    versions: { 9: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.cosh,
)
