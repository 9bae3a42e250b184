/** Reciprocal. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Reciprocal: Op = unary(
  {
    name: 'Reciprocal',
    doc: '1 / x, element by element.',
    lower: lowerUnary('reciprocal'),
    versions: { 6: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
  },
  () => x => 1 / x,
)
