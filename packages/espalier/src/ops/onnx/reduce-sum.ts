/** Sum over axes. */
import { addDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import type { Op } from '../op.ts'
import { highPrecision, highPrecision16 } from '../schema.ts'
import { axesAsAttribute, axesAsInput, reduceContents, reduction } from '../support/reduce.ts'

export const ReduceSum: Op = reduction(
  {
    name: 'ReduceSum',
    doc: 'Sum over the given axes; 0 for none.',
    versions: {
      1: axesAsAttribute(highPrecision16),
      11: axesAsAttribute(highPrecision16),
      13: axesAsInput(highPrecision),
    },
    contents: reduceContents(contents => contents.reduce<Dim>(addDims, 0)),
  },
  'sum',
  (x, start, steps) => {
    let sum = 0
    for (const step of steps) sum += x[start + step]!
    return sum
  },
  (x, start, steps) => {
    let sum = 0n
    for (const step of steps) sum += x[start + step]!
    return sum
  },
)
