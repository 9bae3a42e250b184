/** Softsign. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { apply, constant, lowerFloat } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Softsign: Op = unary(
  {
    name: 'Softsign',
    doc: 'x / (1 + |x|), element by element.',
    lower: lowerFloat(x => apply('div', x, apply('add', apply('abs', x), constant(x.dtype, 1)))),
    versions: { 1: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => x => x / (1 + Math.abs(x)),
)
