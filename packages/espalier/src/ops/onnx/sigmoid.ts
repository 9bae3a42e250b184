/** Logistic function. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { sigmoid } from '../support/activations.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Sigmoid: Op = unary(
  {
    name: 'Sigmoid',
    doc: '1 / (1 + exp(-x)), element by element.',
    lower: lowerUnary('sigmoid'),
    versions: { 6: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
  },
  () => sigmoid,
)
