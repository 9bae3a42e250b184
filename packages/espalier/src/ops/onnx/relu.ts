/** Rectifier. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema, signed } from '../schema.ts'
import { unary } from '../support/elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Relu: Op = unary(
  {
    name: 'Relu',
    doc: 'max(x, 0), element by element.',
    versions: {
      6: { ...schema, types: { T: floats16 } },
      13: { ...schema, types: { T: floats } },
      14: { ...schema, types: { T: [...signed, ...floats] } },
    },
  },
  () => x => Math.max(x, 0),
  () => x => (x < 0n ? 0n : x),
)
