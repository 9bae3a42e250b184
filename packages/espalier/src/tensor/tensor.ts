/**
 * The tensor: a data type, a shape, and dense row-major data. It is plain data; whoever holds one must not
 * write to it. Values that are not tensors (ONNX sequences and optionals) are plain arrays and `null`.
 * Little-endian hosts only, as every platform Node and browsers run on is.
 */
import { EspalierError } from '../errors.ts'
import { byteLength, type DataOf, type DType, type DTypeArrays, dtypeInfo, storageLength } from './dtype.ts'
import { formatShape, type Shape, sameShape, sizeOf } from './shape.ts'

/** A tensor of one data type. */
export interface TensorOf<D extends DType> {
  readonly dtype: D
  readonly shape: Shape
  /** Elements in row-major order, in the storage of the data type (see `DTypeArrays`). Not to be written to. */
  readonly data: DataOf<D>
}

/** A tensor; a union over data types, so that a check of `dtype` narrows `data`. */
export type Tensor<D extends DType = DType> = D extends DType ? TensorOf<D> : never

/** What a graph value holds when a graph runs: a tensor, a sequence of values, or an empty optional (`null`). */
export type RuntimeValue = Tensor | readonly RuntimeValue[] | null

/**
 * A tensor around existing storage, which is not copied. Throws `bad-shape` when the length of `data` is not
 * what `shape` asks for, `bad-dtype` when the array is not the one that stores `dtype`.
 */
export function tensor<D extends DType>(dtype: D, shape: Shape, data: DataOf<D>): Tensor<D> {
  const array = dtypeInfo(dtype).array
  const fits = dtype === 'string' ? Array.isArray(data) : data instanceof array
  if (!fits)
    throw new EspalierError('bad-dtype', `the data does not store ${dtype}`, {
      expected: dtype === 'string' ? 'an array of strings' : array.name,
      got: (data as object | null | undefined)?.constructor?.name ?? String(data),
    })
  const wanted = storageLength(dtype, sizeOf(shape))
  if (data.length !== wanted)
    throw new EspalierError(
      'bad-shape',
      `data does not fill a ${dtype} tensor of shape ${formatShape(shape)}`,
      {
        expected: `${wanted} array elements`,
        got: `${data.length}`,
      },
    )
  return { dtype, shape, data } as Tensor<D>
}

/** Beyond this many entries, V8 keeps an array as a hash table, slow to the point of a hang. */
const LONGEST_ARRAY = 2 ** 25

/**
 * New zeroed storage for `count` elements. Throws `too-large` when the host cannot allocate it, or for more than
 * 2^25 strings.
 */
export function allocate<D extends DType>(dtype: D, count: number): DTypeArrays[D] {
  try {
    if (dtype === 'string') {
      if (count > LONGEST_ARRAY) throw new RangeError(`more than ${LONGEST_ARRAY} strings`)
      return new Array<string>(count).fill('') as unknown as DTypeArrays[D]
    }
    return new (dtypeInfo(dtype).array)(storageLength(dtype, count)) as unknown as DTypeArrays[D]
  } catch (cause) {
    throw new EspalierError('too-large', `cannot allocate ${count} elements of ${dtype}`, { cause })
  }
}

/** A tensor of zeros (empty strings for `string`). */
export function zeros<D extends DType>(dtype: D, shape: Shape): Tensor<D> {
  return tensor(dtype, shape, allocate(dtype, sizeOf(shape)))
}

/**
 * A scalar or 1-D tensor of 64-bit integers, the type that ONNX uses for shapes, axes and indices. Throws
 * `bad-argument` for a value that is not an integer.
 */
export function int64(values: number | readonly number[]): Tensor<'int64'> {
  const list = typeof values === 'number' ? [values] : values
  const odd = list.find(value => !Number.isInteger(value))
  if (odd !== undefined) throw new EspalierError('bad-argument', `${odd} is not an integer`)
  return tensor('int64', typeof values === 'number' ? [] : [list.length], BigInt64Array.from(list, BigInt))
}

