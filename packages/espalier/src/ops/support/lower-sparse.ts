/**
 * Weights with many zeros as steps of the sparse kernels (kernels/sparse.hpp, sparse_i8.hpp): whether that pays, how the
 * weight is cut, and the fields.
 */
import type { Operand, StepValues } from '../../plan/step.ts'
import type { sparseCutFields } from '../../plan/steps/sparse-cut.ts'
import type { WeightMatrix } from '../../sparse/matrix.ts'
import type { Nonzeros } from '../../sparse/nonzeros.ts'
import { keptSteps, type Parts, type PartsShape, packParts, stepsOf } from '../../sparse/parts.ts'
import { nonzerosOf } from '../../sparse/weights.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { sampleBytes, type Tensor } from '../../tensor/tensor.ts'
import type { LowerContext } from '../lower.ts'
import type { WindowValues } from './lower-window.ts'

/** Vectors of rows of a block: `sparse_vectors` of kernels/sparse_rows.hpp. */
const blockVectors = 8
/** Taps of a window at most: `sparse_taps` there. */
const mostTaps = 64
/** Outputs of a panel: their sums stay in the second-level cache. */
const panelOutputs = 256
/** Bytes of turned activations that stay in the first-level cache beside weights and sums. */
const blockBytes = 24576
/** Fewer numbers than that are not worth a look. */
const leastNumbers = 1024
/** With fewer, activations are not turned in whole vectors. */
const leastChannels = 8

/** A product with constant weights. */
export interface SparseProduct {
  readonly weight: Tensor
  readonly matrix: WeightMatrix
  readonly window: WindowValues
  /** How many times less time the dense kernel takes than one product a weight would; 1 when left out. */
  readonly denseGain?: number
}

/** The window of a product of matrices: `rows` pixels in a line. */
export function lineOf(rows: number): WindowValues {
  const line = [1, 1, rows]
  const ones = [1, 1, 1]
  return {
    batch: 1,
    input: line,
    output: line,
    kernel: ones,
    strides: ones,
    dilations: ones,
    pads: [0, 0, 0],
  }
}

type Cut = Pick<
  StepValues<'sparse_f32'>,
  Exclude<keyof typeof sparseCutFields, 'xStride'> | 'scratch' | 'scratchBytes'
>

/** Emits sparse_f32 where it is faster than the dense kernel, and says whether it did. */
export function lowerSparseF32(
  c: LowerContext,
  product: SparseProduct,
  rest: Pick<StepValues<'sparse_f32'>, 'bias' | 'residual' | 'xStride' | 'activation' | 'alpha' | 'beta'>,
): boolean {
  const cut = cutSparse(c, product, { width: 1, words: 1 })
  if (cut === undefined) return false
  const { sizes, w, values } = cut
  c.emit('sparse_f32', {
    x: c.input(0),
    w,
    y: c.output(0),
    zeros: c.table(new Float32Array(product.matrix.channels)),
    nonzero: sizes.kept,
    ...values,
    ...rest,
  })
  return true
}

/** What a product of 8-bit integers needs beside the cut of its weights. */
type RestI8 = Omit<StepValues<'sparse_i8'>, keyof Cut | 'w' | 'quads' | 'sumsAt'>

/** Emits sparse_i8 where it is faster than the dense kernel, and says whether it did. `rest` is called only then. */
export function lowerSparseI8(c: LowerContext, product: SparseProduct, rest: () => RestI8): boolean {
  const { int8Depth, int8Columns } = c.target.traits
  const words = 4 / int8Depth
  const cut = cutSparse(c, product, {
    width: 4,
    words,
    padding: Math.ceil((product.matrix.channels + 4) / 64) * 64 * words,
    columns: int8Columns,
  })
  if (cut === undefined) return false
  const { sizes, w, values } = cut
  c.emit('sparse_i8', { w, quads: sizes.kept, sumsAt: sizes.extraAt, ...rest(), ...values })
  return true
}

interface CutOptions {
  readonly width: 1 | 4
  /** 32-bit words of activations in a step. */
  readonly words: number
  /** Bytes of scratch before everything else. */
  readonly padding?: number
  /** Columns that are finished together, where the kernel needs their sums. */
  readonly columns?: number
}

