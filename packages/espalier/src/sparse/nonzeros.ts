/**
 * The numbers of a weight that are not zero, output by output, with ascending k: what sparse layouts are packed from,
 * whether the weight lies as a dense array or as a list of what a file stores. It costs as many bytes as there are such
 * numbers. Rows and columns are those of the tensor, however a view cuts it into them; outputs and k are those of the
 * matrix that kernels multiply by.
 */
import type { MatrixView } from '../formats/espalier/matrix.ts'
import { type Shape, stridesOf } from '../tensor/shape.ts'
import type { Numbers, WeightMatrix } from './matrix.ts'
import { scratch } from './scratch.ts'

export interface Nonzeros<N extends Numbers = Numbers> {
  /** Where the numbers of an output begin; one more for the end. */
  readonly starts: Uint32Array
  /** Their k, ascending within an output. */
  readonly ks: Uint32Array
  readonly values: N
}

/** The nonzero numbers of a dense array in the shape of `matrix`; `undefined` where they are more than `most`. */
export function nonzerosOfDense<N extends Numbers>(
  data: N,
  matrix: WeightMatrix,
  most: number = data.length,
): Nonzeros<N> | undefined {
  const { rows, columns } = placesOf(matrix, denseView(matrix.shape))
  const width = columns.ks.length
  const found = roomFor(data, Math.min(data.length, most + width))
  const { outputs, ks, values } = found
  let count = 0
  for (let row = 0, from = 0; row < rows.ks.length; row++, from += width) {
    const [rowOutput, rowK] = [rows.outputs[row]!, rows.ks[row]!]
    for (let column = 0; column < width; column++) {
      const value = data[from + column]!
      if (value === 0) continue
      outputs[count] = rowOutput + columns.outputs[column]!
      ks[count] = rowK + columns.ks[column]!
      values[count++] = value
    }
    if (count > most) return undefined
  }
  return byOutput(matrix, found, count)
}

/**
 * The nonzero numbers among `values`, which lie at `positions` (ascending) of the matrix that `view` makes of the tensor;
 * `undefined` where they are more than `most`.
 */
export function nonzerosOfList<N extends Numbers>(
  positions: Uint32Array,
  list: N,
  view: MatrixView,
  matrix: WeightMatrix,
  most: number = list.length,
): Nonzeros<N> | undefined {
  const { rows, columns } = placesOf(matrix, view)
  const width = columns.ks.length
  const found = roomFor(list, list.length)
  const { outputs, ks, values } = found
  let count = 0
  for (let i = 0, row = 0, from = 0; i < list.length; i++) {
    const value = list[i]!
    if (value === 0) continue
    const position = positions[i]!
    if (position >= from + width) {
      row = Math.floor(position / width)
      from = row * width
    }
    outputs[count] = rows.outputs[row]! + columns.outputs[position - from]!
    ks[count] = rows.ks[row]! + columns.ks[position - from]!
    values[count++] = value
  }
  return count > most ? undefined : byOutput(matrix, found, count)
}

/** Numbers in the order in which they were found. */
interface Found<N extends Numbers> {
  readonly outputs: Uint32Array
  readonly ks: Uint32Array
  readonly values: N
}

const [outputScratch, kScratch, valueScratch] = [scratch(), scratch(), scratch()]

/** Room for as many numbers, good until the next call. */
function roomFor<N extends Numbers>(like: N, room: number): Found<N> {
  const kind = like instanceof Float32Array ? Float32Array : Int8Array
  return {
    outputs: new Uint32Array(outputScratch(4 * room), 0, room),
    ks: new Uint32Array(kScratch(4 * room), 0, room),
    values: new kind(valueScratch(4 * room), 0, room) as N,
  }
}

/** Rows and columns that leave long columns: the first axis that has an extent is that of rows. */
function denseView(shape: Shape): MatrixView {
  const first = shape.findIndex(extent => extent !== 1)
  return { order: shape.map((_, axis) => axis), columnAxes: shape.length - Math.max(0, first) - 1 }
}

/** Where rows and columns are in outputs and in k: an element is at the sum of both. */
interface Places {
  readonly outputs: Uint32Array
  readonly ks: Uint32Array
}

function placesOf(
  { shape, outputStrides, kStrides }: WeightMatrix,
  { order, columnAxes }: MatrixView,
): { readonly rows: Places; readonly columns: Places } {
  const split = order.length - columnAxes
  const along = (axes: readonly number[]): Places => {
    const extents = axes.map(axis => shape[axis]!)
    const strides = stridesOf(extents)
    const count = extents.reduce((a, b) => a * b, 1)
    const places = { outputs: new Uint32Array(count), ks: new Uint32Array(count) }
    for (const [i, axis] of axes.entries())
      for (let at = 0; at < count; at++) {
        const index = Math.floor(at / strides[i]!) % extents[i]!
        places.outputs[at]! += index * outputStrides[axis]!
        places.ks[at]! += index * kStrides[axis]!
      }
    return places
  }
  return { rows: along(order.slice(0, split)), columns: along(order.slice(split)) }
}

/** The first `count` that were found, by output, then by k: sorted by counting, where they are not in order already. */
function byOutput<N extends Numbers>(
  { outputs, taps, channels }: WeightMatrix,
  found: Found<N>,
  count: number,
): Nonzeros<N> {
  const [outputOf, ks] = [found.outputs.subarray(0, count), found.ks.subarray(0, count)]
  const starts = startsOf(outputOf, outputs)
  const newest = new Uint32Array(outputs)
  let inOutputs = true
  let inKs = true
  for (let i = 0, last = 0; i < count; i++) {
    const output = outputOf[i]!
    if (output < last) inOutputs = false
    if (ks[i]! < newest[output]!) inKs = false
    last = output
    newest[output] = ks[i]!
  }
  const values = found.values.slice(0, count) as N
  if (inKs && inOutputs) return { starts, ks: ks.slice(), values }
  // The second sort keeps the order of the first.
  const order = inKs ? undefined : orderBy(ks, startsOf(ks, taps * channels))
  const sorted = new Uint32Array(count)
  const next = starts.slice()
  for (let i = 0; i < count; i++) {
    const from = order === undefined ? i : order[i]!
    const to = next[outputOf[from]!]!++
    sorted[to] = ks[from]!
    values[to] = found.values[from]!
  }
  return { starts, ks: sorted, values }
}

/** Where each key below `count` begins among sorted ones, and the end. */
function startsOf(keys: Uint32Array, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1)
  for (let i = 0; i < keys.length; i++) starts[keys[i]! + 1]!++
  for (let key = 0; key < count; key++) starts[key + 1]! += starts[key]!
  return starts
}

function orderBy(keys: Uint32Array, starts: Uint32Array): Uint32Array {
  const order = new Uint32Array(keys.length)
  for (let i = 0; i < keys.length; i++) order[starts[keys[i]!]!++] = i
  return order
}

/** Adds the numbers of each output to its sum; none are wanted where there are no sums. */
export function addColumnSums({ starts, values }: Nonzeros, sums: Int32Array): void {
  if (sums.length === 0) return
  for (let output = 0; output < starts.length - 1; output++)
    for (let i = starts[output]!; i < starts[output + 1]!; i++) sums[output]! += values[i]!
}
