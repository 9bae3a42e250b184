/**
 * Quotient of two tensors. Integers are truncated towards zero; the least one divided by -1 wraps, as
 * negation does.
 */
import { floorDivideDims, multiplyDims, sameDim } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { isFloat } from '../../tensor/dtype.ts'
import type { InferContext, Op } from '../op.ts'
import { highPrecision, highPrecision16, numeric, type Schema } from '../schema.ts'
import { zipContents } from '../support/contents.ts'
import { binary } from '../support/elementwise.ts'
import { bigQuotient, quotient } from '../support/integer-division.ts'
import { lowerDivision } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['A: T', 'B: T'], outputs: ['C: T'] }

export const Div: Op = binary(
  {
    name: 'Div',
    doc: 'Element-wise quotient, with broadcasting.',
    lower: lowerDivision('div', () => 'div'),
    versions: {
      7: { ...schema, types: { T: highPrecision16 } },
      13: { ...schema, types: { T: highPrecision } },
      14: { ...schema, types: { T: numeric } },
    },
    contents: c => zipContents(isFloatDivision(c) ? exactQuotient : truncatedQuotient)(c),
  },
  (a, b) => a / b,
  bigQuotient,
  quotient,
)

function isFloatDivision(c: InferContext): boolean {
  const dtype = c.dtype(0)
  return dtype !== undefined && isFloat(dtype)
}

/** The quotient where it is known to be whole: contents of float tensors are whole numbers. */
function exactQuotient(a: Dim, b: Dim): Dim {
  const result = floorDivideDims(a, b)
  return sameDim(multiplyDims(result, b), a) ? result : null
}

/** Expressions over extents are taken as not negative, where truncating and rounding down are the same. */
function truncatedQuotient(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return b === 0 ? null : Math.trunc(a / b) + 0 // no -0
  return floorDivideDims(a, b)
}
