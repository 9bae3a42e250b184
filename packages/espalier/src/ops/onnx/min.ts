/** Smallest of several tensors. NaN wins. */
import { minDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { floats16, numeric, numeric16, type Schema } from '../schema.ts'
import { zipContents } from '../support/contents.ts'
import { variadic } from '../support/elementwise.ts'
import { lowerFold } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['data_0...: T'], outputs: ['min: T'] }

export const Min: Op = variadic(
  {
    name: 'Min',
    doc: 'Element-wise minimum of all inputs, with broadcasting.',
    lower: lowerFold('min'),
    versions: {
      6: { ...schema, types: { T: floats16 } },
      8: { ...schema, types: { T: floats16 } },
      12: { ...schema, types: { T: numeric16 } },
      13: { ...schema, types: { T: numeric } },
    },
    contents: zipContents(minDims),
  },
  Math.min,
  (a, b) => (a < b ? a : b),
)
