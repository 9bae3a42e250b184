/** Largest of several tensors. NaN wins. */
import { maxDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { floats16, numeric, numeric16, type Schema } from '../schema.ts'
import { zipContents } from '../support/contents.ts'
import { variadic } from '../support/elementwise.ts'
import { lowerFold } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['data_0...: T'], outputs: ['max: T'] }

export const Max: Op = variadic(
  {
    name: 'Max',
    doc: 'Element-wise maximum of all inputs, with broadcasting.',
    lower: lowerFold('max'),
    versions: {
      6: { ...schema, types: { T: floats16 } },
      8: { ...schema, types: { T: floats16 } },
      12: { ...schema, types: { T: numeric16 } },
      13: { ...schema, types: { T: numeric } },
    },
    contents: zipContents(maxDims),
  },
  Math.max,
  (a, b) => (a > b ? a : b),
)
