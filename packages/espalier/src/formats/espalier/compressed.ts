/**
 * A constant in compressed form: what an engine needs to lay out a sparse weight without ever having the dense one. In a
 * graph it stands as a tensor whose elements are made when they are asked for; `compressedOf` gives the form behind it.
 */
import { EspalierError } from '../../errors.ts'
import { byteLength, type DType } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensorBytes, tensorFromBytes } from '../../tensor/tensor.ts'
import { codecs } from './codecs/index.ts'
import { type Patterns, scatter, tensorOfPatterns } from './elements.ts'
import { extentsOf, type MatrixView } from './matrix.ts'
import { allPositions, isPlain, RAW, type StoredTensor, storedBytesOf } from './stored.ts'
import { valueCodecs } from './values/index.ts'

export interface CompressedTensor {
  readonly dtype: DType
  readonly shape: Shape
  /** Which matrix the rows below are those of. */
  readonly view: MatrixView
  readonly rows: number
  readonly columns: number
  /** How the pattern is stored: `raw` (every element), `n:m`, `block`, `bitmask` or `rice`. */
  readonly codec: string
  /** What the codec keeps beside the pattern: N and M; rows and columns of a block. */
  readonly parameters: readonly number[]
  /** Number of stored elements. Some may be zero, where the form of the pattern asks for them. */
  readonly stored: number
  /** Bytes that it takes in a file. */
  readonly bytes: number
  /** Places of the stored elements in the matrix, row by row, ascending. Made anew at each call. */
  positions(): Uint32Array
  /** The stored elements, in the order of their positions, which are found anew where they are not given. */
  elements(positions?: Uint32Array): Tensor
  /** The stored elements as integers with scales, where the file has them so. */
  quantized(): QuantizedElements | undefined
  /** The rows of the matrix, one after the other, with the columns of their stored elements. */
  rowPatterns(): Iterable<RowPattern>
  /** The whole tensor. Made anew at each call. */
  dense(): Tensor
}

/** A row of a matrix: elements `from` up to `to` of the stored ones are its own. */
export interface RowPattern {
  readonly row: number
  readonly from: number
  readonly to: number
  /** Their columns, ascending. A view that is overwritten by the next row. */
  readonly columns: Uint32Array
}

/** float32 elements as integers: an element is its integer times the scale of its group of columns. */
export interface QuantizedElements {
  readonly bits: 4 | 8
  readonly integers: Int8Array
  /** Row by row; `ceil(columns / group)` for each, or one where `group` is 0. */
  readonly scales: Float32Array
  /** Columns that share a scale; 0 for a whole row. */
  readonly group: number
}

/**
 * The tensor behind what a file stores, in so many bytes. Pattern and values are looked at when they are asked for. Throws
 * `malformed` then, where the pattern does.
 */
export function compressedTensor(
  source: StoredTensor,
  bytes: number = storedBytesOf(source),
): CompressedTensor {
  const { dtype, shape, view, codec, parameters, stored } = source
  const extents = extentsOf(shape, view)
  const values = codecNamed(valueCodecs, source.valueCodec, 'value')
  const positions = (): Uint32Array =>
    codec === RAW
      ? allPositions(sizeOf(shape))
      : codecNamed(codecs, codec, 'pattern').decode(source.pattern, extents, parameters, stored)
  const patterns = (known?: Uint32Array): Patterns =>
    values.decode(dtype, source.encoded, () => known ?? positions(), extents)
  return {
    ...extents,
    dtype,
    shape,
    view,
    codec,
    parameters,
    stored,
    bytes,
    positions,
    elements: known => tensorOfPatterns(dtype, [stored], patterns(known)),
    quantized: () => quantizedOf(source),
    rowPatterns: () => rowsOf(positions(), extents),
    dense() {
      if (isPlain(source)) return source.encoded.values
      const places = positions()
      return tensorOfPatterns(dtype, shape, scatter(dtype, patterns(places), shape, view, places))
    },
  }
}

function codecNamed<T extends { readonly name: string }>(all: readonly T[], name: string, kind: string): T {
  const found = all.find(codec => codec.name === name)
  if (found !== undefined) return found
  throw new EspalierError('unsupported-format', `there is no ${kind} codec "${name.slice(0, 40)}"`, {
    expected: all.map(codec => codec.name).join(', '),
    hint: 'A newer version may have written the file',
  })
}

function quantizedOf({ encoded }: StoredTensor): QuantizedElements | undefined {
  const { values, scales, parameters } = encoded
  if (scales === undefined) return undefined
  return {
    bits: values.dtype === 'int4' ? 4 : 8,
    integers: Int8Array.from(numbers(values)),
    scales: scales.data,
    group: parameters[0]!,
  }
}

function* rowsOf(
  positions: Uint32Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Generator<RowPattern> {
  const own = new Uint32Array(columns)
  let from = 0
  for (let row = 0; row < rows; row++) {
    const start = row * columns
    let to = from
    for (; to < positions.length && positions[to]! < start + columns; to++)
      own[to - from] = positions[to]! - start
    yield { row, from, to, columns: own.subarray(0, to - from) }
    from = to
  }
}

const forms = new WeakMap<Tensor, CompressedTensor>()

/** The compressed form of a constant, where it came from one. */
export function compressedOf(constant: Tensor): CompressedTensor | undefined {
  return forms.get(constant)
}

/** A constant for graphs: its elements are made from the compressed form when they are asked for, and kept no longer. */
export function tensorOfCompressed(source: CompressedTensor): Tensor {
  const { dtype, shape } = source
  const made = tensorFromBytes(dtype, shape, {
    byteLength: byteLength(dtype, sizeOf(shape)),
    fill: (target: Uint8Array) => target.set(tensorBytes(source.dense())),
  })
  forms.set(made, source)
  return made
}
