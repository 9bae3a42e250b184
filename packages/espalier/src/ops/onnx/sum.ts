/** Sum of several tensors, rounded once. */
import { addDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { floats, floats16, type Schema } from '../schema.ts'
import { zipContents } from '../support/contents.ts'
import { variadic } from '../support/elementwise.ts'
import { lowerFold } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['data_0...: T'], outputs: ['sum: T'] }

export const Sum: Op = variadic(
  {
    name: 'Sum',
    doc: 'Element-wise sum of all inputs, with broadcasting.',
    lower: lowerFold('add'),
    versions: {
      6: { ...schema, types: { T: floats16 } },
      8: { ...schema, types: { T: floats16 } },
      13: { ...schema, types: { T: floats } },
    },
    contents: zipContents(addDims),
  },
  (a, b) => a + b,
)
