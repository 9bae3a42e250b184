/**
 * Tensors in ONNX files: data type numbers, the ten fields that may hold the elements, and sparse tensors.
 * Elements in `raw_data`, `float_data` and `double_data` are referenced; those written as varints are converted.
 */
import { EspalierError } from '../../errors.ts'
import type { SparseTensor } from '../../graph/graph.ts'
import { byteLength, type DType, dtypeInfo, isBigInt } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { allocate, type RuntimeValue, type Tensor, tensor, tensorFromBytes } from '../../tensor/tensor.ts'
import type {
  Integers,
  OptionalProto,
  Payload,
  SequenceProto,
  SparseTensorProto,
  TensorProto,
} from './proto.ts'

/** Data types by their number in `TensorProto.DataType`. */
const byNumber: readonly (DType | undefined)[] = [
  undefined,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
]

/** The data type with this number; throws `malformed` for 0 and numbers that ONNX has not assigned. */
export function dtypeOfNumber(number: number | bigint | undefined): DType {
  const dtype = byNumber[Number(number ?? 0)]
  if (dtype !== undefined) return dtype
  throw new EspalierError('malformed', 'unknown tensor data type', {
    expected: `1 to ${byNumber.length - 1}`,
    got: `${number ?? 'none'}`,
  })
}

/** The number that ONNX gives a data type. */
export function numberOfDtype(dtype: DType): number {
  return byNumber.indexOf(dtype)
}

/** The tensor that a message holds. Its payloads must be loaded. Throws `malformed` where type, shape and data disagree. */
export function tensorOfProto(proto: TensorProto): Tensor {
  const where = { tensor: proto.name ?? '' }
  try {
    return decodeTensor(proto)
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error
    const code = error.code === 'bad-shape' || error.code === 'bad-dtype' ? 'malformed' : error.code
    throw new EspalierError(code, error.summary, {
      where: { ...where, ...error.where },
      ...(error.expected !== undefined && { expected: error.expected }),
      ...(error.got !== undefined && { got: error.got }),
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error,
    })
  }
}

function decodeTensor(proto: TensorProto): Tensor {
  const dtype = dtypeOfNumber(proto.dataType)
  const shape = (proto.dims ?? []).map(Number)
  const count = sizeOf(shape)
  const raw = proto.rawData
  if (dtype === 'string') return tensor('string', shape, (proto.stringData ?? []).map(decodeText))
  if (raw !== undefined) return tensorFromBytes(dtype, shape, loaded(raw))
  const floats = joined(proto.floatData)
  if (floats !== undefined && (dtype === 'float32' || dtype === 'complex64'))
    return tensorFromBytes(dtype, shape, floats)
  const doubles = joined(proto.doubleData)
  if (doubles !== undefined && (dtype === 'float64' || dtype === 'complex128'))
    return tensorFromBytes(dtype, shape, doubles)
  const integers = isBigInt(dtype)
    ? dtype === 'int64'
      ? proto.int64Data
      : proto.uint64Data
    : dtype === 'uint32'
      ? proto.uint64Data
      : proto.int32Data
  return fromIntegers(dtype, shape, count, integers ?? [])
}

/** Elements that were written as varints: integers, and bit patterns of the small float types. */
function fromIntegers(dtype: DType, shape: readonly number[], count: number, integers: Integers): Tensor {
  const { bits } = dtypeInfo(dtype)
  // Types below a byte are written packed, one byte to an int32.
  const wanted = bits < 8 ? byteLength(dtype, count) : count
  if (integers.length !== wanted)
    throw new EspalierError(
      'malformed',
      `the data does not fill a ${dtype} tensor of shape ${formatShape(shape)}`,
      {
        expected: `${wanted} elements`,
        got: `${integers.length}`,
      },
    )
  const data = allocate(dtype, count) as Int32Array | BigInt64Array
  if (isBigInt(dtype)) for (let i = 0; i < wanted; i++) data[i] = BigInt(integers[i]!)
  else for (let i = 0; i < wanted; i++) data[i] = Number(integers[i]!)
  return tensor(dtype, shape, data as never)
}

function loaded(payload: Payload): Uint8Array {
  if (payload.bytes === undefined) throw new Error('a payload was not loaded')
  return payload.bytes
}

function joined(payloads: readonly Payload[] | undefined): Uint8Array | undefined {
  if (payloads === undefined) return undefined
  if (payloads.length === 1) return loaded(payloads[0]!)
  const result = new Uint8Array(payloads.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const payload of payloads) {
    result.set(loaded(payload), at)
    at += payload.length
  }
  return result
}

const utf8 = new TextDecoder()

function decodeText(bytes: Uint8Array): string {
  return utf8.decode(bytes)
}

/** The sparse tensor that a message holds. Throws `malformed` when indices leave the shape or are out of order. */
export function sparseOfProto(proto: SparseTensorProto): SparseTensor {
  const name = proto.values?.name ?? ''
  const fail = (summary: string, got?: string): EspalierError =>
    new EspalierError('malformed', summary, { where: { tensor: name }, ...(got !== undefined && { got }) })
  if (proto.values === undefined || proto.indices === undefined)
    throw fail('a sparse tensor lacks values or indices')
  const values = tensorOfProto(proto.values)
  const indices = tensorOfProto(proto.indices)
  const shape = (proto.dims ?? []).map(Number)
  const size = sizeOf(shape)
  const [count = -1, rank] = indices.shape
  if (indices.dtype !== 'int64') throw fail('indices of a sparse tensor must be int64', indices.dtype)
  if (values.shape.length !== 1 || count !== values.shape[0] || (rank !== undefined && rank !== shape.length))
    throw fail(
      'values and indices of a sparse tensor do not fit',
      `${formatShape(values.shape)} and ${formatShape(indices.shape)}`,
    )
  let previous = -1
  for (let i = 0; i < count; i++) {
    const position = flatPosition(indices.data, i, rank, shape)
    if (position === undefined || position >= size || position <= previous)
      throw fail('indices of a sparse tensor must lie inside its shape and ascend', `entry ${i}`)
    previous = position
  }
  return { dtype: values.dtype, shape, values, indices }
}

function flatPosition(
  indices: BigInt64Array,
  entry: number,
  rank: number | undefined,
  shape: readonly number[],
): number | undefined {
  if (rank === undefined) return Number(indices[entry])
  let position = 0
  for (let axis = 0; axis < rank; axis++) {
    const index = Number(indices[entry * rank + axis])
    if (index < 0 || index >= shape[axis]!) return undefined
    position = position * shape[axis]! + index
  }
  return position
}

/** The values of a sequence message. */
export function sequenceOfProto(proto: SequenceProto): RuntimeValue[] {
  if (proto.sequences) return proto.sequences.map(sequenceOfProto)
  if (proto.optionals) return proto.optionals.map(optionalOfProto)
  return (proto.tensors ?? []).map(tensorOfProto)
}

/** The value of an optional message; `null` when it is empty. */
export function optionalOfProto(proto: OptionalProto): RuntimeValue {
  if (proto.tensor) return tensorOfProto(proto.tensor)
  if (proto.sequence) return sequenceOfProto(proto.sequence)
  return proto.optional ? optionalOfProto(proto.optional) : null
}
