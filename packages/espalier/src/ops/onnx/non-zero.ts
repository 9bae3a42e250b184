/** Where a tensor is not zero. */
import { tensorType } from '../../graph/graph.ts'
import { dtypeInfo } from '../../tensor/dtype.ts'
import { numbers, strings } from '../../tensor/elements.ts'
import { elementCount, type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes } from '../schema.ts'
import { upTo13, versionsOf } from '../support/versions.ts'

export const NonZero: Op = {
  name: 'NonZero',
  doc: 'The coordinates of the elements that are not zero (not empty, for strings): one row for each axis.',
  versions: versionsOf({ 9: allTypes, ...upTo13 }, T => ({
    inputs: ['X: T'],
    outputs: ['Y: int64'],
    types: { T },
  })),
  infer: c => [tensorType('int64', [c.shape(0)?.length ?? null, null])],
  evaluate(c) {
    const x = c.tensor(0)
    const isZero = zeroTest(x)
    const found: number[] = []
    for (let i = 0; i < elementCount(x); i++) if (!isZero(i)) found.push(i)
    const rank = x.shape.length
    const coordinates = new BigInt64Array(rank * found.length)
    for (const [column, index] of found.entries()) {
      let rest = index
      for (let axis = rank - 1; axis >= 0; axis--) {
        coordinates[axis * found.length + column] = BigInt(rest % x.shape[axis]!)
        rest = Math.floor(rest / x.shape[axis]!)
      }
    }
    return [tensor('int64', [rank, found.length], coordinates)]
  },
}

function zeroTest(x: Tensor): (index: number) => boolean {
  if (x.dtype === 'string') {
    const texts = strings(x)
    return index => texts[index] === ''
  }
  const values = numbers(x)
  if (dtypeInfo(x.dtype).kind === 'complex')
    return index => values[2 * index] === 0 && values[2 * index + 1] === 0
  return index => values[index] === 0
}
