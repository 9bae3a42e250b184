/** Rectifier. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema, signed } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import {
  apply,
  constant,
  inputValue,
  isFloatStorage,
  lowerTo,
  type Value,
} from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'] }

export const Relu: Op = unary(
  {
    name: 'Relu',
    doc: 'max(x, 0), element by element.',
    lower: lowerTo(c => relu(inputValue(c, 0))),
    versions: {
      6: { ...schema, types: { T: floats16 } },
      13: { ...schema, types: { T: floats } },
      14: { ...schema, types: { T: [...signed, ...floats] } },
    },
  },
  () => x => Math.max(x, 0),
  () => x => (x < 0n ? 0n : x),
)

function relu(x: Value): Value {
  return isFloatStorage(x.dtype) ? apply('relu', x) : apply('max', x, constant(x.dtype, 0))
}
