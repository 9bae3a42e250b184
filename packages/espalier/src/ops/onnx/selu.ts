/**
 * Scaled exponential linear unit (arXiv 1706.02515); the defaults are the float32 values of its two
 * constants.
 */
import type { Op } from '../op.ts'
import { float, floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { apply, constant, lowerFloat, type Value } from '../support/lower-elementwise.ts'

const schema: Schema = {
  inputs: ['X: T'],
  outputs: ['Y: T'],
  attributes: { alpha: float(1.6732631921768188), gamma: float(1.0507010221481323) },
}

export const Selu: Op = unary(
  {
    name: 'Selu',
    doc: 'gamma * x, and gamma * alpha * (exp(x) - 1) up to zero, element by element.',
    lower: lowerFloat((x, c) => selu(x, c.attributes.float('alpha'), c.attributes.float('gamma'))),
    versions: { 6: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  c => {
    const alpha = c.attributes.float('alpha')
    const gamma = c.attributes.float('gamma')
    return x => gamma * (x > 0 ? x : alpha * Math.expm1(x))
  },
)

function selu(x: Value, alpha: number, gamma: number): Value {
  return apply('mul', apply('elu', x, constant(x.dtype, alpha)), constant(x.dtype, gamma))
}
