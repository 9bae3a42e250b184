/**
 * Types, shapes and small constants of every value of a graph, by one walk from inputs to outputs. Dimensions stay
 * symbolic: contents of integer tensors that compute shapes are followed as expressions (as ONNX's "data
 * propagation" does, but with arithmetic), so `Reshape(x, Concat(Shape(x)[0], 12, -1))` keeps its batch.
 */
import { EspalierError, locate } from '../errors.ts'
import { describeType } from '../graph/describe.ts'
import { differentDims, substituteDim } from '../graph/dim.ts'
import {
  type Dim,
  describeNode,
  type Graph,
  isSparse,
  type Node,
  type TensorType,
  tensorType,
  type Value,
  type ValueType,
} from '../graph/graph.ts'
import { denseOf } from '../graph/sparse.ts'
import { evaluateContext, inferContext } from '../ops/context.ts'
import { operators as standard } from '../ops/index.ts'
import type { InferContext, Operators } from '../ops/op.ts'
import { opsetOf, type Resolved, resolve, schemaVersion } from '../ops/registry.ts'
import { sizeOf } from '../tensor/shape.ts'
import { isTensor, type Tensor } from '../tensor/tensor.ts'

export interface InferOptions {
  readonly operators?: Operators
  /** Types to use for inputs instead of the stated ones, by name: `{ x: tensorType('float32', [1, 3, 32, 32]) }`. */
  readonly inputs?: ReadonlyMap<string, ValueType>
  /** Values of symbols, by name: `batch` to 8. */
  readonly symbols?: ReadonlyMap<string, Dim>
  /** Called for every node with its place in the walk; gives access to the same facts the operators see. */
  readonly onNode?: (node: Node, context: InferContext, resolved: Resolved) => void
}

/** What is known of the values of a graph. */
export interface Inference {
  readonly types: ReadonlyMap<string, ValueType>
  /** Initialisers, and values computed from constants alone (up to {@link FOLD_LIMIT} elements). */
  readonly constants: ReadonlyMap<string, Tensor>
  /** Contents of small tensors as dimensions: integers, bools (0 and 1), and floats as far as they are whole numbers. */
  readonly contents: ReadonlyMap<string, readonly Dim[]>
}

/** Most elements of a value that is computed while types are inferred. */
export const FOLD_LIMIT = 4096

/**
 * Infers what can be known. Unknown operators leave their outputs as the graph states them. An unknown extent of an
 * input gets a symbol of its own, `NAME_dimK`. Throws `bad-shape`, `bad-dtype` or `invalid-graph`, naming the node,
 * where the graph cannot run whatever it is fed.
 */
export function infer(graph: Graph, options: InferOptions = {}): Inference {
  const walk = new Walk(graph, options, undefined)
  walk.inputs(graph.inputs.map(input => inputType(input, options)))
  walk.run()
  return walk
}

/** The graph with inferred types for every value, so that a file or a dump shows them. */
export function annotate(graph: Graph, inference: Inference = infer(graph)): Graph {
  const values = new Map(graph.values)
  const ends = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name))
  for (const node of graph.nodes)
    for (const name of node.outputs) {
      const type = inference.types.get(name)
      if (name !== '' && type !== undefined && !ends.has(name))
        values.set(name, { ...values.get(name), name, type })
    }
  const outputs = graph.outputs.map(output => {
    const type = inference.types.get(output.name)
    return type === undefined ? output : { ...output, type }
  })
  return { ...graph, values, outputs }
}

function inputType({ name, type }: Value, { inputs, symbols }: InferOptions): ValueType | undefined {
  const given = inputs?.get(name) ?? type
  if (given?.kind !== 'tensor' || given.shape === undefined) return given
  const shape = given.shape.map((dim, axis) =>
    substituteDim(dim ?? `${name}_dim${axis}`, symbols ?? new Map()),
  )
  return { ...given, shape }
}

