/**
 * Direct convolution in float64, forward and transposed, and what all convolution operators share: checked
 * geometry, type inference, cost and weights. The loops go output channel, input channel, kernel tap,
 * contiguous run, so that the innermost one is `y[j] += w * x[j]` over a row; padding costs nothing. Not the
 * fast path: kernels are elsewhere.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims, multiplyDims, productOfDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import { allocate, type Tensor } from '../../tensor/tensor.ts'
import type { Attributes, InferContext, WeightUse } from '../op.ts'
import { outputSize } from './movement.ts'
import {
  readWindow,
  type WindowAxis,
  type WindowRuns,
  type WindowSettings,
  windowAxes,
  windowOutputs,
  windowRuns,
} from './window.ts'

/** A convolution with every number known. */
export interface Convolution {
  readonly batch: number
  readonly groups: number
  /** Channels of the input and of the output, all groups together. */
  readonly inputs: number
  readonly outputs: number
  readonly axes: readonly WindowAxis[]
}

/**
 * Reads a convolution of `x` [N, C, ...] by `w` [M, C/group, ...kernel]. Throws `bad-shape` or `bad-argument`
 * where shapes and attributes do not fit.
 */
export function readConvolution(attributes: Attributes, x: Shape, w: Shape): Convolution {
  const settings = convolutionSettings(attributes, x, w)
  const groups = settings.groups
  return {
    batch: x[0]!,
    groups,
    inputs: x[1]!,
    outputs: w[0]!,
    axes: windowAxes(settings, x.slice(2)),
  }
}

/** Shape of the output: [N, M, ...]. */
export function outputShape({ batch, outputs, axes }: Convolution): number[] {
  return [batch, outputs, ...axes.map(axis => axis.output)]
}

/** An optional bias, one number for each of `channels`. Throws `bad-shape`. */
export function readBias(bias: Tensor | undefined, channels: number): Float64Array | undefined {
  if (bias === undefined || sameShape(bias.shape, [channels])) return bias && numbers(bias)
  throw new EspalierError('bad-shape', 'the bias does not have one element for each output channel', {
    expected: `${channels}`,
    got: formatShape(bias.shape),
  })
}

type Settings = WindowSettings & { readonly groups: number }

/** The window of a convolution by `w`, checked against `x` as far as the extents are known. */
export function convolutionSettings(attributes: Attributes, x: readonly Dim[], w: readonly Dim[]): Settings {
  const groups = readGroups(attributes)
  const kernel = readKernel(attributes, x, w)
  if (differentDims(x[1]!, multiplyDims(w[1]!, groups)))
    throw new EspalierError('bad-shape', 'the channels of input and weight do not fit', {
      expected: `${groups} group(s) of ${w[1]} channels`,
      got: `${x[1]}`,
    })
  requireDivisible(w[0]!, groups)
  return { ...readWindow(attributes, kernel), groups }
}

/** The `group` attribute. */
export function readGroups(attributes: Attributes): number {
  const groups = attributes.int('group')
  if (groups >= 1) return groups
  throw new EspalierError('bad-argument', 'not a number of groups', {
    where: { field: 'group' },
    expected: 'at least 1',
    got: `${groups}`,
  })
}

/** The kernel extents: those of the weight, which `kernel_shape` may only repeat. */
export function readKernel(attributes: Attributes, x: readonly Dim[], w: readonly Dim[]): Dim[] {
  if (x.length < 3 || w.length !== x.length)
    throw new EspalierError('bad-shape', 'the ranks of input and weight do not make a convolution', {
      expected: 'the same rank, 3 or more',
      got: `input ${formatShape(x)}, weight ${formatShape(w)}`,
    })
  const stated = attributes.optionalInts('kernel_shape')
  const kernel = w.slice(2)
  if (stated === undefined || stated.length === 0) return kernel
  if (stated.length !== kernel.length || stated.some((extent, axis) => differentDims(extent, kernel[axis]!)))
    throw new EspalierError('bad-argument', 'the kernel shape is not that of the weight', {
      where: { field: 'kernel_shape' },
      expected: formatShape(kernel),
      got: formatShape(stated),
    })
  return [...stated]
}

/** Throws `bad-shape` where `channels` certainly do not divide into `groups`. */
export function requireDivisible(channels: Dim, groups: number): void {
  if (typeof channels !== 'number' || channels % groups === 0) return
  throw new EspalierError('bad-shape', `${channels} channels do not divide into ${groups} groups`)
}

/** Shape of the output of a convolution of input `x` by `w`; `undefined` where a rank is not known. */
export function convolutionShape(c: InferContext, x: number, w: number): Dim[] | undefined {
  const [input, weight] = [c.shape(x), c.shape(w)]
  if (input === undefined || weight === undefined) return undefined
  const settings = convolutionSettings(c.attributes, input, weight)
  return [input[0]!, weight[0]!, ...windowOutputs(settings, input.slice(2))]
}

