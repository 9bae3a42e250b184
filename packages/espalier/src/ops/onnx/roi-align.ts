/**
 * Pools regions of interest without rounding them: each cell of a grid takes sampling points, which are
 * interpolated between the four elements around them. Source: "Mask R-CNN", arXiv 1703.06870. In `max` mode
 * the largest of the four weighted elements of a point counts, not their sum, as in onnxruntime and ONNX's
 * reference.
 */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import {
  type AttributeSchema,
  float,
  floats,
  floats16,
  int,
  type Schema,
  string,
  type TypeName,
} from '../schema.ts'
import { typed } from '../support/infer.ts'
import { outputSize } from '../support/movement.ts'

const common = {
  mode: string('avg'),
  output_height: int(1),
  output_width: int(1),
  sampling_ratio: int(0),
  spatial_scale: float(1),
}
const shifted = { ...common, coordinate_transformation_mode: string('half_pixel') }
const version = (T1: readonly TypeName[], attributes: Record<string, AttributeSchema>): Schema => ({
  inputs: ['X: T1', 'rois: T1', 'batch_indices: T2'],
  outputs: ['Y: T1'],
  types: { T1, T2: ['int64'] },
  attributes,
})

export const RoiAlign: Op = {
  name: 'RoiAlign',
  doc: 'Average or maximum of interpolated points in a grid of cells over each region of interest.',
  versions: { 10: version(floats16, common), 16: version(floats16, shifted), 22: version(floats, shifted) },
  infer(c) {
    const { rows, columns } = readSettings(c.attributes)
    const count = c.shape(1)?.[0] ?? c.shape(2)?.[0] ?? null
    return [typed(c.dtype(0), [count, c.shape(0)?.[1] ?? null, rows, columns])]
  },
  evaluate(c) {
    const [input, regions, samples] = [c.tensor(0), c.tensor(1), c.tensor(2)]
    const count = regions.shape[0]!
    if (
      input.shape.length !== 4 ||
      regions.shape.length !== 2 ||
      regions.shape[1] !== 4 ||
      sizeOf(samples.shape) !== count
    )
      throw new EspalierError('bad-shape', 'input, regions and batch indices do not fit', {
        expected: 'an input of rank 4, regions [n, 4] and n batch indices',
        got: [input, regions, samples].map(({ shape }) => formatShape(shape)).join(', '),
      })
    const [batch, channels, height, width] = input.shape as [number, number, number, number]
    const { rows, columns, ratio, scale, shift, pool } = readSettings(c.attributes)
    const [x, rois, batchIndices] = [numbers(input), numbers(regions), numbers(samples)]
    const plane = height * width
    const y = allocate('float64', outputSize('float64', [count, channels, rows, columns]))
    let at = 0
    for (let r = 0; r < count; r++) {
      const sample = batchIndices[r]!
      if (!(sample >= 0 && sample < batch))
        throw new EspalierError('bad-argument', `region ${r} names sample ${sample}`, {
          expected: `0 to ${batch - 1}`,
        })
      const [x1, y1, x2, y2] = Array.from(rois.subarray(r * 4, r * 4 + 4), corner => corner * scale - shift)
      // Without the shift, regions are at least one element wide (the behaviour before version 16).
      const least = shift === 0 ? 1 : Number.NEGATIVE_INFINITY
      const vertical = samplePoints(y1!, Math.max(y2! - y1!, least), rows, ratio, height)
      const horizontal = samplePoints(x1!, Math.max(x2! - x1!, least), columns, ratio, width)
      for (let channel = 0; channel < channels; channel++) {
        const from = (sample * channels + channel) * plane
        const values = x.subarray(from, from + plane)
        for (const points of vertical)
          for (const others of horizontal) y[at++] = pool(values, width, points, others)
      }
    }
    return [fromNumbers(input.dtype, [count, channels, rows, columns], y)]
  },
}

/** A sampling point on one axis: the elements on both sides, and the weight of the second. */
interface Point {
  readonly low: number
  readonly high: number
  readonly weight: number
}

/** Most sampling points along one axis of a region: more come from a mistaken region, and would take for ever. */
const mostPoints = 2 ** 14

