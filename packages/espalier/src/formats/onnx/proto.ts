/**
 * The messages of onnx.proto (IR version 14) as tables: field number, name, kind. One table drives reading (decode.ts)
 * and writing (encode.ts), so that they cannot drift. Weights are not read but noted as ranges of the source
 * (`Payload`); fields that no table knows are kept as bytes in `unknown` and, where the graph has room for them (not in
 * types and sparse tensors), written back.
 */
import type { StoredBytes } from '../../tensor/tensor.ts'

/** A range of the source that holds elements of a tensor; once it is loaded, `bytes` is set, or `stored` where it stays there. */
export interface Payload {
  readonly offset: number
  readonly length: number
  bytes?: Uint8Array
  stored?: StoredBytes
}

/** Numbers of a repeated field. */
export type Integers = readonly (number | bigint)[]

/** Every message may carry fields that this version does not know: tag and value, as found. */
interface Message {
  unknown?: Uint8Array[]
}

export interface StringEntry extends Message {
  key?: string
  value?: string
}

/** Value of `data_location` for elements in another file. */
export const EXTERNAL = 1

export interface TensorProto extends Message {
  dims?: Integers
  dataType?: number | bigint
  floatData?: Payload[]
  int32Data?: Payload[]
  stringData?: string[]
  int64Data?: Payload[]
  name?: string
  doc?: string
  rawData?: Payload
  doubleData?: Payload[]
  uint64Data?: Payload[]
  externalData?: StringEntry[]
  dataLocation?: number | bigint
}

export interface SparseTensorProto extends Message {
  values?: TensorProto
  indices?: TensorProto
  dims?: Integers
}

export interface DimensionProto extends Message {
  value?: number | bigint
  param?: string
  denotation?: string
}

export interface ShapeProto extends Message {
  dims?: DimensionProto[]
}

export interface TensorTypeProto extends Message {
  elementType?: number | bigint
  shape?: ShapeProto
}

export interface ElementTypeProto extends Message {
  element?: TypeProto
}

export interface MapTypeProto extends Message {
  key?: number | bigint
  value?: TypeProto
}

export interface OpaqueTypeProto extends Message {
  domain?: string
  name?: string
}

export interface TypeProto extends Message {
  tensor?: TensorTypeProto
  sequence?: ElementTypeProto
  map?: MapTypeProto
  denotation?: string
  opaque?: OpaqueTypeProto
  sparse?: TensorTypeProto
  optional?: ElementTypeProto
}

export interface ValueInfoProto extends Message {
  name?: string
  type?: TypeProto
  doc?: string
  metadata?: StringEntry[]
}

export interface AttributeProto extends Message {
  name?: string
  f?: number
  i?: number | bigint
  s?: Uint8Array
  t?: TensorProto
  g?: GraphProto
  floats?: number[]
  ints?: Integers
  strings?: Uint8Array[]
  tensors?: TensorProto[]
  graphs?: GraphProto[]
  doc?: string
  tp?: TypeProto
  types?: TypeProto[]
  type?: number | bigint
  refName?: string
  sparse?: SparseTensorProto
  sparses?: SparseTensorProto[]
}

export interface NodeProto extends Message {
  inputs?: string[]
  outputs?: string[]
  name?: string
  op?: string
  attributes?: AttributeProto[]
  doc?: string
  domain?: string
  overload?: string
  metadata?: StringEntry[]
}

export interface GraphProto extends Message {
  nodes?: NodeProto[]
  name?: string
  initializers?: TensorProto[]
  doc?: string
  inputs?: ValueInfoProto[]
  outputs?: ValueInfoProto[]
  values?: ValueInfoProto[]
  sparseInitializers?: SparseTensorProto[]
  metadata?: StringEntry[]
}

export interface OpsetProto extends Message {
  domain?: string
  version?: number | bigint
}

export interface FunctionProto extends Message {
  name?: string
  inputs?: string[]
  outputs?: string[]
  attributes?: string[]
  nodes?: NodeProto[]
  doc?: string
  opsets?: OpsetProto[]
  domain?: string
  attributeDefaults?: AttributeProto[]
  values?: ValueInfoProto[]
  overload?: string
  metadata?: StringEntry[]
}