/** A weight in the layout of the sparse kernels, and the fields that say how it is cut; `undefined` where it does not pay. */
function cutSparse(
  c: LowerContext,
  product: SparseProduct,
  { width, words, padding = 0, columns }: CutOptions,
): { readonly sizes: PartsSizes; readonly w: Operand; readonly values: Omit<Cut, 'w'> } | undefined {
  if (!mayPay(c, product, width)) return undefined
  const { weight, matrix, window } = product
  const { channels, outputs, taps } = matrix
  const rows = blockVectors * c.target.traits.lanes
  const pitch = rows * words
  const block = Math.min(stepsOf(matrix, width), Math.floor(blockBytes / (4 * pitch)))
  const least = columns ?? 1
  const panel = Math.min(Math.ceil(outputs / least) * least, panelOutputs)
  const sums = columns === undefined ? 0 : Math.ceil(outputs / columns) * columns
  const most = mostKept(c, product, width)
  const parts = partsOf(product, { width, panel, block, pitch }, sums, most)
  if (parts === undefined) {
    noteLimit(c, most, width)
    return undefined
  }
  const { sizes, layout, make } = parts
  const kept = sizes.kept / (outputs * stepsOf(matrix, width))
  const share =
    width === 1
      ? `${percent(1 - kept)} zeros, ${percent(kept)} of the steps`
      : `${percent(kept)} of the steps of 4`
  const dense = sizeOf(weight.shape) * (width === 1 ? 4 : 1)
  c.note(`${share} are kept, up to ${percent(most)} pay; ${sizes.byteLength} bytes, ${dense} dense`)
  const scratchBytes =
    Math.ceil(
      (padding + taps * rows * 8 + 4 * (block * pitch + panel * rows) + 16 * Math.max(panel, 64)) / 64,
    ) * 64
  const { output, ...windowFields } = window
  const { directoryAt, placesAt, valuesAt } = sizes
  return {
    sizes,
    w: c.made(layout, weight, sizes.byteLength, make),
    values: {
      ...windowFields,
      outputSize: output,
      channels,
      outputs,
      panel,
      block,
      directoryAt,
      placesAt,
      valuesAt,
      scratchBytes,
      scratch: c.scratch(scratchBytes * c.target.threads),
    },
  }
}

/**
 * What sparse kernels take, in units of what the dense one takes for a number (four, of 8 bits): for a step that is kept, and,
 * once for every panel of outputs, for turning the activations and keeping the sums. Measured with AVX2 on the matrices of
 * BERT-base, one thread, 30 to 95 % zeros.
 */
const costs = { 1: { step: 1.22, panel: 18 }, 4: { step: 1, panel: 30 } } as const

/**
 * The share of the steps of a product up to which sparse kernels are used: of all of them where they are asked for. Negative
 * where they are not wanted, or where there are too few outputs.
 */
