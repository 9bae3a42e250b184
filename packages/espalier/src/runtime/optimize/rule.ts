/**
 * What a rewriting rule of the optimiser is. Unlike graph/rewrite.ts, whose patterns are trees of fixed form, these rules
 * start at one node and look around through a context that knows types and constants: exported models write the same
 * thing in so many ways that a list of trees would be longer than code that follows products and sums.
 *
 * The condition that all rules share: a value that somebody else reads, or that is an output of the graph, is still
 * made afterwards; most rules decline then, since computing it twice gains nothing.
 */
import type { PlainAttribute } from '../../graph/builder.ts'
import type { Dim, Initializer, Node, TensorType, ValueType } from '../../graph/graph.ts'
import type { Attributes } from '../../ops/op.ts'
import type { DType } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'

export interface NodeRule {
  /** Kebab-case, as its file. */
  readonly name: string
  /** Operators at which it is tried, in full: `MatMul`, `espalier.MatMul`. */
  readonly at: readonly string[]
  /** What stands in the place of `node` afterwards; `undefined` to decline. */
  apply(node: Node, c: RuleContext): Change | undefined
}

/** New nodes for old ones, or the same value under another name. */
export type Change = Exchange | { readonly same: string }

export interface Exchange {
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Initializer>
  /** Types of values that were not there before. */
  readonly types: ReadonlyMap<string, ValueType>
  /** Nodes beside the one at hand whose outputs `nodes` make too. */
  readonly also: readonly Node[]
}

/** What a rule sees. All answers are about the graph as it is now. */
export interface RuleContext {
  /** The node that makes a value, where it is of one of these operators (any, when none is given). */
  made(name: string | undefined, ...operators: string[]): Node | undefined
  /** As {@link made}, where in addition one node alone reads the value and it is no output of the graph. */
  only(name: string | undefined, ...operators: string[]): Node | undefined
  /** The nodes that read a value, each once. */
  readers(name: string): readonly Node[]
  isOutput(name: string): boolean
  /** The nodes' attributes with the defaults of the schema in force. */
  attributes(node: Node): Attributes
  /** A dense constant that no caller can override. */
  constant(name: string | undefined): Tensor | undefined
  /** The number in a constant of one element. */
  scalar(name: string | undefined): number | undefined
  type(name: string | undefined): TensorType | undefined
  shape(name: string | undefined): readonly Dim[] | undefined
  dtype(name: string | undefined): DType | undefined
  /** Whether all of these are float32 tensors. */
  isFloat32(...names: (string | undefined)[]): boolean
  /** Version of ONNX's operator set. */
  readonly opset: number
  /** Inputs of the graph and what is known of their types. */
  readonly inputs: readonly string[]
  draft(): Draft
}

/** The new nodes of a change, while they are written down. */
export interface Draft {
  /** Adds a node with one output and gives its name: `output`, or a new name when it is left out. */
  node(
    operator: string,
    inputs: readonly (string | undefined)[],
    attributes: Readonly<Record<string, PlainAttribute>>,
    result: { readonly output?: string; readonly type?: ValueType | undefined; readonly name?: string },
  ): string
  /** Adds a finished node. */
  add(node: Node): void
  /** Adds a constant and gives its name. */
  constant(value: Tensor, stem: string): string
  /** A name that nothing else has. */
  fresh(stem: string): string
  /** States the type of a value that was not there before. */
  state(name: string, type: ValueType | undefined): void
  done(...also: Node[]): Exchange
}