class Walk implements Inference {
  readonly types = new Map<string, ValueType>()
  readonly constants = new Map<string, Tensor>()
  readonly contents = new Map<string, readonly Dim[]>()
  readonly #graph: Graph
  readonly #options: InferOptions
  readonly #operators: Operators
  readonly #outer: Walk | undefined
  readonly #opsets: Graph

  constructor(graph: Graph, options: InferOptions, outer: Walk | undefined) {
    this.#graph = graph
    this.#options = options
    this.#operators = options.operators ?? standard
    this.#outer = outer
    this.#opsets = outer === undefined ? graph : outer.#opsets
  }

  inputs(types: readonly (ValueType | undefined)[]): void {
    for (const [index, { name }] of this.#graph.inputs.entries()) {
      const type = types[index]
      if (type !== undefined) this.types.set(name, type)
    }
    const inputs = new Set(this.#graph.inputs.map(({ name }) => name))
    for (const [name, initializer] of this.#graph.initializers) {
      if (!this.types.has(name)) this.types.set(name, tensorType(initializer.dtype, initializer.shape))
      if (inputs.has(name)) continue // an input's default: a caller may feed something else
      if (!isSparse(initializer)) this.constants.set(name, initializer)
      else if (sizeOf(initializer.shape) <= FOLD_LIMIT) this.constants.set(name, denseOf(initializer))
    }
  }

  run(): void {
    for (const node of this.#graph.nodes)
      locate({ node: describeNode(node) }, () => {
        this.#node(node)
      })
    for (const output of this.#graph.outputs) this.#merge(output.name, output.type)
  }

  outputTypes(): (ValueType | undefined)[] {
    return this.#graph.outputs.map(({ name }) => this.typeOf(name))
  }

  #node(node: Node): void {
    const resolved = this.#resolve(node)
    if (resolved !== undefined) {
      const context = this.#context(node, resolved)
      const inferred = resolved.op.infer(context)
      for (const [index, name] of node.outputs.entries()) {
        const type = inferred[index]
        if (name !== '' && type !== undefined) this.types.set(name, clean(type))
      }
      if (!this.#fold(node, resolved)) this.#followContents(node, resolved, context)
      this.#options.onNode?.(node, context, resolved)
    }
    for (const name of node.outputs) if (name !== '') this.#merge(name, this.#graph.values.get(name)?.type)
  }

  #resolve(node: Node): Resolved | undefined {
    const op = this.#operators.find(node.domain, node.op)
    const opset = opsetOf(this.#opsets, node.domain)
    if (op === undefined || opset === undefined || schemaVersion(op, opset) === undefined) return undefined
    return resolve(this.#operators, this.#opsets, node)
  }

  #context(node: Node, resolved: Resolved): InferContext {
    const name = (index: number): string => node.inputs[index] ?? ''
    return inferContext(node, resolved, {
      types: node.inputs.map(input => this.typeOf(input)),
      constant: index => this.constantOf(name(index)),
      content: index => this.contentOf(name(index)),
      inferGraph: (body, inputs) => {
        const inner = new Walk(body, { ...this.#options, inputs: new Map() }, this)
        inner.inputs(body.inputs.map(({ type }, index) => inputs[index] ?? type))
        inner.run()
        return inner.outputTypes()
      },
    })
  }

  /** Computes a node whose inputs are all constant and whose outputs are small. */
  #fold(node: Node, resolved: Resolved): boolean {
    if (resolved.op.impure || node.outputs.some(name => name !== '' && !this.#isSmall(name))) return false
    const inputs: (Tensor | undefined)[] = []
    for (const name of node.inputs) {
      const constant = this.constantOf(name)
      if (name !== '' && (constant === undefined || sizeOf(constant.shape) > FOLD_LIMIT)) return false
      inputs.push(constant)
    }
    if ([...node.attributes.values()].some(({ type }) => type === 'graph' || type === 'graphs')) return false
    const outputs = resolved.op.evaluate(
      evaluateContext(node, resolved, inputs, {
        runGraph: () => {
          throw new Error('nodes with bodies are not folded')
        },
        random: () => () => 0,
      }),
    )
    for (const [index, name] of node.outputs.entries()) {
      const value = outputs[index]
      if (name !== '' && isTensor(value)) {
        this.constants.set(name, value)
        this.types.set(name, tensorType(value.dtype, value.shape))
      }
    }
    return true
  }

  #isSmall(name: string): boolean {
    const type = this.types.get(name)
    if (type?.kind !== 'tensor' || type.shape === undefined) return false
    let size = 1
    for (const extent of type.shape) {
      if (typeof extent !== 'number') return false
      size *= extent
    }
    return size <= FOLD_LIMIT
  }

  #followContents(node: Node, { op }: Resolved, context: InferContext): void {
    const contents = op.contents?.(context) ?? []
    for (const [index, name] of node.outputs.entries()) {
      const content = contents[index]
      if (name === '' || content === undefined || content.length > FOLD_LIMIT) continue
      const type = this.types.get(name)
      if (type?.kind === 'tensor') this.contents.set(name, content)
    }
  }

  typeOf(name: string): ValueType | undefined {
    if (name === '') return undefined
    return this.types.get(name) ?? this.#outer?.typeOf(name)
  }

  constantOf(name: string): Tensor | undefined {
    if (name === '') return undefined
    return this.constants.get(name) ?? (this.types.has(name) ? undefined : this.#outer?.constantOf(name))
  }

  contentOf(name: string): readonly Dim[] | undefined {
    if (name === '') return undefined
    return this.contents.get(name) ?? (this.types.has(name) ? undefined : this.#outer?.contentOf(name))
  }

  /** Joins what the graph states about a value with what was inferred. Throws `invalid-graph` on a contradiction. */
  #merge(name: string, stated: ValueType | undefined): void {
    const inferred = this.types.get(name)
    if (stated === undefined) return
    if (inferred === undefined) {
      if (this.#outer === undefined || this.typeOf(name) === undefined) this.types.set(name, stated)
      return
    }
    const merged = mergeTypes(inferred, stated)
    if (merged === undefined)
      throw new EspalierError('invalid-graph', 'the stated type is not what the operators give', {
        where: { tensor: name },
        expected: describeType(inferred),
        got: describeType(stated),
      })
    this.types.set(name, merged)
  }
}

/** Negative extents cannot be: whatever led to one is unknown. */
function clean(type: ValueType): ValueType {
  if (type.kind !== 'tensor' || !type.shape?.some(dim => typeof dim === 'number' && dim < 0)) return type
  return { ...type, shape: type.shape.map(dim => (typeof dim === 'number' && dim < 0 ? null : dim)) }
}

/** Everything that two types of one value say; `undefined` when they contradict each other. */
export function mergeTypes(inferred: ValueType, stated: ValueType): ValueType | undefined {
  if (inferred.kind !== stated.kind) return undefined
  if (inferred.kind === 'tensor' && stated.kind === 'tensor') return mergeTensorTypes(inferred, stated)
  return inferred
}

function mergeTensorTypes(inferred: TensorType, stated: TensorType): TensorType | undefined {
  if (inferred.dtype !== stated.dtype) return undefined
  if (inferred.shape === undefined || stated.shape === undefined)
    return inferred.shape === undefined ? stated : { ...stated, shape: inferred.shape }
  if (inferred.shape.length !== stated.shape.length) return undefined
  const shape: Dim[] = []
  for (const [axis, dim] of inferred.shape.entries()) {
    const other = stated.shape[axis]!
    if (typeof dim === 'number' && typeof other === 'number' && differentDims(dim, other)) return undefined
    shape.push(
      typeof dim === 'number' || other === null || (dim !== null && typeof other === 'string') ? dim : other,
    )
  }
  return { ...stated, shape }
}
