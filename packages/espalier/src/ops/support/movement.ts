/**
 * Moving elements without reading them: what transposing, slicing, padding, gathering and scattering have in common,
 * for every data type. An element is one or more whole array entries holding its bits (types of 2 and 4 bits are unpacked
 * to a byte each, then packed again), so that nothing is converted: NaN payloads, 64-bit integers and strings arrive as
 * they left. Outputs are refused beyond a size limit before anything is allocated.
 */
import { EspalierError } from '../../errors.ts'
import { byteLength, type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { packBits } from '../../tensor/elements.ts'
import { formatShape, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import { allocate, type Tensor, tensor } from '../../tensor/tensor.ts'

type Entries = Uint8Array | Uint16Array | Uint32Array | string[]

/** The elements of a tensor as things to move: element `i` is the `width` entries from `i * width` on. */
export interface Cells {
  readonly dtype: DType
  readonly entries: Entries
  readonly width: number
}

/** Most bytes an operator's output may take (4 GiB), each string counted with {@link bytesPerString}. */
export const largestOutput: number = 2 ** 32
/** So that string tensors end at 2^24 elements, which an array still holds well. */
const bytesPerString = 256

/**
 * Number of elements of an output. Throws `too-large` beyond {@link largestOutput}, `bad-shape` when `shape` is not a
 * shape. Whatever computes its output shape from the contents of its inputs asks this before allocating.
 */
export function outputSize(dtype: DType, shape: Shape): number {
  const size = sizeOf(shape)
  const bytes = dtype === 'string' ? size * bytesPerString : byteLength(dtype, size)
  if (bytes > largestOutput)
    throw new EspalierError('too-large', `an output of ${dtype} ${formatShape(shape)} is too large`, {
      expected: `at most ${largestOutput} bytes`,
      got: `${bytes} bytes`,
    })
  return size
}

/** How elements of a data type are held as cells. */
function layoutOf(dtype: DType): { readonly bytes: 1 | 2 | 4; readonly width: number } {
  const { bits } = dtypeInfo(dtype)
  if (bits <= 8) return { bytes: 1, width: 1 }
  return bits === 16 ? { bytes: 2, width: 1 } : { bytes: 4, width: bits / 32 }
}

/** The elements of `source`; usually its own storage, not to be written to. */
export function cellsOf(source: Tensor): Cells {
  const { dtype, data } = source
  const { bytes, width } = layoutOf(dtype)
  if (dtype === 'string') return { dtype, entries: data as unknown as string[], width }
  if (dtypeInfo(dtype).bits < 8) return { dtype, entries: unpack(source), width }
  const { buffer, byteOffset, byteLength: length } = data as Uint8Array
  return { dtype, entries: entriesOver(bytes, buffer, byteOffset, length), width }
}

/** A copy of the elements of `source`, to write to. */
export function copyCells(source: Tensor): Cells {
  const cells = cellsOf(source)
  return { ...cells, entries: cells.entries.slice() }
}

/** New cells for the elements of a tensor: zero bits, or empty strings. Throws `too-large`. */
export function newCells(dtype: DType, shape: Shape): Cells {
  const count = outputSize(dtype, shape)
  const { bytes, width } = layoutOf(dtype)
  if (dtype === 'string') return { dtype, entries: new Array<string>(count).fill(''), width }
  const length = count * width * bytes
  try {
    return { dtype, entries: entriesOver(bytes, new ArrayBuffer(length), 0, length), width }
  } catch (cause) {
    throw new EspalierError('too-large', `cannot allocate ${count} elements of ${dtype}`, { cause })
  }
}

/** The tensor whose elements are `cells`, which it takes over. */
export function tensorOfCells(cells: Cells, shape: Shape): Tensor {
  const { dtype, entries } = cells
  if (dtype === 'string') return tensor('string', shape, entries as string[])
  const { bits, array } = dtypeInfo(dtype)
  if (bits < 8) return tensor(dtype, shape, packBits(entries as Uint8Array, bits) as never)
  const { buffer, byteOffset, byteLength: length } = entries as Uint8Array
  const View = array as unknown as new (buffer: ArrayBufferLike, offset: number, length: number) => never
  return tensor(dtype, shape, new View(buffer, byteOffset, length / array.BYTES_PER_ELEMENT))
}

function entriesOver(bytes: 1 | 2 | 4, buffer: ArrayBufferLike, offset: number, length: number): Entries {
  if (bytes === 1) return new Uint8Array(buffer, offset, length)
  return bytes === 2
    ? new Uint16Array(buffer, offset, length / 2)
    : new Uint32Array(buffer, offset, length / 4)
}

function unpack(source: Tensor): Uint8Array {
  const { bits } = dtypeInfo(source.dtype)
  const packed = source.data as Uint8Array
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  const codes = new Uint8Array(sizeOf(source.shape))
  for (let i = 0; i < codes.length; i++)
    codes[i] = (packed[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask
  return codes
}

/** Below this many entries a loop is faster than a call of `set`. */
const shortRun = 32

/** Copies `count` elements in a row: those of `from` from `start` on, to `at` in `to`. */
export function copyRun(to: Cells, at: number, from: Cells, start: number, count: number): void {
  const { width } = from
  // Both hold the same kind of array; one is named so that the compiler sees a single type.
  const target = to.entries as Uint8Array
  const source = from.entries as Uint8Array
  const length = count * width
  const first = start * width
  if (length > shortRun && from.dtype !== 'string') {
    target.set(source.subarray(first, first + length), at * width)
    return
  }
  for (let i = 0; i < length; i++) target[at * width + i] = source[first + i]!
}

/** Copies one element. */
export function copyCell(to: Cells, at: number, from: Cells, start: number): void {
  const { width } = from
  const target = to.entries as Uint8Array
  const source = from.entries as Uint8Array
  if (width === 1) target[at] = source[start]!
  else for (let i = 0; i < width; i++) target[at * width + i] = source[start * width + i]!
}

/** Sets every element to the one element of `value`. */
export function fillCells(to: Cells, value: Tensor): void {
  const from = cellsOf(value)
  if (from.width === 1) {
    ;(to.entries as Uint8Array).fill((from.entries as Uint8Array)[0]!)
    return
  }
  const count = to.entries.length / to.width
  for (let i = 0; i < count; i++) copyCell(to, i, from, 0)
}

/** Cells for an output whose positions without a source hold `fill`, or zero (an empty string) without one. */
function filledCells(dtype: DType, shape: Shape, fill: Tensor | undefined): Cells {
  const cells = newCells(dtype, shape)
  if (fill !== undefined) fillCells(cells, fill)
  return cells
}

/**
 * The tensor of `shape` whose element `i` is the element `indexOf(i)` of `source`, or `fill` (zero when left out)
 * where that is negative.
 */
export function gatherElements(
  source: Tensor,
  shape: Shape,
  indexOf: (index: number) => number,
  fill?: Tensor,
): Tensor {
  const to = filledCells(source.dtype, shape, fill)
  const from = cellsOf(source)
  const count = sizeOf(shape)
  for (let i = 0; i < count; i++) {
    const index = indexOf(i)
    if (index >= 0) copyCell(to, i, from, index)
  }
  return tensorOfCells(to, shape)
}

/**
 * A dense copy of a strided view: the element at `[i, j, ...]` is the one of `source` at `offset + i * strides[0] + j *
 * strides[1] + ...`. A stride of 0 repeats, a negative one runs backwards.
 */
export function copyStrided(source: Tensor, shape: Shape, strides: readonly number[], offset = 0): Tensor {
  const to = newCells(source.dtype, shape)
  const count = sizeOf(shape)
  if (count === 0) return tensorOfCells(to, shape)
  const from = cellsOf(source)
  const { run, outer, outerStrides } = splitContiguous(shape, strides)
  let position = offset
  const at = new Array<number>(outer.length).fill(0)
  for (let done = 0; done < count; done += run) {
    if (run === 1) copyCell(to, done, from, position)
    else copyRun(to, done, from, position, run)
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      at[axis]!++
      position += outerStrides[axis]!
      if (at[axis]! < outer[axis]!) break
      position -= outerStrides[axis]! * outer[axis]!
      at[axis] = 0
    }
  }
  return tensorOfCells(to, shape)
}

/** Splits a view into the innermost axes that lie contiguously (`run` elements) and the axes around them. */
function splitContiguous(
  shape: Shape,
  strides: readonly number[],
): { readonly run: number; readonly outer: Shape; readonly outerStrides: readonly number[] } {
  let run = 1
  let axis = shape.length - 1
  while (axis >= 0 && (strides[axis] === run || shape[axis] === 1)) run *= shape[axis--]!
  return { run, outer: shape.slice(0, axis + 1), outerStrides: strides.slice(0, axis + 1) }
}

/** A table for {@link selectAxes}: `at(i)` for each of `length` positions. Throws `too-large`. */
export function tableOf(length: number, at: (index: number) => number): Float64Array {
  const table = allocate('float64', length)
  for (let i = 0; i < length; i++) table[i] = at(i)
  return table
}

/**
 * Picks positions axis by axis: the element at `[i, j, ...]` is the one of `source` at `[tables[0][i], tables[1][j],
 * ...]`. A missing table keeps its axis. Where a table says -1 the output holds `fill` (zero when left out). Positions
 * are not checked.
 */
export function selectAxes(
  source: Tensor,
  tables: readonly (ArrayLike<number> | undefined)[],
  fill?: Tensor,
): Tensor {
  const shape = source.shape.map((extent, axis) => tables[axis]?.length ?? extent)
  const to = filledCells(source.dtype, shape, fill)
  if (sizeOf(shape) === 0) return tensorOfCells(to, shape)
  const from = cellsOf(source)
  const strides = stridesOf(source.shape)
  const steps = stridesOf(shape)
  // The axes behind the last table move as one block.
  const last = tables.findLastIndex(table => table !== undefined)
  const run = last < 0 ? sizeOf(shape) : steps[last]!
  const visit = (axis: number, at: number, position: number): void => {
    const table = tables[axis]
    const [extent, step, stride] = [shape[axis]!, steps[axis]!, strides[axis]!]
    for (let i = 0; i < extent; i++) {
      const index = table === undefined ? i : table[i]!
      if (index < 0) continue
      const [target, start] = [at + i * step, position + index * stride]
      if (axis < last) visit(axis + 1, target, start)
      else if (run === 1) copyCell(to, target, from, start)
      else copyRun(to, target, from, start, run)
    }
  }
  if (last < 0) copyRun(to, 0, from, 0, run)
  else visit(0, 0, 0)
  return tensorOfCells(to, shape)
}
