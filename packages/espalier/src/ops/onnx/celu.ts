/** Continuously differentiable exponential linear unit (arXiv 1704.07483). */
import type { Op } from '../op.ts'
import { float, floats, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { apply, constant, lowerFloat, type Value } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'], attributes: { alpha: float(1) } }

export const Celu: Op = unary(
  {
    name: 'Celu',
    doc: 'max(0, x) + min(0, alpha * (exp(x / alpha) - 1)), element by element.',
    lower: lowerFloat((x, c) => celu(x, c.attributes.float('alpha'))),
    versions: { 12: { ...schema, types: { T: ['float32'] } }, 28: { ...schema, types: { T: floats } } },
  },
  c => {
    const alpha = c.attributes.float('alpha')
    return x => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha))
  },
)

function celu(x: Value, alpha: number): Value {
  const [zero, scale] = [constant(x.dtype, 0), constant(x.dtype, alpha)]
  const curve = apply('mul', scale, apply('expm1', apply('div', x, scale)))
  return apply('add', apply('relu', x), apply('min', curve, zero))
}