/**
 * Multiply-accumulates: every output element sums over C/group and the kernel. Padding counts as multiplied.
 */
export function convolutionMacs(c: InferContext, x: number, w: number): Dim {
  const output = convolutionShape(c, x, w)
  return output === undefined
    ? null
    : multiplyDims(productOfDims(output), productOfDims(c.shape(w)!.slice(1)))
}

/** The weight [M, C/group, ...kernel] as a matrix of output channels by C/group and kernel. */
export function convolutionWeights(c: InferContext, w: number): WeightUse[] {
  const rank = c.shape(w)?.length
  if (rank === undefined) return []
  return [{ input: w, rows: [0], columns: Array.from({ length: rank - 1 }, (_, axis) => axis + 1) }]
}

/**
 * y [N, M, ...] = x [N, C, ...] convolved by w [M, C/group, ...kernel], plus `bias` [M].
 */
export function convolve(
  convolution: Convolution,
  x: Float64Array,
  w: Float64Array,
  bias?: ArrayLike<number>,
): Float64Array {
  const { batch, groups, inputs, outputs, axes } = convolution
  const inputPlane = planeSize(axes, 'input')
  const outputPlane = planeSize(axes, 'output')
  const y = allocate('float64', outputSize('float64', [batch, outputs, outputPlane]))
  if (bias !== undefined)
    for (let o = 0; o < batch * outputs; o++)
      y.fill(bias[o % outputs]!, o * outputPlane, (o + 1) * outputPlane)
  const inputsPerGroup = inputs / groups
  const outputsPerGroup = outputs / groups
  for (const { start, runs } of bandsOf(axes))
    for (let n = 0; n < batch; n++)
      for (let o = 0; o < outputs; ) {
        const group = Math.floor(o / outputsPerGroup)
        // Two output planes at a time, as long as they have the same inputs.
        const planes = o + 1 < (group + 1) * outputsPerGroup ? 2 : 1
        const yAt = (n * outputs + o) * outputPlane + start
        const xAt = (n * inputs + group * inputsPerGroup) * inputPlane
        const wAt = o * inputsPerGroup * runs.taps
        const wStep = inputsPerGroup * runs.taps
        let i = 0
        for (; i + 4 <= inputsPerGroup; i += 4) {
          const [from, weights] = [xAt + i * inputPlane, wAt + i * runs.taps]
          if (planes === 2) addToTwoPlanes(y, yAt, outputPlane, x, from, inputPlane, w, weights, wStep, runs)
          else addFourPlanes(y, yAt, x, from, inputPlane, w, weights, runs)
        }
        for (; i < inputsPerGroup; i++)
          for (let p = 0; p < planes; p++)
            addPlane(
              y,
              yAt + p * outputPlane,
              x,
              xAt + i * inputPlane,
              w,
              wAt + p * wStep + i * runs.taps,
              runs,
            )
        o += planes
      }
  return y
}

/** A part of the output plane along its first axis. */
interface Band {
  /** Position of its first element in the plane. */
  readonly start: number
  /** Runs of this part; their outputs count from `start`. */
  readonly runs: WindowRuns
}

/** Elements of a band: few enough for two planes of the output to stay in the first-level cache (32 KiB). */
const bandSize = 2048

/**
 * The output cut into bands, so that large planes are not read from memory again for every tap and channel.
 */
function bandsOf(axes: readonly WindowAxis[]): Band[] {
  const [first, ...others] = axes as [WindowAxis, ...WindowAxis[]]
  const row = Math.max(planeSize(others, 'output'), 1)
  const rows = Math.max(Math.floor(bandSize / row), 1)
  const bands: Band[] = []
  for (let from = 0; from < first.output; from += rows) {
    const output = Math.min(rows, first.output - from)
    const part = { ...first, output, before: first.before - from * first.stride }
    bands.push({ start: from * row, runs: windowRuns([part, ...others]) })
  }
  return bands
}

/**
 * Adds four adjacent input planes, each under its kernel, to one output plane: a quarter of the traffic on
 * `y`.
 */
function addFourPlanes(
  y: Float64Array,
  yAt: number,
  x: Float64Array,
  xAt: number,
  plane: number,
  w: Float64Array,
  wAt: number,
  runs: WindowRuns,
): void {
  const { taps } = runs
  for (let tap = 0; tap < taps; tap++) {
    const at = wAt + tap
    const [w0, w1, w2, w3] = [w[at]!, w[at + taps]!, w[at + 2 * taps]!, w[at + 3 * taps]!]
    const length = runs.length[tap]!
    const step = runs.step[tap]!
    const end = runs.first[tap + 1]!
    for (let r = runs.first[tap]!; r < end; r++) {
      const to = yAt + runs.output[r]!
      let a = xAt + runs.input[r]!
      let b = a + plane
      let c = b + plane
      let d = c + plane
      for (let j = to; j < to + length; j++) {
        y[j]! += w0 * x[a]! + w1 * x[b]! + w2 * x[c]! + w3 * x[d]!
        a += step
        b += step
        c += step
        d += step
      }
    }
  }
}

