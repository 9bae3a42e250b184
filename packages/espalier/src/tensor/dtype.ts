/**
 * The data types of tensor elements: ONNX's list (IR version 14) under NumPy's names. A type says how many
 * bits an element takes and which typed array stores it. Types that JavaScript has no array for are stored as
 * their bit patterns: float16 and bfloat16 in a `Uint16Array`, float8 in a `Uint8Array`, and the 2- and 4-bit
 * types packed in a `Uint8Array`, first element in the low bits.
 */
import { EspalierError } from '../errors.ts'

/** The typed array that stores each data type, and so the type of `Tensor.data`. */
export interface DTypeArrays {
  float64: Float64Array
  float32: Float32Array
  /** IEEE binary16, as bit patterns. */
  float16: Uint16Array
  /** The upper half of a binary32, as bit patterns. */
  bfloat16: Uint16Array
  float8e4m3fn: Uint8Array
  float8e4m3fnuz: Uint8Array
  float8e5m2: Uint8Array
  float8e5m2fnuz: Uint8Array
  /** A power of two: exponent only, no sign. */
  float8e8m0: Uint8Array
  /** Two elements a byte. */
  float4e2m1: Uint8Array
  int64: BigInt64Array
  uint64: BigUint64Array
  int32: Int32Array
  uint32: Uint32Array
  int16: Int16Array
  uint16: Uint16Array
  int8: Int8Array
  uint8: Uint8Array
  /** Two elements a byte. */
  int4: Uint8Array
  /** Two elements a byte. */
  uint4: Uint8Array
  /** Four elements a byte. */
  int2: Uint8Array
  /** Four elements a byte. */
  uint2: Uint8Array
  /** One byte an element, 0 or 1. */
  bool: Uint8Array
  /** Real and imaginary parts in turn. */
  complex64: Float32Array
  /** Real and imaginary parts in turn. */
  complex128: Float64Array
  string: readonly string[]
}

/** The name of a data type. */
export type DType = keyof DTypeArrays

/** The array that stores elements of `D`. */
export type DataOf<D extends DType> = DTypeArrays[D]

export type DTypeKind = 'float' | 'int' | 'uint' | 'bool' | 'complex' | 'string'

type NumericArray = Exclude<DTypeArrays[DType], readonly string[]>

export interface DTypeInfo {
  readonly kind: DTypeKind
  /** Bits an element takes in memory and in files; 0 for strings. */
  readonly bits: number
  /** Constructor of the storage array. */
  readonly array: { new (length: number): NumericArray; readonly BYTES_PER_ELEMENT: number }
  /** Array elements a tensor element takes: 2 for complex, below 1 for packed types. */
  readonly stride: number
}

function info(kind: DTypeKind, bits: number, array: DTypeInfo['array'], stride = 1): DTypeInfo {
  return { kind, bits, array, stride }
}

const table: Readonly<Record<DType, DTypeInfo>> = {
  float64: info('float', 64, Float64Array),
  float32: info('float', 32, Float32Array),
  float16: info('float', 16, Uint16Array),
  bfloat16: info('float', 16, Uint16Array),
  float8e4m3fn: info('float', 8, Uint8Array),
  float8e4m3fnuz: info('float', 8, Uint8Array),
  float8e5m2: info('float', 8, Uint8Array),
  float8e5m2fnuz: info('float', 8, Uint8Array),
  float8e8m0: info('float', 8, Uint8Array),
  float4e2m1: info('float', 4, Uint8Array, 1 / 2),
  int64: info('int', 64, BigInt64Array),
  uint64: info('uint', 64, BigUint64Array),
  int32: info('int', 32, Int32Array),
  uint32: info('uint', 32, Uint32Array),
  int16: info('int', 16, Int16Array),
  uint16: info('uint', 16, Uint16Array),
  int8: info('int', 8, Int8Array),
  uint8: info('uint', 8, Uint8Array),
  int4: info('int', 4, Uint8Array, 1 / 2),
  uint4: info('uint', 4, Uint8Array, 1 / 2),
  int2: info('int', 2, Uint8Array, 1 / 4),
  uint2: info('uint', 2, Uint8Array, 1 / 4),
  bool: info('bool', 8, Uint8Array),
  complex64: info('complex', 64, Float32Array, 2),
  complex128: info('complex', 128, Float64Array, 2),
  string: info('string', 0, Uint8Array),
}

/** Every data type. */
export const dtypes: readonly DType[] = Object.keys(table) as DType[]

/** Facts about a data type. */
export function dtypeInfo(dtype: DType): DTypeInfo {
  return table[dtype]
}

export function isDType(name: string): name is DType {
  return Object.hasOwn(table, name)
}

/** The data type called `name`; throws `bad-dtype` when there is none. */
export function parseDType(name: string): DType {
  if (isDType(name)) return name
  throw new EspalierError('bad-dtype', `unknown data type "${name}"`, { expected: dtypes.join(', ') })
}

/** Whether elements are stored as 64-bit integers, which a JavaScript number cannot hold exactly. */
export function isBigInt(dtype: DType): dtype is 'int64' | 'uint64' {
  return dtype === 'int64' || dtype === 'uint64'
}

export function isFloat(dtype: DType): boolean {
  return table[dtype].kind === 'float'
}

/** Whether the type is a signed or unsigned integer (bool is not). */
export function isInteger(dtype: DType): boolean {
  return table[dtype].kind === 'int' || table[dtype].kind === 'uint'
}

/** Length of the storage array for `count` elements. */
export function storageLength(dtype: DType, count: number): number {
  return Math.ceil(count * table[dtype].stride)
}

/** Bytes that `count` elements take, packed. Strings count as 0. */
export function byteLength(dtype: DType, count: number): number {
  return Math.ceil((count * table[dtype].bits) / 8)
}