function mostKept(c: LowerContext, { matrix, denseGain = 1 }: SparseProduct, width: 1 | 4): number {
  if (c.target.sparse === 'always') return 1
  if (c.target.sparse === 'never' || matrix.channels < leastChannels) return -1
  const { step, panel } = costs[width]
  return Math.min(
    1,
    (1 / denseGain - (panel * Math.ceil(matrix.outputs / panelOutputs)) / matrix.outputs) / step,
  )
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Whether a weight may pay: it keeps at least as large a share of its steps as of its numbers. */
function mayPay(c: LowerContext, product: SparseProduct, width: 1 | 4): boolean {
  const { weight, matrix, window } = product
  const rows = window.batch * sizeOf(window.output)
  const numbers = matrix.outputs * stepsOf(matrix, 1)
  if (matrix.taps > mostTaps || rows < c.target.traits.lanes || numbers < leastNumbers) return false
  const most = mostKept(c, product, width)
  const { nonzero } = seenOf(weight)
  // Said of weights that have zeros worth a word.
  if (most >= 0 && nonzero > most * numbers && nonzero < numbers) noteLimit(c, most, 1)
  return most >= 0 && nonzero <= most * numbers
}

function noteLimit(c: LowerContext, most: number, width: number): void {
  const units = width === 1 ? 'zeros' : 'fours that are zero'
  c.note(`sparse kernels pay from ${percent(1 - most)} ${units} on`)
}

/** What is remembered of a weight as long as there is its tensor: numbers, and no memory that a session should give back. */
interface Seen {
  /** So many numbers at least are not zero. */
  nonzero: number
  /** Steps that are kept, by their width and how the weight is walked. */
  readonly kept: Map<string, number>
  readonly layouts: Map<string, Packed>
}

interface Packed {
  readonly sizes: PartsSizes
  /** Belongs to the sessions that use it. */
  bytes: WeakRef<ArrayBuffer>
}

/** Where everything lies in a layout. */
type PartsSizes = Omit<Parts, 'bytes'> & { readonly byteLength: number }

const weightsSeen = new WeakMap<Tensor, Seen>()

function seenOf(weight: Tensor): Seen {
  let seen = weightsSeen.get(weight)
  if (seen === undefined) {
    seen = { nonzero: looksDense(weight) ? sizeOf(weight.shape) : 0, kept: new Map(), layouts: new Map() }
    weightsSeen.set(weight, seen)
  }
  return seen
}

/** Numbers of a weight that are looked at first, in lines of some. */
const SAMPLE = { lines: 32, bytes: 512 } as const

/** Whether a weight is surely dense, seen from a part of it: those in files are best read once, when they are packed. */
function looksDense(weight: Tensor): boolean {
  const line = new Uint8Array(SAMPLE.bytes)
  const numbers = weight.dtype === 'float32' ? new Uint32Array(line.buffer) : line
  const zero = weight.dtype === 'uint8' ? 128 : 0
  let [seen, nonzero] = [0, 0]
  const sampled = sampleBytes(weight, SAMPLE.lines, line, () => {
    seen += numbers.length
    for (const number of numbers) if (number !== zero) nonzero++
  })
  return sampled && nonzero > 0.75 * seen && seen > 0
}

interface MadeParts {
  readonly layout: string
  readonly sizes: PartsSizes
  readonly make: () => Uint8Array
}

/** A weight in parts, with room for as many sums of columns; `undefined` where more than a share `most` of its steps is kept. */
function partsOf(
  product: SparseProduct,
  shape: PartsShape,
  sums: number,
  most: number,
): MadeParts | undefined {
  const { weight, matrix } = product
  const { width, panel, block, pitch } = shape
  const seen = seenOf(weight)
  const form = `${width} along ${matrix.outputStrides}`
  const layout = `sparse ${form}, ${panel} ${block} ${pitch} ${sums}`
  const mostSteps = most * matrix.outputs * stepsOf(matrix, width)
  const mostNumbers = Math.floor(most * matrix.outputs * stepsOf(matrix, 1))
  if ((seen.kept.get(form) ?? 0) > mostSteps) return undefined
  const pack = (nonzeros: Nonzeros): Parts => {
    const parts = packParts(nonzeros, matrix, shape, 4 * sums)
    addColumnSums(nonzeros, new Int32Array(parts.bytes.buffer, parts.extraAt, sums))
    return parts
  }
  let packed = seen.layouts.get(layout)
  // The plan holds what is packed here until a session has it; whoever asks later has it packed again.
  let pending: Uint8Array | undefined
  if (packed === undefined) {
    const nonzeros = nonzerosOf(weight, matrix, mostNumbers)
    if (nonzeros === undefined) {
      seen.nonzero = mostNumbers + 1
      return undefined
    }
    const kept = keptSteps(nonzeros, matrix, width)
    seen.kept.set(form, kept)
    if (kept > mostSteps) return undefined
    const { bytes, ...sizes } = pack(nonzeros)
    packed = {
      sizes: { ...sizes, byteLength: bytes.byteLength },
      bytes: new WeakRef(bytes.buffer as ArrayBuffer),
    }
    pending = bytes
    seen.layouts.set(layout, packed)
  }
  const known = packed
  const make = (): Uint8Array => {
    const shared = known.bytes.deref()
    const bytes =
      pending ??
      (shared === undefined
        ? pack(nonzerosOf(weight, matrix, sizeOf(weight.shape))!).bytes
        : new Uint8Array(shared))
    pending = undefined
    if (bytes.buffer !== shared) known.bytes = new WeakRef(bytes.buffer as ArrayBuffer)
    return bytes
  }
  return { layout, sizes: packed.sizes, make }
}

function addColumnSums({ starts, values }: Nonzeros, sums: Int32Array): void {
  if (sums.length === 0) return
  for (let output = 0; output < starts.length - 1; output++)
    for (let i = starts[output]!; i < starts[output + 1]!; i++) sums[output]! += values[i]!
}
