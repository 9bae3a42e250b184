/** Negation. */
import { multiplyDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { floats, floats16, type Schema, signed } from '../schema.ts'
import { mapContents } from '../support/contents.ts'
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

export const Neg: Op = unary(
  {
    name: 'Neg',
    doc: 'Each element with its sign turned; integers wrap.',
    lower: lowerTo(c => negative(inputValue(c, 0))),
    versions: {
      6: { ...schema, types: { T: [...signed, ...floats16] } },
      13: { ...schema, types: { T: [...signed, ...floats] } },
    },
    contents: mapContents(dim => multiplyDims(dim, -1)),
  },
  () => x => -x,
  () => x => -x,
)

function negative(x: Value): Value {
  return isFloatStorage(x.dtype) ? apply('neg', x) : apply('sub', constant(x.dtype, 0), x)
}
