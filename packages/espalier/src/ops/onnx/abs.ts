/** Absolute value. The least signed integer has none and stays, as in C and NumPy. */
import type { Op } from '../op.ts'
import { numeric, numeric16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Abs: Op = unary(
  {
    name: 'Abs',
    doc: 'Absolute value, element by element.',
    lower: lowerUnary('abs', 'abs'),
    versions: { 6: { ...schema, types: { T: numeric16 } }, 13: { ...schema, types: { T: numeric } } },
  },
  () => Math.abs,
  () => x => (x < 0n ? -x : x),
)
