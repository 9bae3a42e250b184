/**
 * What an operator is: the one interface that every file in this folder implements. An operator says its
 * schema by version, how types follow from types (`infer`), what it computes (`evaluate`: plain loops in float64,
 * the oracle that every kernel is tested against), and what it costs. Nothing about an operator is anywhere else.
 */
import type { Attribute, Dim, Graph, Node, SparseTensor, TensorType, ValueType } from '../graph/graph.ts'
import type { DType } from '../tensor/dtype.ts'
import type { RuntimeValue, Tensor } from '../tensor/tensor.ts'
import type { LowerContext } from './lower.ts'
import type { Schema } from './schema.ts'

export interface Op {
  /** ONNX operator name, as `Conv`. */
  readonly name: string
  /** Operator set; left out for ONNX's own. */
  readonly domain?: string
  /** One sentence: what it computes. */
  readonly doc: string
  /** The schema by the operator-set version that brought it; a graph uses the newest not above its own version. */
  readonly versions: Readonly<Record<number, Schema>>
  /** What is not implemented, in words, for the table in the documentation. */
  readonly limits?: string
  /** Operator-set version from which ONNX calls the operator deprecated. */
  readonly deprecated?: number
  /** Draws random numbers, or otherwise differs from run to run: never folded. */
  readonly impure?: boolean
  /**
   * Types of the outputs from the types of the inputs, one entry an output of the node. `undefined` where nothing
   * can be said; a missing shape where only the type is known.
   */
  infer(context: InferContext): readonly (ValueType | undefined)[]
  /**
   * Contents of small integer outputs as dimension expressions, where the operator takes part in computing shapes
   * (`Shape`, `Gather`, `Concat`...). Only called when the contents are not constant.
   */
  contents?(context: InferContext): readonly (readonly Dim[] | undefined)[]
  /** Values of the outputs. Must not write to its inputs; may return an input or a view of one. */
  evaluate(context: EvaluateContext): readonly RuntimeValue[]
  /** How it becomes steps of a plan; left out for operators that have no kernels. Returns why not, where it cannot. */
  lower?(context: LowerContext): string | undefined
  /** Multiply-accumulates of one run: products that are summed, and nothing else. Left out for operators without. */
  macs?(context: InferContext): Dim
  /** Which inputs are weights, and how they act as matrices. Left out for operators without weights. */
  weights?(context: InferContext): readonly WeightUse[]
}

/** How an operator uses an input as a weight: as a matrix of outputs by reduced inputs. */
export interface WeightUse {
  /** Index of the input. */
  readonly input: number
  /** Axes of the weight that number the outputs (rows of the matrix). */
  readonly rows: readonly number[]
  /** Axes of the weight that are summed over (columns). Blocks and N:M groups run along the first: input channels. */
  readonly columns: readonly number[]
  /** Index of the input with the zero point, one value or one for every row, when the operator subtracts it itself. */
  readonly zeroPoint?: number
}

/** The attributes of a node, with defaults from the schema. Getters throw `invalid-graph` on a wrong type, `bad-argument` off the choices. */
export interface Attributes {
  has(name: string): boolean
  get(name: string): Attribute | undefined
  int(name: string): number
  float(name: string): number
  string(name: string): string
  ints(name: string): readonly number[]
  floats(name: string): readonly number[]
  strings(name: string): readonly string[]
  tensor(name: string): Tensor
  sparse(name: string): SparseTensor
  graph(name: string): Graph
  type(name: string): ValueType
  /** The getters below give `undefined` where the attribute is absent and has no default. */
  optionalInt(name: string): number | undefined
  optionalFloat(name: string): number | undefined
  optionalString(name: string): string | undefined
  optionalInts(name: string): readonly number[] | undefined
  optionalFloats(name: string): readonly number[] | undefined
  optionalStrings(name: string): readonly string[] | undefined
}

export interface NodeContext {
  readonly node: Node
  /** The schema version in force: a key of `Op.versions`. */
  readonly version: number
  readonly attributes: Attributes
  /** Number of outputs the node names, omitted ones in between counted. */
  readonly outputCount: number
  /** Whether input `index` is given. */
  hasInput(index: number): boolean
  /** Whether output `index` is wanted. */
  hasOutput(index: number): boolean
}

/** What `infer` sees. */
export interface InferContext extends NodeContext {
  /** Types of the inputs; `undefined` for an omitted input and for one of unknown type. */
  readonly inputs: readonly (ValueType | undefined)[]
  /** The tensor type of an input; `undefined` when omitted, unknown, or not a tensor. */
  tensor(index: number): TensorType | undefined
  /** Data type of an input; `undefined` when not known. */
  dtype(index: number): DType | undefined
  /** Shape of an input; `undefined` when not known. */
  shape(index: number): readonly Dim[] | undefined
  /** The value of an input that is a known constant of moderate size. */
  constant(index: number): Tensor | undefined
  /** Contents of a scalar or 1-D integer input, as far as known: constants as numbers, the rest as expressions. */
  content(index: number): readonly Dim[] | undefined
  /** Infers the output types of a body graph from the types of its inputs. */
  inferGraph(graph: Graph, inputs: readonly (ValueType | undefined)[]): readonly (ValueType | undefined)[]
}

/** What `evaluate` sees. */
export interface EvaluateContext extends NodeContext {
  /** Values of the inputs; `undefined` for omitted ones. */
  readonly inputs: readonly (RuntimeValue | undefined)[]
  /** A required tensor input; throws when absent or not a tensor. */
  tensor(index: number): Tensor
  /** An optional tensor input. */
  optionalTensor(index: number): Tensor | undefined
  /** A required sequence input. */
  sequence(index: number): readonly RuntimeValue[]
  /** Runs a body graph; it sees the values around the node. */
  runGraph(graph: Graph, inputs: readonly RuntimeValue[]): readonly RuntimeValue[]
  /** Iterations after which a `Loop` that has not ended is an error; without it, a loop may run for ever. */
  readonly maxIterations?: number
  /** Numbers in [0, 1), the same sequence in every run with the same seed. */
  random(seed?: number): () => number
}

/** The operators to work with: a lookup, so that a program can add its own. */
export interface Operators {
  /** The operator, or `undefined` where it is not implemented. */
  find(domain: string, name: string): Op | undefined
  readonly all: readonly Op[]
}
