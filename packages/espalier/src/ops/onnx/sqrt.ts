/** Square root. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Sqrt: Op = unary(
  {
    name: 'Sqrt',
    doc: 'Square root, element by element; NaN below zero.',
    lower: lowerUnary('sqrt'),
    versions: { 6: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
  },
  () => Math.sqrt,
)
