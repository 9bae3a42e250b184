/** Inverse sine. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Asin: Op = unary(
  {
    name: 'Asin',
    doc: 'Inverse sine in radians, element by element; NaN outside [-1, 1].',
    lower: lowerUnary('asin'),
    versions: { 7: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.asin,
)