export interface ModelProto extends Message {
  irVersion?: number | bigint
  producer?: string
  producerVersion?: string
  domain?: string
  modelVersion?: number | bigint
  doc?: string
  graph?: GraphProto
  opsets?: OpsetProto[]
  metadata?: StringEntry[]
  functions?: FunctionProto[]
}

/**
 * How a field is read: `integer` a varint, `payload` bytes that stay in the file until loaded, `integers` and
 * `floats` numbers (packed or not), `payloads` packed numbers that stay in the file.
 */
export type FieldKind =
  | 'integer'
  | 'float'
  | 'string'
  | 'bytes'
  | 'message'
  | 'payload'
  | 'integers'
  | 'floats'
  | 'payloads'
  | 'strings'
  | 'byteses'
  | 'messages'

export interface Field {
  readonly number: number
  readonly name: string
  readonly kind: FieldKind
  /** The table of the message, for `message` and `messages`. */
  readonly table?: () => Table
  /** Wire type of one number in `payloads`; they are accepted unpacked too. */
  readonly element?: 0 | 1 | 5
}

/** The fields of a message, by field number. */
export type Table = ReadonlyMap<number, Field>

type FieldOf = (number: number, name: string, kind: FieldKind, more?: Partial<Field>) => [number, Field]
const field: FieldOf = (number, name, kind, more = {}) => [number, { number, name, kind, ...more }]
const table = (...fields: [number, Field][]): Table => new Map(fields)
const one = (number: number, name: string, inner: () => Table): [number, Field] =>
  field(number, name, 'message', { table: inner })
const many = (number: number, name: string, inner: () => Table): [number, Field] =>
  field(number, name, 'messages', { table: inner })

export const stringEntry: Table = table(field(1, 'key', 'string'), field(2, 'value', 'string'))

export const tensorTable: Table = table(
  field(1, 'dims', 'integers'),
  field(2, 'dataType', 'integer'),
  field(4, 'floatData', 'payloads', { element: 5 }),
  field(5, 'int32Data', 'payloads', { element: 0 }),
  field(6, 'stringData', 'strings'),
  field(7, 'int64Data', 'payloads', { element: 0 }),
  field(8, 'name', 'string'),
  field(9, 'rawData', 'payload'),
  field(10, 'doubleData', 'payloads', { element: 1 }),
  field(11, 'uint64Data', 'payloads', { element: 0 }),
  field(12, 'doc', 'string'),
  many(13, 'externalData', () => stringEntry),
  field(14, 'dataLocation', 'integer'),
)

export const sparseTable: Table = table(
  one(1, 'values', () => tensorTable),
  one(2, 'indices', () => tensorTable),
  field(3, 'dims', 'integers'),
)

const dimensionTable: Table = table(
  field(1, 'value', 'integer'),
  field(2, 'param', 'string'),
  field(3, 'denotation', 'string'),
)
const shapeTable: Table = table(many(1, 'dims', () => dimensionTable))
const tensorTypeTable: Table = table(
  field(1, 'elementType', 'integer'),
  one(2, 'shape', () => shapeTable),
)
const elementTypeTable: Table = table(one(1, 'element', () => typeTable))
const mapTypeTable: Table = table(
  field(1, 'key', 'integer'),
  one(2, 'value', () => typeTable),
)
const opaqueTable: Table = table(field(1, 'domain', 'string'), field(2, 'name', 'string'))

export const typeTable: Table = table(
  one(1, 'tensor', () => tensorTypeTable),
  one(4, 'sequence', () => elementTypeTable),
  one(5, 'map', () => mapTypeTable),
  field(6, 'denotation', 'string'),
  one(7, 'opaque', () => opaqueTable),
  one(8, 'sparse', () => tensorTypeTable),
  one(9, 'optional', () => elementTypeTable),
)

export const valueTable: Table = table(
  field(1, 'name', 'string'),
  one(2, 'type', () => typeTable),
  field(3, 'doc', 'string'),
  many(4, 'metadata', () => stringEntry),
)

