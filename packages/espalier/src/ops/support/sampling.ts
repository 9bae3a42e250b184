/**
 * Sampling an image at fractional positions: from the coordinates of a grid to pixels, and what is seen beyond the
 * image's border. Source: ONNX Operators.md, GridSample, after PyTorch's grid_sample.
 */
import { stridesOf } from '../../tensor/shape.ts'
import { type Kernel, visitTaps } from './interpolation.ts'

/** What lies beyond the image. */
export interface Border {
  /** With `border` the outermost pixels go on. */
  readonly padding: 'zeros' | 'border' | 'reflection'
  /** Whether -1 and 1 are the centres of the outermost pixels, otherwise their outer edges. */
  readonly corners: boolean
}

/**
 * The position in pixels of a coordinate from -1 to 1. Every step is rounded by `round` to the precision of the grid,
 * as implementations do, so that a point halfway between two pixels is halfway for all of them.
 */
export function denormalize(
  coordinate: number,
  extent: number,
  corners: boolean,
  round: (value: number) => number,
): number {
  const shifted = round(coordinate + 1)
  if (corners) return round((shifted / 2) * (extent - 1))
  return round(round(shifted * extent) - 1) / 2
}

/** The pixel for a whole `index`, -1 where nothing is seen. What is not a number sees what lies far before the image. */
export function placeWithin(index: number, extent: number, { padding, corners }: Border): number {
  if (index >= 0 && index < extent) return index
  if (padding === 'zeros') return -1
  if (padding === 'border') return index >= extent ? extent - 1 : 0
  return Math.trunc(reflect(index, extent, corners))
}

/** `position` mirrored at the borders until it lies between them. */
function reflect(position: number, extent: number, corners: boolean): number {
  const [low, high] = corners ? [0, extent - 1] : [-0.5, extent - 0.5]
  if (position >= low && position <= high) return position
  const range = high - low
  if (range === 0 || !Number.isFinite(position)) return Math.max(low, 0)
  const below = position < low
  const beyond = (below ? low - position : position - high) % (2 * range)
  const turnsBack = beyond >= range
  const rest = turnsBack ? beyond - range : beyond
  return below === turnsBack ? high - rest : low + rest
}

/**
 * A position brought to where every pixel it sees is near the image; `undefined` where only zeros are seen. Beyond the
 * edge of a `border` it is the pixels that are repeated, as in PyTorch and onnxruntime; ONNX's reference moves the
 * position to the edge first, which makes cubic interpolation jump there.
 */
function bringNear(
  position: number,
  extent: number,
  { padding, corners }: Border,
  reach: number,
): number | undefined {
  if (padding === 'reflection') return reflect(position, extent, corners)
  if (position > -reach && position < extent - 1 + reach) return position
  if (padding === 'zeros') return undefined
  return position > 0 ? extent - 1 : 0
}

/** The pixels that make up the value at a position, as offsets within the plane, with their weights. */
export function tapsAt(
  position: readonly number[],
  spatial: readonly number[],
  border: Border,
  kernel: Kernel,
): { readonly offsets: readonly number[]; readonly weights: readonly number[] } {
  const strides = stridesOf(spatial)
  let offsets = [0]
  let weights = [1]
  for (const [axis, extent] of spatial.entries()) {
    const along = bringNear(position[axis]!, extent, border, kernel.radius)
    if (along === undefined) return { offsets: [], weights: [] }
    const nextOffsets: number[] = []
    const nextWeights: number[] = []
    visitTaps(kernel, along, 1, (index, weight) => {
      const pixel = placeWithin(index, extent, border)
      if (pixel < 0) return
      for (let i = 0; i < offsets.length; i++) {
        nextOffsets.push(offsets[i]! + pixel * strides[axis]!)
        nextWeights.push(weights[i]! * weight)
      }
    })
    offsets = nextOffsets
    weights = nextWeights
  }
  return { offsets, weights }
}
