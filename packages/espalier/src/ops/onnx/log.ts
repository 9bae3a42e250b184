/** Natural logarithm. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Log: Op = unary(
  {
    name: 'Log',
    doc: 'Natural logarithm, element by element; NaN below zero.',
    lower: lowerUnary('log'),
    versions: { 6: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
  },
  () => Math.log,
)
