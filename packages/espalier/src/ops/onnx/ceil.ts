/** Rounding up. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { sameContents } from '../support/contents.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Ceil: Op = unary(
  {
    name: 'Ceil',
    doc: 'Smallest integer that is not less, element by element.',
    lower: lowerUnary('ceil'),
    versions: { 6: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
    contents: sameContents,
  },
  () => Math.ceil,
)