/**
 * The same to two adjacent output planes, whose kernels are `wStep` apart: what is read of `x` is used twice, which
 * makes it nearly twice as fast.
 */
function addToTwoPlanes(
  y: Float64Array,
  yAt: number,
  yPlane: number,
  x: Float64Array,
  xAt: number,
  plane: number,
  w: Float64Array,
  wAt: number,
  wStep: number,
  runs: WindowRuns,
): void {
  const { taps } = runs
  for (let tap = 0; tap < taps; tap++) {
    const at = wAt + tap
    const other = at + wStep
    const [w0, w1, w2, w3] = [w[at]!, w[at + taps]!, w[at + 2 * taps]!, w[at + 3 * taps]!]
    const [v0, v1, v2, v3] = [w[other]!, w[other + taps]!, w[other + 2 * taps]!, w[other + 3 * taps]!]
    const length = runs.length[tap]!
    const step = runs.step[tap]!
    const end = runs.first[tap + 1]!
    for (let r = runs.first[tap]!; r < end; r++) {
      const to = yAt + runs.output[r]!
      let z = to + yPlane
      let a = xAt + runs.input[r]!
      let b = a + plane
      let c = b + plane
      let d = c + plane
      for (let j = to; j < to + length; j++) {
        const p = x[a]!
        const q = x[b]!
        const s = x[c]!
        const t = x[d]!
        y[j]! += w0 * p + w1 * q + w2 * s + w3 * t
        y[z]! += v0 * p + v1 * q + v2 * s + v3 * t
        a += step
        b += step
        c += step
        d += step
        z++
      }
    }
  }
}

/** Adds one input plane under one kernel to one output plane. */
function addPlane(
  y: Float64Array,
  yAt: number,
  x: Float64Array,
  xAt: number,
  w: Float64Array,
  wAt: number,
  runs: WindowRuns,
): void {
  for (let tap = 0; tap < runs.taps; tap++) {
    const weight = w[wAt + tap]!
    const length = runs.length[tap]!
    const step = runs.step[tap]!
    const end = runs.first[tap + 1]!
    for (let r = runs.first[tap]!; r < end; r++) {
      const from = xAt + runs.input[r]!
      const to = yAt + runs.output[r]!
      if (step === 1) for (let j = 0; j < length; j++) y[to + j]! += weight * x[from + j]!
      else for (let j = 0; j < length; j++) y[to + j]! += weight * x[from + j * step]!
    }
  }
}

/**
 * The adjoint of {@link convolve}: y [N, M, ...] from x [N, C, ...] by w [C, M/group, ...kernel], plus `bias`
 * [M]. The window is that of the convolution which would lead from y to x: its input is y, its output is x.
 */
export function convolveTransposed(
  convolution: Convolution,
  x: Float64Array,
  w: Float64Array,
  bias?: ArrayLike<number>,
): Float64Array {
  const { batch, groups, inputs, outputs, axes } = convolution
  const runs = windowRuns(axes)
  const xPlane = planeSize(axes, 'output')
  const yPlane = planeSize(axes, 'input')
  const y = allocate('float64', outputSize('float64', [batch, outputs, yPlane]))
  const inputsPerGroup = inputs / groups
  const outputsPerGroup = outputs / groups
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outputs; o++) {
      const yAt = (n * outputs + o) * yPlane
      if (bias !== undefined) y.fill(bias[o]!, yAt, yAt + yPlane)
      const group = Math.floor(o / outputsPerGroup)
      for (let i = 0; i < inputsPerGroup; i++) {
        const channel = group * inputsPerGroup + i
        const wAt = (channel * outputsPerGroup + (o % outputsPerGroup)) * runs.taps
        scatterPlane(y, yAt, x, (n * inputs + channel) * xPlane, w, wAt, runs)
      }
    }
  return y
}

/** Adds one input plane, spread by one kernel, to one output plane. */
function scatterPlane(
  y: Float64Array,
  yAt: number,
  x: Float64Array,
  xAt: number,
  w: Float64Array,
  wAt: number,
  runs: WindowRuns,
): void {
  for (let tap = 0; tap < runs.taps; tap++) {
    const weight = w[wAt + tap]!
    const length = runs.length[tap]!
    const step = runs.step[tap]!
    const end = runs.first[tap + 1]!
    for (let r = runs.first[tap]!; r < end; r++) {
      const to = yAt + runs.input[r]!
      const from = xAt + runs.output[r]!
      for (let j = 0; j < length; j++) y[to + j * step]! += weight * x[from + j]!
    }
  }
}

function planeSize(axes: readonly WindowAxis[], side: 'input' | 'output'): number {
  return sizeOf(axes.map(axis => axis[side]))
}
