/**
 * Largest element of each cell of a grid laid over regions of interest. Regions are rounded to whole
 * elements, cells overlap where they do not divide evenly, an empty cell is 0. Source: "Fast R-CNN", arXiv
 * 1504.08083.
 */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import { float, floats, floats16, required, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { outputSize } from '../support/movement.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['X: T', 'rois: T'],
  outputs: ['Y: T'],
  types: { T },
  attributes: { pooled_shape: required('ints'), spatial_scale: float(1) },
})

export const MaxRoiPool: Op = {
  name: 'MaxRoiPool',
  doc: 'The largest elements of a grid of cells over each region of interest.',
  versions: { 1: version(floats16), 22: version(floats) },
  infer(c) {
    const channels = c.shape(0)?.[1] ?? null
    const count = c.shape(1)?.[0] ?? null
    return [typed(c.dtype(0), [count, channels, ...readGrid(c.attributes)])]
  },
  evaluate(c) {
    const [input, regions] = [c.tensor(0), c.tensor(1)]
    if (input.shape.length !== 4 || regions.shape.length !== 2 || regions.shape[1] !== 5)
      throw new EspalierError('bad-shape', 'input and regions do not fit a RoI pool', {
        expected: 'an input of rank 4 and regions [n, 5]',
        got: `${formatShape(input.shape)} and ${formatShape(regions.shape)}`,
      })
    const [batch, channels, height, width] = input.shape as [number, number, number, number]
    const [rows, columns] = readGrid(c.attributes)
    const scale = c.attributes.float('spatial_scale')
    const count = regions.shape[0]!
    const [x, rois] = [numbers(input), numbers(regions)]
    const y = allocate('float64', outputSize('float64', [count, channels, rows, columns]))
    let at = 0
    for (let r = 0; r < count; r++) {
      const [sample, x1, y1, x2, y2] = rois.subarray(r * 5) as unknown as [
        number,
        number,
        number,
        number,
        number,
      ]
      if (!(Number.isInteger(sample) && sample >= 0 && sample < batch))
        throw new EspalierError('bad-argument', `region ${r} names sample ${sample}`, {
          expected: `0 to ${batch - 1}`,
        })
      const vertical = cells(roundHalfAway(y1 * scale), roundHalfAway(y2 * scale), rows, height)
      const horizontal = cells(roundHalfAway(x1 * scale), roundHalfAway(x2 * scale), columns, width)
      for (let channel = 0; channel < channels; channel++) {
        const plane = (sample * channels + channel) * height * width
        for (const [top, bottom] of vertical)
          for (const [left, right] of horizontal) {
            let best = bottom > top && right > left ? Number.NEGATIVE_INFINITY : 0
            for (let i = top; i < bottom; i++)
              for (let j = left; j < right; j++) best = Math.max(best, x[plane + i * width + j]!)
            y[at++] = best
          }
      }
    }
    return [fromNumbers(input.dtype, [count, channels, rows, columns], y)]
  },
}

function readGrid(attributes: Attributes): [number, number] {
  const [rows, columns, ...more] = attributes.ints('pooled_shape')
  if (rows !== undefined && columns !== undefined && more.length === 0 && rows > 0 && columns > 0)
    return [rows, columns]
  throw new EspalierError('bad-argument', 'not a grid of cells', {
    where: { field: 'pooled_shape' },
    expected: 'two positive numbers',
    got: `[${attributes.ints('pooled_shape').join(', ')}]`,
  })
}

/**
 * The cells of a region from `start` to `end` (inclusive), cut to an axis of `extent`: from and to
 * (exclusive).
 */
function cells(start: number, end: number, count: number, extent: number): [number, number][] {
  const length = Math.max(end - start + 1, 1)
  const clamp = (position: number): number => Math.min(Math.max(position + start, 0), extent)
  return Array.from({ length: count }, (_, i) => [
    clamp(Math.floor((i * length) / count)),
    clamp(Math.ceil(((i + 1) * length) / count)),
  ])
}

function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value))
}
