/** Comparison: equal. NaN equals nothing. */
import { differentDims, sameDim } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import type { Op } from '../op.ts'
import { numeric, numeric16, type Schema } from '../schema.ts'
import { broadcastContents, contentOf } from '../support/contents.ts'
import { comparison } from '../support/elementwise.ts'
import { lowerComparison } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['A: T', 'B: T'], outputs: ['C: T1'] }

export const Equal: Op = comparison(
  {
    name: 'Equal',
    doc: 'Whether both are equal, with broadcasting.',
    lower: lowerComparison('equal'),
    versions: {
      7: { ...schema, types: { T: ['bool', 'int32', 'int64'], T1: ['bool'] } },
      11: { ...schema, types: { T: ['bool', ...numeric16], T1: ['bool'] } },
      13: { ...schema, types: { T: ['bool', ...numeric], T1: ['bool'] } },
      19: { ...schema, types: { T: ['bool', ...numeric, 'string'], T1: ['bool'] } },
    },
    /** 0 and 1 where it is known: exporters ask which extents of a shape are -1. */
    contents(c) {
      const both = broadcastContents([contentOf(c, 0), contentOf(c, 1)])
      return [both && both[0]!.map((dim, i) => equalDims(dim, both[1]![i]!))]
    },
  },
  (a, b) => a === b,
)

function equalDims(a: Dim, b: Dim): Dim {
  if (sameDim(a, b)) return 1
  if (differentDims(a, b)) return 0
  return (isNegative(a) && isExtent(b)) || (isNegative(b) && isExtent(a)) ? 0 : null
}

function isNegative(dim: Dim): boolean {
  return typeof dim === 'number' && dim < 0
}

/**
 * Whether an expression cannot be negative: extents are not, and without a minus sums and products of them
 * are not.
 */
function isExtent(dim: Dim): boolean {
  return typeof dim === 'string' && !dim.includes('-')
}
