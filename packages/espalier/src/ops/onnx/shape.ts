/** Shape of a tensor as a tensor. */

import type { Dim } from '../../graph/graph.ts'
import { tensorType } from '../../graph/graph.ts'
import { int64 } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import * as types from '../schema.ts'
import { lowerConstant } from '../support/lower-movement.ts'

const { int, optional } = types
const schema = { inputs: ['data: T'], outputs: ['shape: T1'] }
const range = { start: int(0), end: optional('int') }
const version = (T: readonly types.TypeName[]): types.Schema => ({ ...schema, types: { T, T1: ['int64'] } })
const sliced = (T: readonly types.TypeName[]): types.Schema => ({ ...version(T), attributes: range })

export const Shape: Op = {
  name: 'Shape',
  doc: 'Extents of the input, or of its axes from `start` to `end`.',
  versions: {
    1: version(types.allTypes),
    13: version(types.allTypes13),
    15: sliced(types.allTypes13),
    19: sliced(types.allTypes19),
    21: sliced(types.allTypes21),
    23: sliced(types.allTypes23),
    24: sliced(types.allTypes24),
    25: sliced(types.allTypes25),
  },
  infer(c) {
    const shape = c.shape(0)
    return [tensorType('int64', [shape === undefined ? null : slice(c.attributes, shape).length])]
  },
  contents(c) {
    const shape = c.shape(0)
    return [shape && slice(c.attributes, shape)]
  },
  evaluate: c => [int64(slice(c.attributes, c.tensor(0).shape))],
  lower: c => lowerConstant(c, int64(slice(c.attributes, c.type(0).shape))),
}

/** Axes from `start` to `end`; both count from the back when negative and are clamped to the rank. */
function slice<D extends Dim>(attributes: Attributes, shape: readonly D[]): D[] {
  const clamp = (axis: number): number =>
    Math.min(Math.max(axis < 0 ? axis + shape.length : axis, 0), shape.length)
  const start = clamp(attributes.optionalInt('start') ?? 0)
  const end = clamp(attributes.optionalInt('end') ?? shape.length)
  return shape.slice(start, Math.max(start, end))
}
