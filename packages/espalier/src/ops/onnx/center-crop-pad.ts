/** The middle of a tensor, cropped or padded with zeros to given extents. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { normalizeAxes, normalizeAxis } from '../../tensor/shape.ts'
import { zeros } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes13, optional } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { contentOrUnknown } from '../support/known-lengths.ts'
import { lowerPick } from '../support/lower-movement.ts'
import { outputSize, selectAxes, tableOf } from '../support/movement.ts'

export const CenterCropPad: Op = {
  name: 'CenterCropPad',
  doc: 'The input cropped or padded with zeros around its middle, so that `axes` get the extents `shape`.',
  versions: {
    18: {
      inputs: ['input_data: T', 'shape: Tind'],
      outputs: ['output_data: T'],
      types: { T: allTypes13, Tind: ['int32', 'int64'] },
      attributes: { axes: optional('ints') },
    },
  },
  infer(c) {
    const [shape, target] = [c.shape(0), contentOrUnknown(c, 1)]
    const axes = c.attributes.optionalInts('axes')
    if (shape === undefined) return [typed(c.dtype(0), undefined)]
    return [typed(c.dtype(0), target ? withExtents(shape, target, axes) : shape.map(() => null))]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const target = listOf(c.tensor(1), 'shape')
    const shape = withExtents(input.shape, target, c.attributes.optionalInts('axes')) as readonly number[]
    if (outputSize(input.dtype, shape) === 0) return [zeros(input.dtype, shape)]
    return [
      selectAxes(
        input,
        input.shape.map((extent, axis) => centered(extent, shape[axis]!)),
      ),
    ]
  },
  lower(c) {
    const to = c.outputType(0).shape
    return lowerPick(
      c,
      c.type(0).shape.map((extent, axis) => centered(extent, to[axis]!)),
    )
  },
}

function withExtents(
  shape: readonly Dim[],
  target: readonly Dim[],
  axes: readonly number[] = shape.map((_, axis) => axis),
): readonly Dim[] {
  normalizeAxes(axes, shape.length)
  if (target.length !== axes.length)
    throw new EspalierError('bad-shape', 'there is not one extent for each axis', {
      expected: `${axes.length}`,
      got: `${target.length}`,
    })
  const result = [...shape]
  for (const [i, axis] of axes.entries()) result[normalizeAxis(axis, shape.length)] = target[i]!
  return result
}

/** The position of the input at each of `length` positions, -1 outside it; an odd difference falls to the end. */
function centered(extent: number, length: number): Float64Array | undefined {
  if (extent === length) return undefined
  const first = length < extent ? Math.floor((extent - length) / 2) : -Math.floor((length - extent) / 2)
  return tableOf(length, i => (first + i < extent ? Math.max(-1, first + i) : -1))
}
