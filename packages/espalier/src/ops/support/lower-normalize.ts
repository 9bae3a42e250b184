/**
 * Normalisations as steps. Kernels see rows of numbers that are normalised together; scale and bias are found by
 * number: `(row % period) * (length / inner) + floor(i / inner)` for element i of a row.
 */
import { normalizations } from '../../plan/steps/normalize.ts'
import { normalizeAxes, normalizeAxis, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { viewAlong } from './lower-lines.ts'
import { alternate } from './lower-reduce.ts'
import { channelView } from './normalize.ts'

interface Parameters {
  readonly period: number
  readonly inner: number
}

/**
 * How the elements of a scale that broadcasts to `shape` are numbered, for rows of the axes from `axis` on; `undefined`
 * where the kernel's formula has no room for it.
 */
function parametersOf(scale: Shape, shape: Shape, axis: number): Parameters | undefined {
  const lead = shape.length - scale.length
  if (lead < 0 || scale.some((extent, i) => extent !== 1 && extent !== shape[lead + i])) return undefined
  const axes = shape.map((_, i) => i).filter(i => shape[i] !== 1)
  const own = axes.filter(i => i >= lead && scale[i - lead] !== 1)
  const length = sizeOf(shape.slice(axis))
  if (own.length === 0) return { period: 1, inner: length }
  const [first, last] = [own[0]!, own.at(-1)!]
  const between = axes.filter(i => i > first && i < last && !own.includes(i))
  const skipped = axes.some(i => (i >= axis && i < first) || (i > last && i < axis))
  if (between.length > 0 || skipped) return undefined
  const product = (some: readonly number[]): number => sizeOf(some.map(i => shape[i]!))
  const within = product(own.filter(i => i >= axis))
  return { period: product(own.filter(i => i < axis)), inner: within === 0 ? 1 : length / within }
}

const noKernel = (c: LowerContext, inputs: readonly number[]): string | undefined => {
  const other = inputs.map(input => c.type(input).dtype).find(dtype => dtype !== 'float32')
  return other && `there is no kernel for ${other}`
}

/** Inputs (and output) of a normalisation by their index; `undefined` where there is none. */
interface Roles {
  readonly residual?: number
  readonly scale?: number | undefined
  readonly bias?: number | undefined
  /** Index of the output that takes x + residual. */
  readonly sum?: number | undefined
  /** Indices of the outputs that take the statistics. */
  readonly mean?: number | undefined
  readonly inverse?: number | undefined
}

/** Lowers a normalisation over the axes from `first` on. */
export function lowerTrailing(
  c: LowerContext,
  mode: 'layer' | 'rms',
  first: number,
  roles: Roles,
): string | undefined {
  const input = (index: number | undefined): number | undefined =>
    index !== undefined && c.hasInput(index) ? index : undefined
  const [residual, scale, bias] = [input(roles.residual), input(roles.scale), input(roles.bias)]
  const problem = noKernel(
    c,
    [0, residual, scale, bias].filter(index => index !== undefined),
  )
  if (problem) return problem
  const { shape } = c.type(0)
  if (residual !== undefined && sizeOf(c.type(residual).shape) !== sizeOf(shape))
    return 'the kernel does not broadcast the residual'
  const axis = normalizeAxis(first, shape.length)
  const found = [scale, bias]
    .filter(index => index !== undefined)
    .map(index => parametersOf(c.type(index).shape, shape, axis))
  const parameters = found[0] ?? { period: 1, inner: 1 }
  if (found.some(other => other?.period !== parameters.period || other.inner !== parameters.inner))
    return 'the kernel does not broadcast such a scale or bias'
  const output = (index: number | undefined): ReturnType<typeof c.output> | undefined =>
    index !== undefined && c.hasOutput(index) ? c.output(index) : undefined
  const statistics = [roles.mean, roles.inverse].find(
    index => index !== undefined && c.hasOutput(index) && c.outputType(index).dtype !== 'float32',
  )
  if (statistics !== undefined)
    return `there is no kernel for statistics in ${c.outputType(statistics).dtype}`
  c.emit('normalize_f32', {
    x: c.input(0),
    residual: residual === undefined ? undefined : c.input(residual),
    scale: scale === undefined ? undefined : c.input(scale),
    bias: bias === undefined ? undefined : c.input(bias),
    y: c.hasOutput(0) ? c.output(0) : c.scratch(4 * sizeOf(shape)),
    sum: output(roles.sum),
    mean: output(roles.mean),
    inverse: output(roles.inverse),
    rows: sizeOf(shape.slice(0, axis)),
    length: sizeOf(shape.slice(axis)),
    mode: normalizations[mode],
    epsilon: c.attributes.float('epsilon'),
    ...parameters,
  })
  return undefined
}

/** Lowers `InstanceNormalization` and `GroupNormalization`: `groups` of channels, one scale for each of `parameters`. */
export function lowerGroups(c: LowerContext, groups: number, parameters: number): string | undefined {
  const problem = noKernel(c, [0, 1, 2])
  if (problem) return problem
  const { batch, channels, inner } = channelView(c.type(0).shape)
  if (groups < 1 || channels % groups !== 0) return 'the channels cannot be divided into the groups'
  if ([1, 2].some(index => sizeOf(c.type(index).shape) !== parameters))
    return 'the scale or the bias does not fit the input'
  const length = (channels / groups) * inner
  c.emit('normalize_f32', {
    x: c.input(0),
    residual: undefined,
    scale: c.input(1),
    bias: c.input(2),
    y: c.output(0),
    sum: undefined,
    mean: undefined,
    inverse: undefined,
    rows: batch * groups,
    length,
    mode: normalizations.layer,
    epsilon: c.attributes.float('epsilon'),
    period: groups,
    inner: parameters === channels ? inner : length,
  })
  return undefined
}

/** Rows, or the middle of three axes, without scale and bias. */
function emitPlain(
  c: LowerContext,
  mode: keyof typeof normalizations,
  epsilon: number,
  view: { readonly outer: number; readonly length: number; readonly inner: number },
): void {
  const values = { x: c.input(0), y: c.output(0), mode: normalizations[mode], epsilon }
  const absent = { residual: undefined, scale: undefined, bias: undefined }
  const unwanted = { sum: undefined, mean: undefined, inverse: undefined }
  const { outer, length, inner } = view
  if (inner === 1)
    c.emit('normalize_f32', { ...values, ...absent, ...unwanted, rows: outer, length, period: 1, inner: 1 })
  else c.emit('normalize_columns_f32', { ...values, ...view })
}

/** Lowers `LpNormalization`. */
export function lowerLpNormalization(c: LowerContext): string | undefined {
  const p = c.attributes.int('p')
  if (p !== 1 && p !== 2) return `there is no norm of order ${p}`
  const { shape } = c.type(0)
  const problem = noKernel(c, [0])
  if (problem) return problem
  emitPlain(
    c,
    p === 1 ? 'l1' : 'l2',
    0,
    viewAlong(shape, normalizeAxis(c.attributes.int('axis'), shape.length)),
  )
  return undefined
}

/** Lowers `MeanVarianceNormalization`, where the axes to normalise lie side by side. */
export function lowerMeanVariance(c: LowerContext, epsilon: number): string | undefined {
  const problem = noKernel(c, [0])
  if (problem) return problem
  const { shape } = c.type(0)
  const axes = normalizeAxes(c.attributes.ints('axes'), shape.length)
  const groups = alternate(shape, axes)
  const [first, ...rest] = groups.firstReduced ? [1, ...groups.shape] : groups.shape
  const [length = 1, inner = 1, ...more] = rest
  if (more.length > 0) return 'the kernel takes axes that lie side by side'
  if (rest.length === 0) emitPlain(c, 'standard', epsilon, { outer: first!, length: 1, inner: 1 })
  else emitPlain(c, 'standard', epsilon, { outer: first!, length, inner })
  return undefined
}

/** Lowers `LRN`. */
export function lowerLocalResponse(c: LowerContext): string | undefined {
  const problem = noKernel(c, [0])
  if (problem) return problem
  const size = c.attributes.int('size')
  if (size < 1) return 'there are no channels to normalise over'
  c.emit('lrn_f32', {
    x: c.input(0),
    y: c.output(0),
    ...channelView(c.type(0).shape),
    size,
    alpha: c.attributes.float('alpha'),
    beta: c.attributes.float('beta'),
    bias: c.attributes.float('bias'),
  })
  return undefined
}
