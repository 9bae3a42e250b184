/**
 * The representation of a model: a graph of typed values and nodes, shaped like ONNX, as immutable plain data.
 * Reading a file gives one, building a network gives one, and every transformation is a function from graph to
 * graph. What a graph means is said by the operators (ops/); this file only says what it looks like.
 *
 * Names: a *value* is what flows between nodes and is known by its name; `''` as an input or output of a node
 * is an omitted optional. Attributes keep their ONNX type, so that a file is written as it was read.
 */
import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * An extent: a number; an expression over named symbols, such as `batch` or `2*height+1`, with a value of its
 * own in each run; or `null` when nothing is known. See dim.ts for the arithmetic.
 */
export type Dim = number | string | null

/** A tensor type. Without `shape` not even the rank is known. */
export interface TensorType {
  readonly kind: 'tensor'
  readonly dtype: DType
  readonly shape?: readonly Dim[]
  /** What each axis means, where the file says so (`DATA_BATCH`); `''` where it does not. */
  readonly dimDenotations?: readonly string[]
  /** What the value means, where the file says so (`IMAGE`). */
  readonly denotation?: string
}

/** A sparse tensor type (ONNX `sparse_tensor`); only initialisers and constants have it. */
export interface SparseTensorType {
  readonly kind: 'sparse'
  readonly dtype: DType
  readonly shape?: readonly Dim[]
}

export interface SequenceType {
  readonly kind: 'sequence'
  /** Without it, nothing is known of the elements. */
  readonly element?: ValueType
}

export interface OptionalType {
  readonly kind: 'optional'
  readonly element?: ValueType
}

/** A type that only its maker knows; carried so that files round-trip. */
export interface OpaqueType {
  readonly kind: 'opaque'
  readonly domain: string
  readonly name: string
}

/** A map type; carried so that files round-trip, no operator here works on it. */
export interface MapType {
  readonly kind: 'map'
  readonly key: DType
  readonly value?: ValueType
}

export type ValueType = TensorType | SparseTensorType | SequenceType | OptionalType | MapType | OpaqueType

/** An input, an output, or a value in between whose type is stated. */
export interface Value {
  readonly name: string
  readonly type?: ValueType
  readonly doc?: string
  readonly metadata?: ReadonlyMap<string, string>
  readonly unknownFields?: Uint8Array
}

/**
 * A sparse constant in coordinate form: `values` [nnz] and `indices`, either [nnz] positions in the flattened
 * tensor or [nnz, rank] coordinates, both in ascending order.
 */
export interface SparseTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly values: Tensor
  readonly indices: Tensor<'int64'>
}

/** A constant of the graph: a weight, a bias, a table. */
export type Initializer = Tensor | SparseTensor

/** The value of a node's attribute, with its ONNX type. Integers beyond 2^53 are bigints. */
export type Attribute = AttributeValue & {
  readonly doc?: string
  readonly unknownFields?: Uint8Array
}

/** An attribute's type and value. */
export type AttributeValue =
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int'; readonly value: number | bigint }
  /** Text; bytes where it is not valid UTF-8. */
  | { readonly type: 'string'; readonly value: string | Uint8Array }
  | { readonly type: 'tensor'; readonly value: Tensor }
  | { readonly type: 'sparse_tensor'; readonly value: SparseTensor }
  | { readonly type: 'graph'; readonly value: Graph }
  | { readonly type: 'type'; readonly value: ValueType }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'ints'; readonly value: readonly (number | bigint)[] }
  | { readonly type: 'strings'; readonly value: readonly (string | Uint8Array)[] }
  | { readonly type: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly type: 'sparse_tensors'; readonly value: readonly SparseTensor[] }
  | { readonly type: 'graphs'; readonly value: readonly Graph[] }
  | { readonly type: 'types'; readonly value: readonly ValueType[] }

export type AttributeType = Attribute['type']

/** One application of an operator. */
export interface Node {
  /** May be empty; then the node is known by its first output. */
  readonly name: string
  /** Operator name, as `Conv`. */
  readonly op: string
  /** Operator set; `''` is ONNX's own. */
  readonly domain: string
  /** Names of values; `''` for an omitted optional. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Attribute>
  readonly doc?: string
  /** Which of several functions of the same name is meant. */
  readonly overload?: string
  readonly metadata?: ReadonlyMap<string, string>
  readonly unknownFields?: Uint8Array
}

/** A model, or the body of a control-flow node. Bodies see the values of the graphs around them. */
export interface Graph {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** In an order in which every value is made before it is used. */
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Initializer>
  /** Stated or inferred types of values that are neither inputs nor outputs. */
  readonly values: ReadonlyMap<string, Value>
  /** Doc strings, metadata and other fields that the file has on its initialisers, in its own encoding. */
  readonly initializerFields?: ReadonlyMap<string, Uint8Array>
  /** Version of each operator set in use, by domain. A body has the versions of its model. */
  readonly opsets: ReadonlyMap<string, number>
  readonly doc?: string
  readonly metadata?: ReadonlyMap<string, string>
  readonly unknownFields?: Uint8Array
  /** What the file said beside the graph; only on a whole model. */
  readonly origin?: Origin
}

/** Facts about a model that do not change what it computes. */
export interface Origin {
  /** ONNX IR version of the file. */
  readonly irVersion?: number
  readonly producer?: string
  readonly producerVersion?: string
  readonly domain?: string
  readonly modelVersion?: number | bigint
  readonly doc?: string
  /** The file's `metadata_props`. */
  readonly metadata?: ReadonlyMap<string, string>
  readonly unknownFields?: Uint8Array
}

export function isSparse(initializer: Initializer): initializer is SparseTensor {
  return 'indices' in initializer
}

/** ONNX's own operator set has two spellings; `''` is the one used here. */
export function normalizeDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

/** The operator of a node in full: `Conv`, or `domain.Op` outside ONNX's own set. */
export function operatorName({ domain, op }: Pick<Node, 'domain' | 'op'>): string {
  return normalizeDomain(domain) === '' ? op : `${domain}.${op}`
}

/** The name of a node, or of its first output when it has none; `''` when it has neither. */
export function nodeName(node: Node): string {
  return node.name !== '' ? node.name : (node.outputs.find(output => output !== '') ?? '')
}

/** How messages name a node: `conv1 (Conv)`. */
export function describeNode(node: Node): string {
  const name = nodeName(node)
  return name === '' ? operatorName(node) : `${name} (${operatorName(node)})`
}

/** The graphs held in a node's attributes: bodies of `If`, `Loop`, `Scan`. */
export function bodiesOf(node: Node): readonly Graph[] {
  let bodies: Graph[] | undefined
  for (const attribute of node.attributes.values()) {
    if (attribute.type === 'graph') bodies = [...(bodies ?? []), attribute.value]
    else if (attribute.type === 'graphs') bodies = [...(bodies ?? []), ...attribute.value]
  }
  return bodies ?? noBodies
}

const noBodies: readonly Graph[] = []

/** Shorthand for a tensor type. */
export function tensorType(dtype: DType, shape?: readonly Dim[]): TensorType {
  return shape === undefined ? { kind: 'tensor', dtype } : { kind: 'tensor', dtype, shape }
}
