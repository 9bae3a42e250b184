/** Difference of two tensors. Integers wrap. */
import { subtractDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { highPrecision, highPrecision16, numeric, type Schema } from '../schema.ts'
import { zipContents } from '../support/contents.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['A: T', 'B: T'], outputs: ['C: T'] }

export const Sub: Op = binary(
  {
    name: 'Sub',
    doc: 'Element-wise difference, with broadcasting.',
    lower: lowerBinary('sub'),
    versions: {
      7: { ...schema, types: { T: highPrecision16 } },
      13: { ...schema, types: { T: highPrecision } },
      14: { ...schema, types: { T: numeric } },
    },
    contents: zipContents(subtractDims),
  },
  (a, b) => a - b,
  (a, b) => a - b,
)
