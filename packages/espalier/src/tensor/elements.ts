/**
 * Elements of a tensor as JavaScript numbers, and back. This is what the reference evaluations compute on:
 * every numeric type is read as float64, or as bigint where 64-bit integers must stay exact, and written with
 * one rounding. Not a fast path: kernels never come through here.
 */
import { EspalierError } from '../errors.ts'
import { type DType, dtypeInfo, isBigInt } from './dtype.ts'
import { decodeTable, encodeMinifloats, isMinifloat, type Minifloat } from './minifloat.ts'
import { formatShape, type Shape, sizeOf } from './shape.ts'
import { allocate, type Tensor, tensor } from './tensor.ts'

/**
 * Elements as float64 (64-bit integers lose exactness past 2^53; complex numbers give real and imaginary parts
 * in turn). May be the tensor's own storage: not to be written to.
 */
export function numbers(source: Tensor): Float64Array {
  const { dtype } = source
  if (dtype === 'float64' || dtype === 'complex128') return source.data
  if (dtype === 'string') throw new EspalierError('bad-dtype', 'a string tensor has no numbers')
  if (isMinifloat(dtype)) return decodeMinifloats(source, dtype)
  const { bits, kind } = dtypeInfo(dtype)
  if (bits < 8) return unpackIntegers(source.data as Uint8Array, sizeOf(source.shape), bits, kind === 'int')
  if (isBigInt(dtype)) return Float64Array.from(source.data as BigInt64Array, Number)
  return new Float64Array(source.data as Float32Array) // converts all at once, many times faster than a loop here
}

/**
 * Elements as bigint: exact for every integer and bool type. Floats are truncated towards zero; NaN gives 0 and
 * infinities the ends of int64.
 */
export function bigints(source: Tensor): BigInt64Array | BigUint64Array {
  if (source.dtype === 'int64' || source.dtype === 'uint64') return source.data
  return BigInt64Array.from(numbers(source), toBigInt)
}

/** Elements of a string tensor. Throws `bad-dtype` for every other type. */
export function strings(source: Tensor): readonly string[] {
  if (source.dtype === 'string') return source.data
  throw new EspalierError('bad-dtype', 'not a string tensor', { expected: 'string', got: source.dtype })
}

/**
 * A tensor of `dtype` from numbers: floats are rounded to nearest even, integers are truncated and wrap, bool is
 * "not zero", complex takes real and imaginary parts in turn. Throws `bad-shape` on a wrong number of values.
 */
export function fromNumbers<D extends DType>(dtype: D, shape: Shape, values: ArrayLike<number>): Tensor<D> {
  checkCount(dtype, shape, values.length)
  return tensor(dtype, shape, encodeNumbers(dtype, values) as never)
}

/** A tensor from bigints: integers wrap modulo 2^bits, everything else is as in {@link fromNumbers}. */
export function fromBigInts<D extends DType>(dtype: D, shape: Shape, values: ArrayLike<bigint>): Tensor<D> {
  if (!isBigInt(dtype)) return fromNumbers(dtype, shape, Float64Array.from(values, toNumberFor(dtype)))
  const data = allocate(dtype, values.length) as BigInt64Array | BigUint64Array
  for (let i = 0; i < values.length; i++) data[i] = values[i]!
  return tensor(dtype, shape, data as never)
}

/** A tensor with every element `value`. */
export function full<D extends DType>(dtype: D, shape: Shape, value: number): Tensor<D> {
  const parts = partsOf(dtype)
  const values = allocate('float64', sizeOf(shape) * parts)
  for (let i = 0; i < values.length; i += parts) values[i] = value
  return fromNumbers(dtype, shape, values)
}

/** Numbers that make an element: 2 for complex. */
function partsOf(dtype: DType): number {
  return dtypeInfo(dtype).kind === 'complex' ? 2 : 1
}

