/** Cosine. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Cos: Op = unary(
  {
    name: 'Cos',
    doc: 'Cosine of an angle in radians, element by element.',
    lower: lowerUnary('cos'),
    versions: { 7: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.cos,
)
