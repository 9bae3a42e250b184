/**
 * Weights with many zeros as steps of the sparse kernels (kernels/sparse.hpp, sparse_i8.hpp): whether that pays, how the
 * weight is cut, and the fields.
 */
import type { StepValues } from '../../plan/step.ts'
import type { Numbers, WeightMatrix } from '../../sparse/matrix.ts'
import { type Parts, packParts, stepsOf } from '../../sparse/parts.ts'
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

/** A product with constant weights. */
export interface SparseProduct {
  readonly weight: Tensor
  /** The weight as numbers of which those to be left out are zeros, in the order of the kernels. Called where it pays. */
  readonly matrix: () => WeightMatrix
  readonly window: WindowValues
  readonly channels: number
  readonly outputs: number
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
  | 'batch'
  | 'input'
  | 'outputSize'
  | 'kernel'
  | 'strides'
  | 'dilations'
  | 'pads'
  | 'channels'
  | 'outputs'
  | 'panel'
  | 'block'
  | 'directoryAt'
  | 'placesAt'
  | 'valuesAt'
  | 'scratch'
  | 'scratchBytes'
>

/** Emits sparse_f32 where it is faster than the dense kernel, and says whether it did. */
export function lowerSparseF32(
  c: LowerContext,
  product: SparseProduct,
  rest: Pick<StepValues<'sparse_f32'>, 'bias' | 'residual' | 'xStride' | 'activation' | 'alpha' | 'beta'>,
): boolean {
  if (!mayPay(c, product)) return false
  const { cut, parts } = cutSparse(c, product, { width: 1, words: 1, extra: 0 })
  if (!pays(parts, product)) return false
  c.emit('sparse_f32', {
    x: c.input(0),
    w: c.table(parts.bytes),
    y: c.output(0),
    zeros: c.table(new Float32Array(product.channels)),
    nonzero: parts.kept,
    ...cut,
    ...rest,
  })
  return true
}

/** What a product of 8-bit integers needs beside the cut of its weights. */
type RestI8 = Omit<StepValues<'sparse_i8'>, keyof Cut | 'w' | 'quads' | 'sumsAt'>

/** Emits sparse_i8 where it is faster than the dense kernel, and says whether it did. `rest` is called only then. */
export function lowerSparseI8(c: LowerContext, product: SparseProduct, rest: () => RestI8): boolean {
  if (!mayPay(c, product)) return false
  const { int8Depth, int8Columns } = c.target.traits
  const words = 4 / int8Depth
  const columns = Math.ceil(product.outputs / int8Columns) * int8Columns
  const { cut, parts } = cutSparse(c, product, {
    width: 4,
    words,
    extra: 4 * columns,
    padding: Math.ceil((product.channels + 4) / 64) * 64 * words,
    least: int8Columns,
  })
  if (!pays(parts, product)) return false
  c.emit('sparse_i8', {
    w: c.table(parts.bytes),
    quads: parts.kept,
    sumsAt: parts.extraAt,
    ...rest(),
    ...cut,
  })
  return true
}

interface CutOptions {
  readonly width: number
  /** 32-bit words of activations in a step. */
  readonly words: number
  /** Bytes for the sums of columns; 0 where none are wanted. */
  readonly extra: number
  /** Bytes of scratch before everything else. */
  readonly padding?: number
  /** Columns that are finished together. */
  readonly least?: number
}

function cutSparse(
  c: LowerContext,
  { weight, matrix, window, channels, outputs }: SparseProduct,
  { width, words, extra, padding = 0, least = 1 }: CutOptions,
): { readonly cut: Cut; readonly parts: Parts } {
  const rows = blockVectors * c.target.traits.lanes
  const pitch = rows * words
  const taps = sizeOf(window.kernel)
  const steps = taps * Math.ceil(channels / width)
  const block = Math.min(steps, Math.floor(blockBytes / (4 * pitch)))
  const panel = Math.min(Math.ceil(outputs / least) * least, panelOutputs)
  const parts = packedOnce(weight, `${taps} ${width} ${pitch} ${block} ${panel} ${least}`, () => {
    const numbers = matrix()
    const packed = packParts(numbers, { width, panel, block, pitch }, extra)
    if (extra > 0) addColumnSums(numbers, new Int32Array(packed.bytes.buffer, packed.extraAt, extra / 4))
    return packed
  })
  const scratchBytes =
    Math.ceil(
      (padding + taps * rows * 8 + 4 * (block * pitch + panel * rows) + 16 * Math.max(panel, 64)) / 64,
    ) * 64
  const { output, ...windowFields } = window
  const { directoryAt, placesAt, valuesAt } = parts
  return {
    parts,
    cut: {
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

function addColumnSums(matrix: WeightMatrix, sums: Int32Array): void {
  const { data, outputs, outputsFirst } = matrix
  const depth = stepsOf(matrix, 1)
  for (let i = 0; i < data.length; i++) sums[outputsFirst ? Math.floor(i / depth) : i % outputs]! += data[i]!
}

/**
 * The share of steps up to which the sparse kernel takes less time than the dense one. Measured with AVX2: a step that is
 * kept costs 2.2 times what one of a dense product does.
 */
const MOST_KEPT = 0.45

/** Whether a weight may pay; its steps are at least as many as its numbers are. */
function mayPay(
  c: LowerContext,
  { weight, window, channels, outputs, denseGain = 1 }: SparseProduct,
): boolean {
  const taps = sizeOf(window.kernel)
  const rows = window.batch * sizeOf(window.output)
  if (taps > mostTaps || rows < c.target.traits.lanes || outputs * taps * channels < leastNumbers)
    return false
  return !looksDense(weight) && densityOf(weight) <= MOST_KEPT / denseGain
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

function pays(parts: Parts, { window, channels, outputs, denseGain = 1 }: SparseProduct): boolean {
  return (
    parts.kept <=
    (MOST_KEPT / denseGain) * outputs * sizeOf(window.kernel) * Math.ceil(channels / parts.width)
  )
}

const densities = new WeakMap<Tensor, number>()

/** Share of the numbers that are not zero; of unsigned bytes, that are not 128. */
function densityOf(tensor: Tensor): number {
  let density = densities.get(tensor)
  if (density === undefined) {
    const data = tensor.data as Numbers
    const zero = tensor.dtype === 'uint8' ? 128 : 0
    let nonzero = 0
    for (let i = 0; i < data.length; i++) if (data[i] !== zero) nonzero++
    density = nonzero / data.length
    densities.set(tensor, density)
  }
  return density
}

const made = new WeakMap<Tensor, Map<string, Parts>>()

/** The same weight in the same layout is made once. */
function packedOnce(weight: Tensor, name: string, make: () => Parts): Parts {
  const layouts = made.get(weight) ?? new Map<string, Parts>()
  made.set(weight, layouts)
  let packed = layouts.get(name)
  if (packed === undefined) {
    packed = make()
    layouts.set(name, packed)
  }
  return packed
}
