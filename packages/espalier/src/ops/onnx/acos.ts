/** Inverse cosine. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Acos: Op = unary(
  {
    name: 'Acos',
    doc: 'Inverse cosine in radians, element by element; NaN outside [-1, 1].',
    lower: lowerUnary('acos'),
    versions: { 7: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.acos,
)
