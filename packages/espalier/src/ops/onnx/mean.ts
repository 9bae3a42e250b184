/** Mean of several tensors, rounded once. */
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { variadic } from '../support/elementwise.ts'
import { apply, constant, lowerFold } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['data_0...: T'], outputs: ['mean: T'] }

export const Mean: Op = variadic(
  {
    name: 'Mean',
    doc: 'Element-wise mean of all inputs, with broadcasting.',
    lower: lowerFold('add', (sum, count) => apply('div', sum, constant(sum.dtype, count))),
    versions: {
      6: { ...schema, types: { T: floats16 } },
      8: { ...schema, types: { T: floats16 } },
      13: { ...schema, types: { T: floats } },
    },
  },
  (a, b) => a + b,
  undefined,
  (sum, count) => sum / count,
)
