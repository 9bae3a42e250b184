/** Rectifier with a threshold above zero (arXiv 1402.3337). */
import type { Op } from '../op.ts'
import { float, floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { choose, compare, constant, lowerFloat, type Value } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'], attributes: { alpha: float(1) } }

export const ThresholdedRelu: Op = unary(
  {
    name: 'ThresholdedRelu',
    doc: 'x above alpha, otherwise zero, element by element.',
    lower: lowerFloat((x, c) => threshold(x, c.attributes.float('alpha'))),
    versions: { 10: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  c => {
    const alpha = c.attributes.float('alpha')
    return x => (x > alpha ? x : 0)
  },
)

function threshold(x: Value, alpha: number): Value {
  return choose(compare('less', constant(x.dtype, alpha), x), x, constant(x.dtype, 0))
}
