/** A tensor resized by interpolation. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import { normalizeAxes, normalizeAxis, type Shape } from '../../tensor/shape.ts'
import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import {
  type AttributeSchema,
  allTypes,
  allTypes13,
  float,
  floats16,
  int,
  optional,
  type Schema,
  string,
  type TypeName,
} from '../schema.ts'
import { typed } from '../support/infer.ts'
import { clampToSafe, listOf } from '../support/integers.ts'
import { type Steering, steeredInRun, steering } from '../support/lower-movement.ts'
import { lowerResize } from '../support/lower-resize.ts'
import {
  type Coordinates,
  type ResizedAxis,
  type ResizeSettings,
  type Rounding,
  resize,
  scaledExtent,
} from '../support/resizing.ts'

const outputs = ['Y: T1']
/** `tf_half_pixel_for_nn` is documented for version 11 only; later models use it too, and onnxruntime takes it. */
const coordinates11 = [
  'half_pixel',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_half_pixel_for_nn',
  'tf_crop_and_resize',
]
const coordinates19 = [...coordinates11, 'half_pixel_symmetric']
const attributes = (coordinates: readonly string[]): Readonly<Record<string, AttributeSchema>> => ({
  coordinate_transformation_mode: string('half_pixel', coordinates),
  cubic_coeff_a: float(-0.75),
  exclude_outside: int(0),
  extrapolation_value: float(0),
  mode: string('nearest', ['nearest', 'linear', 'cubic']),
  nearest_mode: string('round_prefer_floor', ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']),
})
const withSizes = (T1: readonly TypeName[], own: Schema['attributes']): Schema => ({
  inputs: ['X: T1', 'roi?: T2', 'scales?: float32', 'sizes?: int64'],
  outputs,
  types: { T1, T2: floats16 },
  ...(own && { attributes: own }),
})
const attributes18 = {
  antialias: int(0),
  axes: optional('ints'),
  keep_aspect_ratio_policy: string('stretch', ['stretch', 'not_larger', 'not_smaller']),
}

export const Resize: Op = {
  name: 'Resize',
  doc: 'The input with its axes scaled, or brought to given sizes, by nearest, linear or cubic interpolation.',
  versions: {
    10: {
      inputs: ['X: T', 'scales: float32'],
      outputs: ['Y: T'],
      types: { T: allTypes },
      attributes: { mode: string('nearest', ['nearest', 'linear']) },
    },
    11: {
      inputs: ['X: T1', 'roi: T2', 'scales: float32', 'sizes?: int64'],
      outputs,
      types: { T1: allTypes, T2: floats16 },
      attributes: attributes(coordinates11),
    },
    13: withSizes(allTypes13, attributes(coordinates11)),
    18: withSizes(allTypes13, { ...attributes(coordinates11), ...attributes18 }),
    19: withSizes(allTypes13, { ...attributes(coordinates19), ...attributes18 }),
  },
  limits: 'strings in modes other than nearest; nearest with antialias; extrapolated complex numbers',
  infer(c) {
    const shape = c.shape(0)
    if (shape === undefined) return [typed(c.dtype(0), undefined)]
    const scales = c.constant(c.version < 11 ? 1 : 2)
    const target = {
      scales: scales && elementCount(scales) > 0 ? Array.from(numbers(scales)) : undefined,
      sizes: c.version < 11 ? undefined : c.content(3),
    }
    const known = target.scales !== undefined || (target.sizes !== undefined && target.sizes.length > 0)
    return [
      typed(c.dtype(0), known ? resizedShape(shape, target, c.attributes).shape : shape.map(() => null)),
    ]
  },
  evaluate(c) {
    const x = c.tensor(0)
    return [resize(x, resizedAxes(c, x.shape), settingsOf(c))]
  },
  lower(c) {
    const steered = steering(c, 1, 2, 3)
    if (steered === undefined) return steeredInRun
    return lowerResize(c, resizedAxes(steered, c.type(0).shape), settingsOf(steered))
  },
}

/** How each axis of an input of shape `input` changes. */
function resizedAxes(c: Steering, input: Shape): ResizedAxis[] {
  const { shape, scales, axes } = resizedShape(input, targetOf(c), c.attributes)
  const regions = regionsOf(c, input.length, axes)
  return input.map((extent, axis) => {
    const output = shape[axis] as number
    return { input: extent, output, scale: scales[axis] ?? output / extent, region: regions[axis]! }
  })
}

/** What the inputs ask for; one of the two is given. */
interface Target {
  readonly scales?: readonly number[] | undefined
  readonly sizes?: readonly Dim[] | undefined
}

function targetOf(c: Steering): Target {
  const list = (tensor: Tensor | undefined): readonly number[] | undefined =>
    tensor === undefined || elementCount(tensor) === 0 ? undefined : Array.from(numbers(tensor))
  if (c.version < 11) return { scales: list(c.tensor(1)) ?? [] }
  const scales = list(c.optionalTensor(2))
  const sizes = c.optionalTensor(3)
  const given = sizes === undefined || elementCount(sizes) === 0 ? undefined : listOf(sizes, 'sizes')
  if ((scales === undefined) === (given === undefined))
    throw new EspalierError('bad-argument', 'a resize takes either scales or sizes', {
      got: scales === undefined ? 'neither' : 'both',
    })
  return { scales, sizes: given }
}

interface ResizedShape {
  readonly shape: readonly Dim[]
  /** Scale of each axis where it is not simply output by input. */
  readonly scales: readonly (number | undefined)[]
  /** The axes that scales, sizes and the region of interest are about. */
  readonly axes: readonly number[]
}

function resizedShape(shape: readonly Dim[], target: Target, attributes: Attributes): ResizedShape {
  const rank = shape.length
  const axes = (attributes.optionalInts('axes') ?? shape.map((_, axis) => axis)).map(axis =>
    normalizeAxis(axis, rank),
  )
  normalizeAxes(axes, rank)
  const wanted = target.scales ?? target.sizes ?? []
  if (wanted.length !== axes.length)
    throw new EspalierError('bad-shape', 'there is not one scale or size for each axis', {
      expected: `${axes.length}`,
      got: `${wanted.length}`,
    })
  const result: Dim[] = [...shape]
  const scales = new Array<number | undefined>(rank).fill(undefined)
  const policy = attributes.optionalString('keep_aspect_ratio_policy') ?? 'stretch'
  const common =
    target.sizes && policy !== 'stretch' ? commonScale(shape, target.sizes, axes, policy) : undefined
  for (const [i, axis] of axes.entries()) {
    if (target.scales !== undefined) {
      scales[axis] = target.scales[i]!
      result[axis] = scaledExtent(shape[axis]!, target.scales[i]!)
    } else if (common === undefined) {
      result[axis] = target.sizes![i]!
    } else {
      const extent = shape[axis]!
      scales[axis] = common ?? undefined
      result[axis] = common === null ? null : clampToSafe(Math.floor(common * (extent as number) + 0.5))
    }
  }
  return { shape: result, scales, axes }
}

/** The one scale that keeps the aspect ratio; `null` when not all extents are known. */
function commonScale(
  shape: readonly Dim[],
  sizes: readonly Dim[],
  axes: readonly number[],
  policy: string,
): number | null {
  const ratios: number[] = []
  for (const [i, axis] of axes.entries()) {
    const [size, extent] = [sizes[i]!, shape[axis]!]
    if (typeof size !== 'number' || typeof extent !== 'number') return null
    if (extent > 0) ratios.push(size / extent)
  }
  if (ratios.length === 0) return 1
  return policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
}

/** Start and end of the region of interest along each axis. */
function regionsOf(c: Steering, rank: number, axes: readonly number[]): (readonly [number, number])[] {
  const regions = Array.from({ length: rank }, () => [0, 1] as readonly [number, number])
  if (c.attributes.optionalString('coordinate_transformation_mode') !== 'tf_crop_and_resize') return regions
  const region = numbers(c.tensor(1))
  if (region.length !== 2 * axes.length)
    throw new EspalierError('bad-shape', 'the region of interest has not two numbers for each axis', {
      where: { field: 'roi' },
      expected: `${2 * axes.length}`,
      got: `${region.length}`,
    })
  for (const [i, axis] of axes.entries()) regions[axis] = [region[i]!, region[axes.length + i]!]
  return regions
}

function settingsOf(c: Steering): ResizeSettings {
  const { attributes } = c
  const mode = attributes.string('mode') as ResizeSettings['mode']
  const antialias = (attributes.optionalInt('antialias') ?? 0) !== 0
  if (antialias && mode === 'nearest')
    throw new EspalierError('unsupported', 'nearest interpolation has no antialiasing', {
      where: { field: 'antialias' },
      expected: 'mode linear or cubic',
    })
  return {
    mode,
    coordinates: (attributes.optionalString('coordinate_transformation_mode') ?? 'asymmetric') as Coordinates,
    nearest: (attributes.optionalString('nearest_mode') ?? 'simple') as Rounding,
    cubicCoefficient: attributes.optionalFloat('cubic_coeff_a') ?? -0.75,
    excludeOutside: (attributes.optionalInt('exclude_outside') ?? 0) !== 0,
    antialias,
    extrapolation: attributes.optionalFloat('extrapolation_value') ?? 0,
  }
}
