/** Swish with a piecewise linear sigmoid (MobileNetV3, arXiv 1905.02244). */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const HardSwish: Op = unary(
  {
    name: 'HardSwish',
    doc: 'x * max(0, min(1, x / 6 + 1 / 2)), element by element.',
    lower: lowerUnary('hard_swish'),
    versions: { 14: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => x => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
)
