/** Exponential. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Exp: Op = unary(
  {
    name: 'Exp',
    doc: 'e to the power of each element.',
    lower: lowerUnary('exp'),
    versions: { 6: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
  },
  () => Math.exp,
)
