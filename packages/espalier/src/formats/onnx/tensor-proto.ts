/**
 * Tensors in ONNX files: data type numbers, the seven fields that may hold the elements, and sparse tensors.
 * Elements in `raw_data`, `float_data` and `double_data` are referenced; those written as varints are converted.
 */
import { EspalierError } from '../../errors.ts'
import type { SparseTensor } from '../../graph/graph.ts'
import { type DType, isBigInt, storageLength } from '../../tensor/dtype.ts'
import { formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import { allocate, type RuntimeValue, type Tensor, tensor, tensorFromBytes } from '../../tensor/tensor.ts'
import { concatBytes, normalizeBools } from '../io/bytes.ts'
import { memorySource } from '../io/source.ts'
import {
  EXTERNAL,
  type Integers,
  type OptionalProto,
  type Payload,
  type SequenceProto,
  type SparseTensorProto,
  type TensorProto,
} from './proto.ts'
import { Cursor } from './wire.ts'

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
  return malformedAt(proto.name ?? '', () => decodeTensor(proto))
}

/** Runs `body`; shapes and types that it refuses are the file's fault, and the tensor is named. */
export function malformedAt<T>(tensor: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error
    const code = error.code === 'bad-shape' || error.code === 'bad-dtype' ? 'malformed' : error.code
    throw new EspalierError(code, error.summary, {
      where: { tensor, ...error.where },
      ...(error.expected !== undefined && { expected: error.expected }),
      ...(error.got !== undefined && { got: error.got }),
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error,
    })
  }
}

/** The fields for elements, under the names of onnx.proto. */
const fieldNames = {
  rawData: 'raw_data',
  floatData: 'float_data',
  doubleData: 'double_data',
  int32Data: 'int32_data',
  int64Data: 'int64_data',
  uint64Data: 'uint64_data',
  stringData: 'string_data',
} as const

type DataField = keyof typeof fieldNames

/** The field that may hold elements of a type, beside `raw_data`. */
function fieldOf(dtype: DType): DataField {
  switch (dtype) {
    case 'string':
      return 'stringData'
    case 'float32':
    case 'complex64':
      return 'floatData'
    case 'float64':
    case 'complex128':
      return 'doubleData'
    case 'int64':
      return 'int64Data'
    case 'uint32':
    case 'uint64':
      return 'uint64Data'
    default:
      return 'int32Data'
  }
}

function decodeTensor(proto: TensorProto): Tensor {
  const dtype = dtypeOfNumber(proto.dataType)
  const shape = shapeOfDims(proto.dims)
  if (proto.dataLocation === EXTERNAL && proto.rawData === undefined)
    throw new EspalierError('not-found', 'the elements are in another file', {
      hint: 'Read the tensor as part of its model',
    })
  const own = fieldOf(dtype)
  const filled = filledFields(proto)
  const field = filled[0] ?? own
  checkField(dtype, field, filled.length)
  if (field === 'stringData') return tensor('string', shape, proto.stringData ?? [])
  if (field === 'rawData' && proto.rawData!.stored !== undefined)
    return tensorFromBytes(dtype, shape, proto.rawData!.stored)
  const bytes = field === 'rawData' ? loaded(proto.rawData!) : joined(proto[field] ?? [])
  const packed = field === 'rawData' || field === 'floatData' || field === 'doubleData'
  if (!packed) return fromVarints(dtype, shape, bytes)
  return tensorFromBytes(dtype, shape, dtype === 'bool' ? normalizeBools(bytes) : bytes)
}

/** The extents in a message. Throws `bad-shape` or `too-large`. */
export function shapeOfDims(dims: Integers = []): Shape {
  const shape = dims.map(Number)
  sizeOf(shape)
  return shape
}

/** The fields of a message that hold elements. */
function filledFields(proto: TensorProto): DataField[] {
  return (Object.keys(fieldNames) as DataField[]).filter(name => {
    if (name === 'rawData' || name === 'stringData') return (proto[name]?.length ?? 0) > 0
    return proto[name]?.some(({ length }) => length > 0)
  })
}

function checkField(dtype: DType, field: DataField, filled: number): void {
  if (filled > 1) throw new EspalierError('malformed', 'a tensor holds its elements in several fields')
  const own = fieldOf(dtype)
  if (field === own || (field === 'rawData' && dtype !== 'string')) return
  throw new EspalierError('malformed', `a ${dtype} tensor holds its elements in a field of another type`, {
    expected: dtype === 'string' ? fieldNames[own] : `raw_data or ${fieldNames[own]}`,
    got: fieldNames[field],
  })
}

