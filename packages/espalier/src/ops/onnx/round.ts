/** Rounding to the nearest integer, halves to the even one. */
import { roundHalfEven } from '../../tensor/minifloat.ts'
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { sameContents } from '../support/contents.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Round: Op = unary(
  {
    name: 'Round',
    doc: 'Nearest integer, halves to even, element by element.',
    lower: lowerUnary('round'),
    versions: { 11: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
    contents: sameContents,
  },
  () => roundHalfEven,
)
