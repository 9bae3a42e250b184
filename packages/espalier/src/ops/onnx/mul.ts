/**
 * Product of two tensors. Integers wrap; products of 32-bit integers leave float64, so their low bits are
 * computed on their own.
 */
import { multiplyDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { highPrecision, highPrecision16, numeric, type Schema } from '../schema.ts'
import { zipContents } from '../support/contents.ts'
import { binary } from '../support/elementwise.ts'
import { lowerBinary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['A: T', 'B: T'], outputs: ['C: T'] }

export const Mul: Op = binary(
  {
    name: 'Mul',
    doc: 'Element-wise product, with broadcasting.',
    lower: lowerBinary('mul'),
    versions: {
      7: { ...schema, types: { T: highPrecision16 } },
      13: { ...schema, types: { T: highPrecision } },
      14: { ...schema, types: { T: numeric } },
    },
    contents: zipContents(multiplyDims),
  },
  (a, b) => a * b,
  (a, b) => a * b,
  Math.imul,
)