/** Elements that were written as varints: integers, and bit patterns of the small float types. */
function fromVarints(dtype: DType, shape: Shape, bytes: Uint8Array): Tensor {
  const count = sizeOf(shape)
  // Types below a byte are written packed, one byte to an int32; what is stored is one array element for each.
  const wanted = storageLength(dtype, count)
  let found = 0
  for (const byte of bytes) if (byte < 0x80) found++
  if (found !== wanted)
    throw new EspalierError(
      'malformed',
      `the data does not fill a ${dtype} tensor of shape ${formatShape(shape)}`,
      { expected: `${wanted} numbers`, got: `${found}` },
    )
  const cursor = new Cursor(memorySource(bytes))
  const data = allocate(dtype, count) as Int32Array | BigInt64Array
  if (isBigInt(dtype)) for (let i = 0; i < wanted; i++) data[i] = BigInt(cursor.varint())
  else if (dtype === 'bool') for (let i = 0; i < wanted; i++) data[i] = cursor.varint() === 0 ? 0 : 1
  else for (let i = 0; i < wanted; i++) data[i] = Number(cursor.varint())
  if (cursor.at !== bytes.length) throw new EspalierError('malformed', 'the data ends inside a number')
  return tensor(dtype, shape, data as never)
}

/** Whether the elements are in the file just as they are in memory, so that they can stay there until they are wanted. */
export function canStay({ dataType, rawData }: TensorProto): boolean {
  const dtype = byNumber[Number(dataType ?? 0)]
  return rawData !== undefined && dtype !== undefined && dtype !== 'string' && dtype !== 'bool'
}

/** The bytes of a field that may come in parts; of one part, itself. */
function joined(payloads: readonly Payload[]): Uint8Array {
  return payloads.length === 1 ? loaded(payloads[0]!) : concatBytes(payloads.map(loaded))
}

function loaded({ bytes }: Payload): Uint8Array {
  if (bytes === undefined) throw new Error('a payload was not loaded')
  return bytes
}

/** The sparse tensor that a message holds. Throws `malformed` when indices leave the shape or are out of order. */
export function sparseOfProto(proto: SparseTensorProto): SparseTensor {
  return malformedAt(proto.values?.name ?? '', () => decodeSparse(proto))
}

function decodeSparse(proto: SparseTensorProto): SparseTensor {
  const fail = (summary: string, got: string): EspalierError =>
    new EspalierError('malformed', summary, { got })
  if (proto.values === undefined || proto.indices === undefined)
    throw new EspalierError('malformed', 'a sparse tensor lacks values or indices')
  const values = tensorOfProto(proto.values)
  const indices = tensorOfProto(proto.indices)
  const shape = shapeOfDims(proto.dims)
  const size = sizeOf(shape)
  const [count = -1, rank, ...more] = indices.shape
  if (indices.dtype !== 'int64') throw fail('indices of a sparse tensor must be int64', indices.dtype)
  const misfit = more.length > 0 || (rank !== undefined && rank !== shape.length)
  if (values.shape.length !== 1 || count !== values.shape[0] || misfit)
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

/** The values of a sequence message. Throws `unsupported-format` for maps and sparse tensors. */
export function sequenceOfProto(proto: SequenceProto): RuntimeValue[] {
  checkElementType(proto.elementType)
  if (proto.sequences) return proto.sequences.map(sequenceOfProto)
  if (proto.optionals) return proto.optionals.map(optionalOfProto)
  return (proto.tensors ?? []).map(tensorOfProto)
}

/** The value of an optional message; `null` when it is empty. Throws as {@link sequenceOfProto}. */
export function optionalOfProto(proto: OptionalProto): RuntimeValue {
  checkElementType(proto.elementType)
  if (proto.tensor) return tensorOfProto(proto.tensor)
  if (proto.sequence) return sequenceOfProto(proto.sequence)
  return proto.optional ? optionalOfProto(proto.optional) : null
}

/** What a sequence or an optional holds, by its number in onnx-data.proto. */
const elementTypes = ['undefined', 'tensor', 'sparse tensor', 'sequence', 'map', 'optional']

function checkElementType(number: number | bigint = 0): void {
  const name = elementTypes[Number(number)]
  if (name === undefined || name === 'sparse tensor' || name === 'map')
    throw new EspalierError('unsupported-format', 'values of this type are not read', {
      expected: 'tensors, sequences or optionals',
      got: name ?? `type ${number}`,
    })
}