/** A float32 tensor of the given shape; 1-D when the shape is left out. */
export function float32(values: readonly number[], shape: Shape = [values.length]): Tensor<'float32'> {
  return tensor('float32', shape, Float32Array.from(values))
}

/** The same data under another shape. Throws `bad-shape` when the number of elements differs. */
export function reshape<D extends DType>(source: TensorOf<D>, shape: Shape): Tensor<D> {
  if (sizeOf(shape) !== sizeOf(source.shape))
    throw new EspalierError('bad-shape', `cannot see ${formatShape(source.shape)} as ${formatShape(shape)}`)
  return withShape(source as unknown as Tensor, shape) as unknown as Tensor<D>
}

function withShape(source: Tensor, shape: Shape): Tensor {
  return source instanceof LazyTensor
    ? (new LazyTensor(source.dtype, shape, source.origin) as Tensor)
    : ({ dtype: source.dtype, shape, data: source.data } as Tensor)
}

/** Whether a runtime value is a tensor (and not a sequence or an empty optional). */
export function isTensor(value: RuntimeValue | undefined): value is Tensor {
  return value !== null && value !== undefined && !Array.isArray(value)
}

/** Bytes that lie elsewhere, as in a file, or are computed from others, whenever they are asked for. */
export interface StoredBytes {
  readonly byteLength: number
  /** Reads all of them into `target`, which is as long, and aligned to 8 bytes. Throws where they are not there any more. */
  fill(target: Uint8Array): void
  /** Reads those from `at` on into `target`, where that takes less than reading all. */
  peek?(at: number, target: Uint8Array): void
  /** The tensor that these are computed from, where it tells where their zeros are. */
  readonly derived?: Derivation
}

/** How a tensor follows from another: its axes in another order, then factors, all of which are finite. */
export interface Derivation {
  readonly of: Tensor
  /** For each axis of the result, the axis of `of` that it is; the same order when left out. */
  readonly perm?: readonly number[]
  /** A number for each place on an axis of the result, which multiplies what is there. */
  readonly factors?: { readonly axis: number; readonly values: Float64Array }
}

/**
 * A tensor over bytes in little-endian order, as files hold them. The bytes are referenced, not copied; where
 * they are not aligned for the data type, the aligned copy is made when `data` is first asked for. Those that are stored
 * elsewhere are read when `data` is asked for, and again when nobody has held on to it. Throws `bad-shape` when the
 * length does not fit.
 */
export function tensorFromBytes<D extends DType>(
  dtype: D,
  shape: Shape,
  bytes: Uint8Array | StoredBytes,
): Tensor<D> {
  if (dtype === 'string') throw new EspalierError('bad-dtype', 'strings have no byte form')
  const wanted = byteLength(dtype, sizeOf(shape))
  if (bytes.byteLength !== wanted)
    throw new EspalierError('bad-shape', `a ${dtype} tensor of shape ${formatShape(shape)} has other bytes`, {
      expected: `${wanted} bytes`,
      got: `${bytes.byteLength}`,
    })
  return new LazyTensor(dtype, shape, bytes) as unknown as Tensor<D>
}

