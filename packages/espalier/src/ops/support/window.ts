/**
 * Geometry of sliding windows: kernel, stride, padding and dilation along the spatial axes, as convolutions
 * and pools have it. One formula for the output extent serves type inference (symbolic) and evaluation
 * (numbers). `windowRuns` lists where each tap of the window meets the input, so that the loops that compute
 * have their bounds hoisted and run along contiguous memory. Source: ONNX Operators.md, Conv, AveragePool and
 * MaxPool.
 */
import { EspalierError } from '../../errors.ts'
import {
  addDims,
  ceilDivideDims,
  floorDivideDims,
  minDims,
  multiplyDims,
  subtractDims,
} from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { forEachIndex, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { Attributes } from '../op.ts'
import { outputSize } from './movement.ts'

/** The window attributes of a node, checked, with one entry a spatial axis. */
export interface WindowSettings {
  readonly kernel: readonly Dim[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /**
   * Elements to add: all the beginnings, then all the ends; or a rule that finds them from the input's
   * extent.
   */
  readonly padding: readonly number[] | 'SAME_UPPER' | 'SAME_LOWER'
  /** Whether a last window that only partly fits counts. */
  readonly ceil: boolean
}

/** One spatial axis with every number known. */
export interface WindowAxis {
  readonly input: number
  readonly output: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  /** Padding at the beginning and at the end. */
  readonly before: number
  readonly after: number
}

/**
 * Reads `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode` for the axes of `kernel`. Where `auto_pad`
 * is given it wins over `pads`, as in onnxruntime; with `auto_pad` VALID there is no padding and, by the
 * formula of the specification, `ceil_mode` changes nothing. Throws `bad-argument`.
 */
export function readWindow(attributes: Attributes, kernel: readonly Dim[]): WindowSettings {
  const rank = kernel.length
  for (const extent of kernel) if (typeof extent === 'number') requireAtLeast('kernel_shape', [extent], 1)
  const autoPad = attributes.optionalString('auto_pad') ?? 'NOTSET'
  const shared = {
    kernel,
    strides: readAxes(attributes, 'strides', rank, 1, 1),
    dilations: readAxes(attributes, 'dilations', rank, 1, 1),
  }
  const ceil = (attributes.optionalInt('ceil_mode') ?? 0) !== 0
  switch (autoPad) {
    case 'NOTSET':
      return { ...shared, padding: readAxes(attributes, 'pads', 2 * rank, 0, 0), ceil }
    case 'VALID':
      return { ...shared, padding: new Array<number>(2 * rank).fill(0), ceil: false }
    case 'SAME_UPPER':
    case 'SAME_LOWER':
      return { ...shared, padding: autoPad, ceil }
    default:
      throw new EspalierError('bad-argument', 'unknown kind of padding', {
        where: { field: 'auto_pad' },
        expected: 'NOTSET, VALID, SAME_UPPER or SAME_LOWER',
        got: autoPad,
      })
  }
}

/** An attribute with one integer for each of `count` places, or `fallback` everywhere when it is absent. */
export function readAxes(
  attributes: Attributes,
  name: string,
  count: number,
  fallback: number,
  least: number,
): readonly number[] {
  const values = attributes.optionalInts(name)
  if (values === undefined || values.length === 0) return new Array<number>(count).fill(fallback)
  if (values.length !== count)
    throw new EspalierError('bad-argument', 'the attribute does not have one value for each place', {
      where: { field: name },
      expected: `${count} values`,
      got: `${values.length}`,
    })
  requireAtLeast(name, values, least)
  return values
}

function requireAtLeast(name: string, values: readonly number[], least: number): void {
  const wrong = values.find(value => value < least)
  if (wrong === undefined) return
  throw new EspalierError('bad-argument', 'a window attribute is out of range', {
    where: { field: name },
    expected: `at least ${least}`,
    got: `${wrong}`,
  })
}

/** Elements that a dilated kernel spans. */
function spanOf(kernel: Dim, dilation: number): Dim {
  return addDims(multiplyDims(subtractDims(kernel, 1), dilation), 1)
}

/**
 * Output extents for spatial extents `inputs`. Throws `bad-shape` where the window certainly does not fit.
 */
export function windowOutputs(settings: WindowSettings, inputs: readonly Dim[]): Dim[] {
  return inputs.map((input, axis) => {
    const stride = settings.strides[axis]!
    if (typeof settings.padding === 'string') return ceilDivideDims(input, stride)
    const before = settings.padding[axis]!
    const after = settings.padding[axis + inputs.length]!
    const span = spanOf(settings.kernel[axis]!, settings.dilations[axis]!)
    const room = subtractDims(addDims(input, before + after), span)
    if (!settings.ceil) return checkFit(addDims(floorDivideDims(room, stride), 1), room, settings, axis)
    // The last window must start inside the input or its leading padding.
    const starts = ceilDivideDims(addDims(input, before), stride)
    return checkFit(minDims(addDims(ceilDivideDims(room, stride), 1), starts), room, settings, axis)
  })
}

function checkFit(output: Dim, room: Dim, settings: WindowSettings, axis: number): Dim {
  if (typeof output !== 'number' || output > 0) return output
  const span = spanOf(settings.kernel[axis]!, settings.dilations[axis]!)
  throw new EspalierError('bad-shape', `the window does not fit the padded input on spatial axis ${axis}`, {
    expected: `at least ${span} elements`,
    got: `${addDims(room, span)}`,
  })
}

/**
 * The spatial axes for concrete input extents. Throws `bad-shape` where the window does not fit, `too-large` where
 * padding makes the output absurd, even of an empty batch.
 */
export function windowAxes(settings: WindowSettings, inputs: readonly number[]): WindowAxis[] {
  const outputs = windowOutputs(settings, inputs) as number[]
  outputSize('float64', outputs)
  return inputs.map((input, axis) => {
    const [stride, dilation] = [settings.strides[axis]!, settings.dilations[axis]!]
    const [kernel, output] = [settings.kernel[axis] as number, outputs[axis]!]
    const { padding } = settings
    if (typeof padding !== 'string') {
      const [before, after] = [padding[axis]!, padding[axis + inputs.length]!]
      return { input, output, kernel, stride, dilation, before, after }
    }
    const total = Math.max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - input)
    const smaller = Math.floor(total / 2)
    const before = padding === 'SAME_UPPER' ? smaller : total - smaller
    return { input, output, kernel, stride, dilation, before, after: total - before }
  })
}

/** Extents of the input, of the output and of the kernel of a window. */
export function windowShapes(axes: readonly WindowAxis[]): {
  input: number[]
  output: number[]
  kernel: number[]
} {
  return {
    input: axes.map(axis => axis.input),
    output: axes.map(axis => axis.output),
    kernel: axes.map(axis => axis.kernel),
  }
}

/**
 * Where the taps of a window meet the input. Tap `t` (kernel positions in row-major order) has the runs
 * `first[t]` to `first[t + 1]`; in run `r`, the output at `output[r] + j` sees the input at `input[r] + j *
 * step[t]` for `j` below `length[t]`. Positions that fall on padding are in no run. Offsets are within one
 * plane (one channel).
 */
export interface WindowRuns {
  readonly taps: number
  readonly first: Int32Array
  readonly length: Int32Array
  readonly step: Int32Array
  readonly input: Int32Array
  readonly output: Int32Array
}

/** Limit on taps and on runs: beyond it a window is taken for a mistake (2^26 are half a gigabyte). */
const runLimit = 2 ** 26

/** The runs of a window over one or more axes. Throws `too-large`. */
export function windowRuns(axes: readonly WindowAxis[]): WindowRuns {
  const { input, output, kernel } = windowShapes(axes)
  const strides = { input: stridesOf(input), output: stridesOf(output) }
  const taps = sizeOf(kernel)
  refuseBeyondLimit(taps)
  const first = new Int32Array(taps + 1)
  const length = new Int32Array(taps)
  const step = new Int32Array(taps)
  const inputs: number[] = []
  const outputs: number[] = []
  forEachIndex(kernel, unitVectors(kernel.length), (tap, at) => {
    const runs = joinRows(tapRuns(axes, at, strides))
    refuseBeyondLimit(inputs.length + runs.input.length)
    for (const start of runs.input) inputs.push(start)
    for (const start of runs.output) outputs.push(start)
    first[tap + 1] = inputs.length
    length[tap] = runs.length
    step[tap] = runs.step
  })
  return { taps, first, length, step, input: Int32Array.from(inputs), output: Int32Array.from(outputs) }
}

/** Strides under which `forEachIndex` gives the index itself. */
function unitVectors(rank: number): number[][] {
  return Array.from({ length: rank }, (_, k) =>
    Array.from({ length: rank }, (__, axis) => (axis === k ? 1 : 0)),
  )
}

/** Starts of runs that share length and step. */
interface RunList {
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly length: number
  readonly step: number
}

/** The runs along the last axis of the tap at kernel position `at`. */
function tapRuns(
  axes: readonly WindowAxis[],
  at: readonly number[],
  strides: { readonly input: readonly number[]; readonly output: readonly number[] },
): RunList {
  let input = [0]
  let output = [0]
  for (let axis = 0; axis < axes.length - 1; axis++) {
    const { stride, dilation, before } = axes[axis]!
    const [from, to] = tapRange(axes[axis]!, at[axis]!)
    const positions = Array.from({ length: to - from }, (_, i) => from + i)
    const shift = at[axis]! * dilation - before
    input = input.flatMap(start => positions.map(o => start + (o * stride + shift) * strides.input[axis]!))
    output = output.flatMap(start => positions.map(o => start + o * strides.output[axis]!))
  }
  const last = axes.length - 1
  const { stride, dilation, before } = axes[last]!
  const [from, to] = tapRange(axes[last]!, at[last]!)
  if (to === from) return { input: [], output: [], length: 0, step: stride }
  const shift = at[last]! * dilation - before + from * stride
  return {
    input: input.map(start => start + shift),
    output: output.map(start => start + from),
    length: to - from,
    step: stride,
  }
}

/** Output positions, from and to (exclusive), at which the kernel's element `k` falls inside the input. */
function tapRange({ input, output, stride, dilation, before }: WindowAxis, k: number): [number, number] {
  const shift = k * dilation - before
  const from = Math.max(0, Math.ceil(-shift / stride))
  const to = Math.min(output, Math.floor((input - 1 - shift) / stride) + 1)
  return [from, Math.max(from, to)]
}

/** Joins rows that follow each other without a gap into one run: all of them, or none. */
function joinRows(runs: RunList): RunList {
  const { input, output, length, step } = runs
  if (input.length < 2) return runs
  const pace = input[1]! - input[0]!
  if (length > 1 && pace !== length * step) return runs
  for (let r = 1; r < input.length; r++)
    if (output[r]! - output[r - 1]! !== length || input[r]! - input[r - 1]! !== pace) return runs
  return {
    input: [input[0]!],
    output: [output[0]!],
    length: length * input.length,
    step: length > 1 ? step : pace,
  }
}

function refuseBeyondLimit(count: number): void {
  if (count <= runLimit) return
  throw new EspalierError('too-large', 'a sliding window has too many elements', {
    expected: `at most ${runLimit}`,
  })
}

/**
 * How many elements each window covers, by output position: those of the input, and with `includePadding`
 * also the declared padding. What `ceil_mode` reaches beyond the padding never counts.
 */
export function windowCounts(axes: readonly WindowAxis[], includePadding: boolean): Float64Array {
  let counts: number[] = [1]
  for (const axis of axes) {
    const along = countsAlong(axis, includePadding)
    counts = counts.flatMap(count => along.map(own => count * own))
  }
  return Float64Array.from(counts)
}

function countsAlong(
  { input, output, kernel, stride, dilation, before, after }: WindowAxis,
  padded: boolean,
): number[] {
  const [from, to] = padded ? [-before, input + after] : [0, input]
  return Array.from({ length: output }, (_, o) => {
    const start = o * stride - before
    const firstTap = Math.max(0, Math.ceil((from - start) / dilation))
    const lastTap = Math.min(kernel - 1, Math.ceil((to - start) / dilation) - 1)
    return Math.max(0, lastTap - firstTap + 1)
  })
}
