/**
 * Tensors as PyTorch stores them: a storage seen through an offset, a size and strides. Dense row-major views
 * refer to the bytes of the storage; others are gathered into an array of their own.
 */
import { EspalierError } from '../../errors.ts'
import { byteLength, type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { formatShape, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import { allocate, type Tensor, tensorFromBytes } from '../../tensor/tensor.ts'
import { normalizeBools } from '../io/bytes.ts'
import { describePy, isPyStorage, type PyValue } from './pickle/python.ts'
import { isSize, type Storage } from './storage.ts'

export interface TensorView {
  readonly storage: Storage
  readonly dtype: DType
  readonly shape: Shape
  /** Elements to step for each axis. */
  readonly strides: Shape
  /** Range of bytes in `storage.bytes` that the elements lie in. */
  readonly start: number
  readonly end: number
}

/** Most axes that a tensor can have in PyTorch, and an array in NumPy. */
export const MAX_RANK = 64

/**
 * The view that the arguments of a rebuilding function describe, with offset and strides in elements of `dtype`.
 * Throws `malformed` when it leaves its storage.
 */
export function tensorView(
  storage: PyValue | undefined,
  offset: PyValue | undefined,
  shape: PyValue | undefined,
  strides: PyValue | undefined,
  dtype?: DType,
): TensorView {
  if (
    !isPyStorage(storage) ||
    !isSize(offset) ||
    !isSizes(shape) ||
    !isSizes(strides) ||
    shape.length !== strides.length
  )
    throw new EspalierError('malformed', 'the pickle describes a tensor that cannot be', {
      expected: 'storage, offset, size and as many strides',
      got: [storage, offset, shape, strides].map(describePy).join(', '),
    })
  const place = storage as Storage
  const type = dtype ?? place.dtype
  const count = sizeOf(shape)
  const last = shape.reduce((sum, extent, axis) => sum + (extent - 1) * strides[axis]!, offset)
  const room = byteLength(place.dtype, place.length)
  const needed = count === 0 ? 0 : byteLength(type, last + 1)
  if (needed > room)
    throw new EspalierError(
      'malformed',
      `a tensor of shape ${formatShape(shape)} leaves its storage "${place.bytes.key}"`,
      {
        expected: `at least ${needed} bytes`,
        got: `${room}`,
      },
    )
  const start = place.byteOffset + (count === 0 ? 0 : byteLength(type, offset))
  return {
    storage: place,
    dtype: type,
    shape: [...shape],
    strides: [...strides],
    start,
    end: place.byteOffset + needed,
  }
}

function isSizes(value: PyValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= MAX_RANK && value.every(isSize)
}

/** Whether the elements lie one after the other, in row-major order. */
export function isDense({ shape, strides }: Pick<TensorView, 'shape' | 'strides'>): boolean {
  const dense = stridesOf(shape)
  return shape.includes(0) || shape.every((extent, axis) => extent === 1 || strides[axis] === dense[axis])
}

/** Most bytes that reading a view takes beyond those of its storage. Bytes of bools may have to be set to 0 or 1. */
export function gatheredBytes(view: TensorView): number {
  return isDense(view) && view.dtype !== 'bool' ? 0 : byteLength(view.dtype, sizeOf(view.shape))
}

/** The tensor, from the bytes of its storage in little-endian order. */
export function readView(view: TensorView, bytes: Uint8Array): Tensor {
  const span = bytes.subarray(view.start, view.end)
  const dense = isDense(view) ? span : gather(span, view)
  return tensorFromBytes(view.dtype, view.shape, view.dtype === 'bool' ? normalizeBools(dense) : dense)
}

/** Copies the elements into row-major order. `span` begins with the first element. */
function gather(span: Uint8Array, { dtype, shape, strides }: TensorView): Uint8Array {
  const width = dtypeInfo(dtype).bits / 8
  const unit = Math.min(width, 4)
  const parts = width / unit // elements of 8 and 16 bytes are copied as rows of 4-byte units
  const result = allocate('uint8', sizeOf(shape) * width)
  copyStrided(
    unitsOf(span, unit),
    unitsOf(result, unit),
    parts === 1 ? shape : [...shape, parts],
    parts === 1 ? strides : [...strides.map(stride => stride * parts), 1],
  )
  return result
}

/** The bytes as numbers of `unit` bytes, without what is left over; a copy when they are not aligned. */
function unitsOf(bytes: Uint8Array, unit: number): Uint8Array | Uint16Array | Uint32Array {
  if (unit === 1) return bytes
  const aligned = bytes.byteOffset % unit === 0 ? bytes : bytes.slice()
  const length = Math.floor(aligned.length / unit)
  return unit === 2
    ? new Uint16Array(aligned.buffer, aligned.byteOffset, length)
    : new Uint32Array(aligned.buffer, aligned.byteOffset, length)
}

/** Fills `target` in order with the elements of `source` at `strides`. No extent is 0. */
function copyStrided(
  source: Uint8Array | Uint16Array | Uint32Array,
  target: Uint8Array | Uint16Array | Uint32Array,
  shape: Shape,
  strides: Shape,
): void {
  const inner = shape.at(-1)!
  const innerStride = strides.at(-1)!
  const outer = shape.slice(0, -1)
  const at = outer.map(() => 0)
  let row = 0
  for (let filled = 0; filled < target.length; ) {
    for (let i = 0, from = row; i < inner; i++, from += innerStride) target[filled++] = source[from]!
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      at[axis]!++
      row += strides[axis]!
      if (at[axis]! < outer[axis]!) break
      row -= strides[axis]! * outer[axis]!
      at[axis] = 0
    }
  }
}
