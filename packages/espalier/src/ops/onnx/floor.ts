/** Rounding down. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { sameContents } from '../support/contents.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Floor: Op = unary(
  {
    name: 'Floor',
    doc: 'Largest integer that is not greater, element by element.',
    lower: lowerUnary('floor'),
    versions: { 6: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
    contents: sameContents,
  },
  () => Math.floor,
)
