/**
 * Resizing a tensor axis by axis: where each output position lies in the input, and which input positions it is made
 * of. Source: ONNX Operators.md, Resize. Where that is silent or contradicts itself, the cases of ONNX's test suite
 * decide: with `align_corners`, the length that a fractional scale asks for counts, not the one it is rounded to, and
 * the region of interest of `tf_crop_and_resize` has no part in the extents.
 */
import { EspalierError } from '../../errors.ts'
import { floorDivideDims, multiplyDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { dtypeInfo, isInteger } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { roundHalfEven } from '../../tensor/minifloat.ts'
import { type Tensor, zeros } from '../../tensor/tensor.ts'
import { clampToSafe } from './integers.ts'
import {
  type AxisTaps,
  collectTaps,
  cubicKernel,
  linearKernel,
  resampleAxis,
  visitTaps,
} from './interpolation.ts'
import { outputSize, selectAxes, tableOf } from './movement.ts'

/** ONNX's `coordinate_transformation_mode`. */
export type Coordinates =
  | 'half_pixel'
  | 'half_pixel_symmetric'
  | 'pytorch_half_pixel'
  | 'align_corners'
  | 'asymmetric'
  | 'tf_half_pixel_for_nn'
  | 'tf_crop_and_resize'

/** ONNX's `nearest_mode`; `simple` is what operator sets before 11 do. */
export type Rounding = 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil' | 'simple'

/** How positions are mapped and values made, for all axes. */
export interface ResizeSettings {
  readonly mode: 'nearest' | 'linear' | 'cubic'
  readonly coordinates: Coordinates
  readonly nearest: Rounding
  readonly cubicCoefficient: number
  /** Whether positions outside the input have no weight; otherwise they show the input's edge. */
  readonly excludeOutside: boolean
  /** Whether the kernel is stretched when an axis shrinks. */
  readonly antialias: boolean
  /** Value outside the region of interest's image, for `tf_crop_and_resize`. */
  readonly extrapolation: number
}

/** How one axis changes. */
export interface ResizedAxis {
  readonly input: number
  readonly output: number
  /** Output by input, as asked for: `output` may be rounded. */
  readonly scale: number
  /** Start and end of the region of interest, as fractions of the input. */
  readonly region: readonly [number, number]
}

/** The extent that `scale` gives an axis. The product is rounded to float32, as in onnxruntime: 10 by 0.9 gives 9. */
export function scaledExtent(extent: Dim, scale: number): Dim {
  if (!(scale > 0 && Number.isFinite(scale)))
    throw new EspalierError('bad-argument', `an axis cannot be scaled by ${scale}`, {
      where: { field: 'scales' },
      expected: 'a number above 0',
    })
  if (typeof extent === 'number') return clampToSafe(Math.floor(Math.fround(extent * scale)))
  for (let divisor = 1; divisor <= 64; divisor *= 2)
    if (Number.isInteger(scale * divisor))
      return floorDivideDims(multiplyDims(extent, scale * divisor), divisor)
  return null
}

/** `x` resized. Throws `unsupported`, `bad-shape` for growth from nothing, `too-large`. */
export function resize(x: Tensor, axes: readonly ResizedAxis[], settings: ResizeSettings): Tensor {
  const shape = axes.map(axis => axis.output)
  outputSize(x.dtype, shape)
  if (shape.includes(0)) return zeros(x.dtype, shape)
  if (axes.some(axis => axis.input === 0))
    throw new EspalierError('bad-shape', 'an axis without elements cannot grow', {
      got: `${shape.join('x')}`,
    })
  const { kind } = dtypeInfo(x.dtype)
  if (kind === 'complex' && settings.extrapolation !== 0)
    throw new EspalierError('unsupported', 'complex numbers cannot be extrapolated', {
      where: { field: 'extrapolation_value' },
      expected: '0',
      got: `${settings.extrapolation}`,
    })
  if (settings.mode === 'nearest') return pickNearest(x, axes, settings)
  if (kind === 'string')
    throw new EspalierError('unsupported', `strings cannot be resized in mode "${settings.mode}"`, {
      expected: 'mode "nearest"',
    })
  // A complex tensor is a real one with a last axis of two.
  const extents = [...x.shape, ...(kind === 'complex' ? [2] : [])]
  let values = numbers(x)
  for (const [at, axis] of axes.entries()) {
    if (isUnchanged(axis, settings)) continue
    outputSize('float64', extents.with(at, axis.output))
    values = resampleAxis(values, extents, at, tapsOf(axis, settings))
    extents[at] = axis.output
  }
  return fromNumbers(x.dtype, shape, isInteger(x.dtype) ? saturate(values, x.dtype) : values)
}

export function isUnchanged(
  { input, output, scale, region }: ResizedAxis,
  { coordinates }: ResizeSettings,
): boolean {
  const cropped = coordinates === 'tf_crop_and_resize' && (region[0] !== 0 || region[1] !== 1)
  return input === output && scale === 1 && !cropped
}

/** Where output position `x` of an axis lies in the input. `round` rounds every step. */
function sourcePosition(
  x: number,
  { input, output, scale, region }: ResizedAxis,
  coordinates: Coordinates,
  round: (value: number) => number,
): number {
  switch (coordinates) {
    case 'half_pixel':
      return round(round((x + 0.5) / scale) - 0.5)
    case 'half_pixel_symmetric': {
      const adjustment = output / (scale * input)
      return round((input / 2) * (1 - adjustment) + round((x + 0.5) / scale) - 0.5)
    }
    case 'pytorch_half_pixel':
      return output > 1 ? round(round((x + 0.5) / scale) - 0.5) : 0
    case 'align_corners':
      return output > 1 ? round((x * (input - 1)) / (scale * input - 1)) : 0
    case 'asymmetric':
      return round(x / scale)
    case 'tf_half_pixel_for_nn':
      return round((x + 0.5) / scale)
    case 'tf_crop_and_resize': {
      const [start, end] = region
      if (output === 1) return round(0.5 * (start + end) * (input - 1))
      return round(start * (input - 1) + (x * (end - start) * (input - 1)) / (output - 1))
    }
  }
}

/** Whether a position shows the extrapolation value. Rounded, so that the last pixel is inside whatever the region. */
function isOutside(position: number, input: number, coordinates: Coordinates): boolean {
  const rounded = Math.fround(position)
  return coordinates === 'tf_crop_and_resize' && !(rounded >= 0 && rounded <= input - 1)
}

const exactly = (value: number): number => value

function pickNearest(x: Tensor, axes: readonly ResizedAxis[], settings: ResizeSettings): Tensor {
  const { extrapolation } = settings
  return selectAxes(
    x,
    nearestTables(axes, settings),
    extrapolation === 0 ? undefined : fromNumbers(x.dtype, [], [extrapolation]),
  )
}

/**
 * For each axis the input position that every output position shows, -1 for none; missing for an axis that stays.
 * Positions are rounded to float32 at every step, as onnxruntime has them, so that a scale of 0.6, which float32 only
 * nearly holds, still hits whole positions.
 */
export function nearestTables(
  axes: readonly ResizedAxis[],
  settings: ResizeSettings,
): (Float64Array | undefined)[] {
  const { coordinates, nearest } = settings
  return axes.map(axis => {
    if (isUnchanged(axis, settings)) return undefined
    return tableOf(axis.output, i => {
      const position = sourcePosition(i, axis, coordinates, Math.fround)
      if (isOutside(position, axis.input, coordinates)) return -1
      return Math.min(Math.max(roundPosition(position, nearest, axis.scale), 0), axis.input - 1)
    })
  })
}

function roundPosition(position: number, mode: Rounding, scale: number): number {
  const floor = Math.floor(position)
  const fraction = position - floor
  switch (mode) {
    case 'round_prefer_floor':
      return fraction > 0.5 ? floor + 1 : floor
    case 'round_prefer_ceil':
      return fraction >= 0.5 ? floor + 1 : floor
    case 'floor':
      return floor
    case 'ceil':
      return Math.ceil(position)
    case 'simple':
      return scale < 1 ? Math.ceil(position) : Math.trunc(position)
  }
}

/** How one axis is interpolated; not for mode `nearest`. */
export function tapsOf(axis: ResizedAxis, settings: ResizeSettings): AxisTaps {
  const kernel = settings.mode === 'linear' ? linearKernel : cubicKernel(settings.cubicCoefficient)
  const { input, output, scale } = axis
  const { coordinates, antialias, excludeOutside, extrapolation } = settings
  const stretch = antialias ? Math.max(1, 1 / scale) : 1
  const mostTaps = Math.min(2 * Math.ceil(kernel.radius * stretch) + 1, input)
  return collectTaps(output, mostTaps, extrapolation, (i, add) => {
    const position = sourcePosition(i, axis, coordinates, exactly)
    if (isOutside(position, input, coordinates)) return
    visitTaps(kernel, position, stretch, (index, weight) => {
      const inside = Math.min(Math.max(index, 0), input - 1)
      if (inside === index || !excludeOutside) add(inside, weight)
    })
  })
}

/** Rounded to the nearest integer that `dtype` has, halves to even. */
function saturate(values: Float64Array, dtype: Tensor['dtype']): Float64Array {
  const { kind, bits } = dtypeInfo(dtype)
  const low = kind === 'int' ? -(2 ** (bits - 1)) : 0
  const above = 2 ** (kind === 'int' ? bits - 1 : bits)
  // The largest double below 2^63 or 2^64 is 2^10 or 2^11 away.
  const high = bits === 64 ? above * (1 - 2 ** -53) : above - 1
  return values.map(value => Math.min(Math.max(roundHalfEven(value), low), high))
}