/** Sampling points of every cell along one axis; `undefined` for a point beyond the reach of the input. */
function samplePoints(
  start: number,
  length: number,
  cells: number,
  ratio: number,
  extent: number,
): readonly (readonly (Point | undefined)[])[] {
  const size = length / cells
  const perCell = ratio > 0 ? ratio : Math.max(Math.ceil(size), 0)
  if (cells * perCell > mostPoints)
    throw new EspalierError('too-large', `a region takes ${cells * perCell} sampling points along one axis`, {
      expected: `at most ${mostPoints}`,
    })
  return Array.from({ length: cells }, (_, cell) =>
    Array.from({ length: perCell }, (__, i) =>
      pointAt(start + cell * size + ((i + 0.5) * size) / perCell, extent),
    ),
  )
}

function pointAt(position: number, extent: number): Point | undefined {
  if (!(position >= -1 && position <= extent) || extent === 0) return undefined
  const clamped = Math.max(position, 0)
  const low = Math.floor(clamped)
  if (low >= extent - 1) return { low: extent - 1, high: extent - 1, weight: 0 }
  return { low, high: low + 1, weight: clamped - low }
}

type PoolCell = (
  values: Float64Array,
  width: number,
  vertical: readonly (Point | undefined)[],
  horizontal: readonly (Point | undefined)[],
) => number

const average: PoolCell = (values, width, vertical, horizontal) => {
  let sum = 0
  for (const v of vertical)
    for (const h of horizontal)
      if (v && h)
        sum +=
          (1 - v.weight) * (1 - h.weight) * values[v.low * width + h.low]! +
          (1 - v.weight) * h.weight * values[v.low * width + h.high]! +
          v.weight * (1 - h.weight) * values[v.high * width + h.low]! +
          v.weight * h.weight * values[v.high * width + h.high]!
  return sum / Math.max(vertical.length * horizontal.length, 1)
}

const maximum: PoolCell = (values, width, vertical, horizontal) => {
  if (vertical.length === 0 || horizontal.length === 0) return 0
  let best = Number.NEGATIVE_INFINITY
  for (const v of vertical)
    for (const h of horizontal)
      best =
        v && h
          ? Math.max(
              best,
              (1 - v.weight) * (1 - h.weight) * values[v.low * width + h.low]!,
              (1 - v.weight) * h.weight * values[v.low * width + h.high]!,
              v.weight * (1 - h.weight) * values[v.high * width + h.low]!,
              v.weight * h.weight * values[v.high * width + h.high]!,
            )
          : Math.max(best, 0)
  return best
}

interface Settings {
  readonly rows: number
  readonly columns: number
  readonly ratio: number
  readonly scale: number
  readonly shift: number
  readonly pool: PoolCell
}

function readSettings(attributes: Attributes): Settings {
  const mode = attributes.string('mode').toLowerCase()
  const transformation = (
    attributes.optionalString('coordinate_transformation_mode') ?? 'output_half_pixel'
  ).toLowerCase()
  const settings = {
    rows: attributes.int('output_height'),
    columns: attributes.int('output_width'),
    ratio: attributes.int('sampling_ratio'),
    scale: attributes.float('spatial_scale'),
  }
  const wrong =
    (settings.rows < 1 && { field: 'output_height', got: settings.rows, expected: 'at least 1' }) ||
    (settings.columns < 1 && { field: 'output_width', got: settings.columns, expected: 'at least 1' }) ||
    (settings.ratio < 0 && { field: 'sampling_ratio', got: settings.ratio, expected: 'at least 0' }) ||
    (mode !== 'avg' && mode !== 'max' && { field: 'mode', got: mode, expected: 'avg or max' }) ||
    (transformation !== 'half_pixel' &&
      transformation !== 'output_half_pixel' && {
        field: 'coordinate_transformation_mode',
        got: transformation,
        expected: 'half_pixel or output_half_pixel',
      })
  if (wrong)
    throw new EspalierError('bad-argument', 'not a setting of RoiAlign', {
      where: { field: wrong.field },
      expected: wrong.expected,
      got: `${wrong.got}`,
    })
  return {
    ...settings,
    shift: transformation === 'half_pixel' ? 0.5 : 0,
    pool: mode === 'avg' ? average : maximum,
  }
}
