/** Rectifier with a threshold above zero (arXiv 1402.3337). */
import type { Op } from '../op.ts'
import { float, floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'], attributes: { alpha: float(1) } }

export const ThresholdedRelu: Op = unary(
  {
    name: 'ThresholdedRelu',
    doc: 'x above alpha, otherwise zero, element by element.',
    versions: { 10: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  c => {
    const alpha = c.attributes.float('alpha')
    return x => (x > alpha ? x : 0)
  },
)
