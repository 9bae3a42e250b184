/** Axes in another order. */
import { EspalierError } from '../../errors.ts'
import { stridesOf } from '../../tensor/shape.ts'
import type { Attributes, Op } from '../op.ts'
import { optional } from '../schema.ts'
import { sameContents } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { lowerView } from '../support/lower-movement.ts'
import { copyStrided } from '../support/movement.ts'
import { from1To13, since21, versionsOf } from '../support/versions.ts'

export const Transpose: Op = {
  name: 'Transpose',
  doc: 'The input with its axes in the order of `perm`; reversed when it is left out.',
  versions: versionsOf({ ...from1To13, ...since21 }, T => ({
    inputs: ['data: T'],
    outputs: ['transposed: T'],
    types: { T },
    attributes: { perm: optional('ints') },
  })),
  infer(c) {
    const shape = c.shape(0)
    return [typed(c.dtype(0), shape && permutation(c.attributes, shape.length).map(axis => shape[axis]!))]
  },
  contents: sameContents,
  evaluate(c) {
    const data = c.tensor(0)
    const order = permutation(c.attributes, data.shape.length)
    if (order.every((axis, at) => axis === at)) return [data]
    const strides = stridesOf(data.shape)
    return [
      copyStrided(
        data,
        order.map(axis => data.shape[axis]!),
        order.map(axis => strides[axis]!),
      ),
    ]
  },
  lower(c) {
    const { shape } = c.type(0)
    const order = permutation(c.attributes, shape.length)
    const strides = stridesOf(shape)
    return lowerView(c, {
      shape: order.map(axis => shape[axis]!),
      strides: order.map(axis => strides[axis]!),
    })
  },
}

/** Output axis `i` is input axis `perm[i]`. */
function permutation(attributes: Attributes, rank: number): readonly number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  const perm = attributes.optionalInts('perm')
  if (perm === undefined) return axes.reverse()
  if (perm.length === rank && axes.every(axis => perm.includes(axis))) return perm
  throw new EspalierError('bad-argument', 'not an order of the axes', {
    where: { field: 'perm' },
    expected: `each of 0 to ${rank - 1} once`,
    got: `[${perm.join(', ')}]`,
  })
}
