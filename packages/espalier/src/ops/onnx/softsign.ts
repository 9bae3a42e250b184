/** Softsign. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Softsign: Op = unary(
  {
    name: 'Softsign',
    doc: 'x / (1 + |x|), element by element.',
    versions: { 1: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  },
  () => x => x / (1 + Math.abs(x)),
)