function checkCount(dtype: DType, shape: Shape, count: number): void {
  const wanted = sizeOf(shape) * partsOf(dtype)
  if (count !== wanted)
    throw new EspalierError(
      'bad-shape',
      `values do not fill a ${dtype} tensor of shape ${formatShape(shape)}`,
      {
        expected: `${wanted} values`,
        got: `${count}`,
      },
    )
}

/** The function from bigint to the number that, written as `dtype`, gives the wrapped or once rounded value. */
function toNumberFor(dtype: DType): (value: bigint) => number {
  const { bits, kind } = dtypeInfo(dtype)
  if (kind === 'int' || kind === 'uint') return value => Number(BigInt.asIntN(bits, value))
  return dtype === 'float64' || dtype === 'complex128' ? Number : toOddNumber
}

/** A number that a narrower float rounds as it would `value` (of 64 bits): what 53 bits cannot hold is rounded to odd. */
function toOddNumber(value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  const rest = BigInt.asUintN(11, value) === 0n ? 0n : 1n
  return Number((value >> 11n) | rest) * 2 ** 11
}

function encodeNumbers(dtype: DType, values: ArrayLike<number>): unknown {
  const count = values.length
  if (dtype === 'string') throw new EspalierError('bad-dtype', 'numbers do not make a string tensor')
  if (dtype === 'complex64') return Float32Array.from(values)
  if (dtype === 'complex128') return Float64Array.from(values)
  if (isMinifloat(dtype)) return encodeSmallFloats(dtype, values)
  const { bits } = dtypeInfo(dtype)
  if (bits < 8) return packBits(values, bits)
  if (isBigInt(dtype)) {
    const data = allocate(dtype, count) as BigInt64Array | BigUint64Array
    for (let i = 0; i < count; i++) data[i] = toBigInt(values[i]!)
    return data
  }
  const data = allocate(dtype, count) as Float64Array
  if (dtype === 'bool') for (let i = 0; i < count; i++) data[i] = values[i] !== 0 ? 1 : 0
  else data.set(values)
  return data
}

/** The integer part; NaN becomes 0 and infinities the ends of int64. */
function toBigInt(value: number): bigint {
  if (Number.isFinite(value)) return BigInt(Math.trunc(value))
  if (Number.isNaN(value)) return 0n
  return value > 0 ? 2n ** 63n - 1n : -(2n ** 63n)
}

function decodeMinifloats(source: Tensor, dtype: Minifloat): Float64Array {
  const table = decodeTable(dtype)
  const data = source.data as Uint8Array | Uint16Array
  const count = sizeOf(source.shape)
  const result = new Float64Array(count)
  if (dtype === 'float4e2m1')
    for (let i = 0; i < count; i++) result[i] = table[(data[i >> 1]! >> ((i & 1) * 4)) & 15]!
  else for (let i = 0; i < count; i++) result[i] = table[data[i]!]!
  return result
}

function encodeSmallFloats(dtype: Minifloat, values: ArrayLike<number>): Uint8Array | Uint16Array {
  const patterns = allocate(dtypeInfo(dtype).bits === 16 ? 'uint16' : 'uint8', values.length)
  encodeMinifloats(dtype, values, patterns)
  return dtype === 'float4e2m1' ? packBits(patterns, 4) : patterns
}

/** Packs the low `bits` (2 or 4) of every value, first value in the low bits of the first byte. */
export function packBits(values: ArrayLike<number>, bits: number): Uint8Array {
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  const result = new Uint8Array(Math.ceil(values.length / perByte))
  for (let i = 0; i < values.length; i++)
    result[Math.floor(i / perByte)]! |= (values[i]! & mask) << ((i % perByte) * bits)
  return result
}

function unpackIntegers(data: Uint8Array, count: number, bits: number, signed: boolean): Float64Array {
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  const half = 2 ** (bits - 1)
  const result = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const value = (data[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask
    result[i] = signed && value >= half ? value - 2 * half : value
  }
  return result
}
