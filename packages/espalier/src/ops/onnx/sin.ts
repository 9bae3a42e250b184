/** Sine. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Sin: Op = unary(
  {
    name: 'Sin',
    doc: 'Sine of an angle in radians, element by element.',
    lower: lowerUnary('sin'),
    versions: { 7: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.sin,
)
