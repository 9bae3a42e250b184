/** Sum of two tensors. */
import { addDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { highPrecision, highPrecision16, numeric, type Schema } from '../schema.ts'
import { zipContents } from '../support/contents.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['A: T', 'B: T'], outputs: ['C: T'] }

export const Add: Op = binary(
  {
    name: 'Add',
    doc: 'Element-wise sum, with broadcasting.',
    lower: lowerBinary('add'),
    versions: {
      7: { ...schema, types: { T: highPrecision16 } },
      13: { ...schema, types: { T: highPrecision } },
      14: { ...schema, types: { T: numeric } },
    },
    contents: zipContents(addDims),
  },
  (a, b) => a + b,
  (a, b) => a + b,
)