/** The bytes of a tensor in little-endian order, without a copy. Throws `bad-dtype` for strings. */
export function tensorBytes(source: Tensor): Uint8Array {
  if (source instanceof LazyTensor) return source.bytes
  if (source.dtype === 'string') throw new EspalierError('bad-dtype', 'strings have no byte form')
  const { data } = source
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Writes the bytes of a tensor, in little-endian order, to `target`, which is as long and aligned to 8 bytes. */
export function copyBytes(source: Tensor, target: Uint8Array): void {
  const stored = storedBytes(source)
  if (stored === undefined) target.set(tensorBytes(source))
  else stored.fill(target)
}

/** Where the bytes of a tensor are stored, when they are not in memory. */
export function storedBytes(source: Tensor): StoredBytes | undefined {
  return source instanceof LazyTensor && !(source.origin instanceof Uint8Array) ? source.origin : undefined
}

/**
 * Some bytes of a tensor: `windows` times as many as `target` holds, spread evenly, each handed to `see`. Gives `false`
 * where they cannot be had without reading everything. For a guess at what a large tensor is like.
 */
export function sampleBytes(
  source: Tensor,
  windows: number,
  target: Uint8Array,
  see: (target: Uint8Array) => void,
): boolean {
  const stored = storedBytes(source)
  if (stored?.derived !== undefined) return sampleBytes(stored.derived.of, windows, target, see)
  if (stored !== undefined && stored.peek === undefined) return false
  const bytes = stored === undefined ? tensorBytes(source) : undefined
  const total = stored?.byteLength ?? bytes!.byteLength
  const step = Math.floor((total - target.byteLength) / Math.max(1, windows - 1) / 8) * 8
  for (let at = 0, i = 0; i < windows && at + target.byteLength <= total; i++, at += step) {
    if (bytes === undefined) stored!.peek!(at, target)
    else target.set(bytes.subarray(at, at + target.byteLength))
    see(target)
  }
  return true
}

/** A value that holds its data: what is stored elsewhere is read. */
export function inMemory(value: RuntimeValue): RuntimeValue {
  if (!isTensor(value)) return value === null ? null : value.map(inMemory)
  if (storedBytes(value) === undefined) return value
  return { dtype: value.dtype, shape: value.shape, data: value.data } as Tensor
}

/** A tensor whose typed array is made from its bytes on first use. */
class LazyTensor {
  readonly dtype: DType
  readonly shape: Shape
  readonly origin: Uint8Array | StoredBytes
  #data: DataOf<DType> | undefined
  /** What was read last, as long as somebody uses it. */
  #read: WeakRef<ArrayBuffer> | undefined

  constructor(dtype: DType, shape: Shape, origin: Uint8Array | StoredBytes) {
    this.dtype = dtype
    this.shape = shape
    this.origin = origin
  }

  get bytes(): Uint8Array {
    const { origin } = this
    if (origin instanceof Uint8Array) return origin
    const known = this.#read?.deref()
    if (known !== undefined) return new Uint8Array(known)
    const bytes = allocate('uint8', origin.byteLength) as Uint8Array<ArrayBuffer>
    origin.fill(bytes)
    this.#read = new WeakRef(bytes.buffer)
    return bytes
  }

  get data(): DataOf<DType> {
    if (!(this.origin instanceof Uint8Array)) return viewOf(this.dtype, this.bytes)
    this.#data ??= viewOf(this.dtype, this.origin)
    return this.#data
  }
}

/** A typed array over `bytes`: a view where the alignment allows, otherwise a copy. */
function viewOf(dtype: DType, bytes: Uint8Array): DataOf<DType> {
  const { array } = dtypeInfo(dtype)
  const Constructor = array as unknown as new (
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ) => DataOf<DType>
  // Not `bytes.slice()`: of a Node Buffer that is a view and not a copy.
  const aligned = bytes.byteOffset % array.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes)
  return new Constructor(aligned.buffer, aligned.byteOffset, bytes.byteLength / array.BYTES_PER_ELEMENT)
}

/** Number of elements. */
export function elementCount(source: Tensor): number {
  return sizeOf(source.shape)
}

/** Whether two tensors have the same type, shape and bits. Bits that fill up the last byte do not count. */
export function sameTensor(a: Tensor, b: Tensor): boolean {
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false
  if (a.dtype === 'string') return a.data.every((text, index) => text === b.data[index])
  const x = tensorBytes(a)
  const y = tensorBytes(b)
  const bits = elementCount(a) * dtypeInfo(a.dtype).bits
  const whole = Math.floor(bits / 8)
  for (let i = 0; i < whole; i++) if (x[i] !== y[i]) return false
  return bits % 8 === 0 || ((x[whole]! ^ y[whole]!) & (2 ** (bits % 8) - 1)) === 0
}
