/** Inverse tangent. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Atan: Op = unary(
  {
    name: 'Atan',
    doc: 'Inverse tangent in radians, element by element.',
    lower: lowerUnary('atan'),
    versions: { 7: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => Math.atan,
)