export const attributeTable: Table = table(
  field(1, 'name', 'string'),
  field(2, 'f', 'float'),
  field(3, 'i', 'integer'),
  field(4, 's', 'bytes'),
  one(5, 't', () => tensorTable),
  one(6, 'g', () => graphTable),
  field(7, 'floats', 'floats'),
  field(8, 'ints', 'integers'),
  field(9, 'strings', 'byteses'),
  many(10, 'tensors', () => tensorTable),
  many(11, 'graphs', () => graphTable),
  field(13, 'doc', 'string'),
  one(14, 'tp', () => typeTable),
  many(15, 'types', () => typeTable),
  field(20, 'type', 'integer'),
  field(21, 'refName', 'string'),
  one(22, 'sparse', () => sparseTable),
  many(23, 'sparses', () => sparseTable),
)

export const nodeTable: Table = table(
  field(1, 'inputs', 'strings'),
  field(2, 'outputs', 'strings'),
  field(3, 'name', 'string'),
  field(4, 'op', 'string'),
  many(5, 'attributes', () => attributeTable),
  field(6, 'doc', 'string'),
  field(7, 'domain', 'string'),
  field(8, 'overload', 'string'),
  many(9, 'metadata', () => stringEntry),
)

export const graphTable: Table = table(
  many(1, 'nodes', () => nodeTable),
  field(2, 'name', 'string'),
  many(5, 'initializers', () => tensorTable),
  field(10, 'doc', 'string'),
  many(11, 'inputs', () => valueTable),
  many(12, 'outputs', () => valueTable),
  many(13, 'values', () => valueTable),
  many(15, 'sparseInitializers', () => sparseTable),
  many(16, 'metadata', () => stringEntry),
)

const opsetTable: Table = table(field(1, 'domain', 'string'), field(2, 'version', 'integer'))

const functionTable: Table = table(
  field(1, 'name', 'string'),
  field(4, 'inputs', 'strings'),
  field(5, 'outputs', 'strings'),
  field(6, 'attributes', 'strings'),
  many(7, 'nodes', () => nodeTable),
  field(8, 'doc', 'string'),
  many(9, 'opsets', () => opsetTable),
  field(10, 'domain', 'string'),
  many(11, 'attributeDefaults', () => attributeTable),
  many(12, 'values', () => valueTable),
  field(13, 'overload', 'string'),
  many(14, 'metadata', () => stringEntry),
)

export const modelTable: Table = table(
  field(1, 'irVersion', 'integer'),
  field(2, 'producer', 'string'),
  field(3, 'producerVersion', 'string'),
  field(4, 'domain', 'string'),
  field(5, 'modelVersion', 'integer'),
  field(6, 'doc', 'string'),
  one(7, 'graph', () => graphTable),
  many(8, 'opsets', () => opsetTable),
  many(14, 'metadata', () => stringEntry),
  many(25, 'functions', () => functionTable),
)

/** A sequence of values, as onnx-data.proto has it. */
export interface SequenceProto extends Message {
  name?: string
  elementType?: number | bigint
  tensors?: TensorProto[]
  sequences?: SequenceProto[]
  optionals?: OptionalProto[]
}

/** An optional value, as onnx-data.proto has it. */
export interface OptionalProto extends Message {
  name?: string
  elementType?: number | bigint
  tensor?: TensorProto
  sequence?: SequenceProto
  optional?: OptionalProto
}

export const sequenceTable: Table = table(
  field(1, 'name', 'string'),
  field(2, 'elementType', 'integer'),
  many(3, 'tensors', () => tensorTable),
  many(5, 'sequences', () => sequenceTable),
  many(7, 'optionals', () => optionalTable),
)

export const optionalTable: Table = table(
  field(1, 'name', 'string'),
  field(2, 'elementType', 'integer'),
  one(3, 'tensor', () => tensorTable),
  one(5, 'sequence', () => sequenceTable),
  one(7, 'optional', () => optionalTable),
)

/** A message as read: field values under their names. */
export type Decoded = Record<string, unknown> & Message
