/** Product over axes. */
import { productOfDims } from '../../graph/dim.ts'
import type { Op } from '../op.ts'
import { reduceContents, reduction, reductionVersions } from '../support/reduce.ts'

export const ReduceProd: Op = reduction(
  {
    name: 'ReduceProd',
    doc: 'Product over the given axes; 1 for none. Products of integers wrap around.',
    versions: reductionVersions,
    contents: reduceContents(productOfDims),
  },
  'prod',
  (x, start, steps) => {
    let product = 1
    for (const step of steps) product *= x[start + step]!
    return product
  },
  (x, start, steps) => {
    let product = 1n
    for (const step of steps) product = BigInt.asIntN(64, product * x[start + step]!)
    return product
  },
)
