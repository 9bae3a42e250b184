/**
 * Types, shapes and small constants of every value of a graph, by one walk from inputs to outputs. Dimensions stay
 * symbolic: contents of integer tensors that compute shapes are followed as expressions (as ONNX's "data
 * propagation" does, but with arithmetic), so `Reshape(x, Concat(Shape(x)[0], 12, -1))` keeps its batch.
 */
import { EspalierError, locate } from '../errors.ts'
import { describeType } from '../graph/describe.ts'
import { substituteDim, symbolsOf } from '../graph/dim.ts'
import {
  bodiesOf,
  type Dim,
  describeNode,
  type Graph,
  isSparse,
  type Node,
  tensorType,
  type Value,
  type ValueType,
} from '../graph/graph.ts'
import { defaultsOf, inputShape } from '../graph/inputs.ts'
import { denseOf } from '../graph/sparse.ts'
import { namesMadeBy } from '../graph/uses.ts'
import { evaluateContext, inferContext } from '../ops/context.ts'
import { operators as standard } from '../ops/index.ts'
import type { InferContext, Operators } from '../ops/op.ts'
import { lookUp, type Resolved, resolve } from '../ops/registry.ts'
import { checkValues } from '../ops/typecheck.ts'
import { isFloat, isInteger } from '../tensor/dtype.ts'
import { fromNumbers } from '../tensor/elements.ts'
import { sizeOf } from '../tensor/shape.ts'
import { isTensor, type Tensor } from '../tensor/tensor.ts'
import { mapDims, mergeTypes } from './merge.ts'

export interface InferOptions {
  readonly operators?: Operators
  /**
   * Types to use for inputs instead of the stated ones, by name: `{ x: tensorType('float32', [1, 3, 32, 32]) }`. The
   * extents that the graph states for other values then do not count.
   */
  readonly inputs?: ReadonlyMap<string, ValueType>
  /** Values of symbols, by name: `batch` to 8. An unknown extent of an input is called `NAME_dimK`. */
  readonly symbols?: ReadonlyMap<string, Dim>
  /**
   * Called for every node whose operator is known, before its outputs are inferred; gives access to the same facts the
   * operators see. Nodes in bodies come after the node that holds them, perhaps several times and perhaps never.
   */
  readonly onNode?: (node: Node, context: InferContext, resolved: Resolved) => void
  /**
   * Called for every node of the outermost graph that cannot run; what the graph states of its outputs is taken
   * instead. Without it the first such error is thrown.
   */
  readonly onError?: (error: EspalierError) => void
}

/** What is known of the values of a graph, those in bodies left out. */
export interface Inference {
  readonly types: ReadonlyMap<string, ValueType>
  /** Initialisers, and values computed from constants alone (up to {@link FOLD_LIMIT} elements). */
  readonly constants: ReadonlyMap<string, Tensor>
  /** Contents of small tensors as dimensions: integers, bools (0 and 1), and floats as far as they are whole numbers. */
  readonly contents: ReadonlyMap<string, readonly Dim[]>
}

/** Most elements of a value that is computed while types are inferred. */
export const FOLD_LIMIT = 4096

/** Most nodes of bodies that are looked at. Loops in loops are gone through several times each: with every level more. */
const BODY_NODE_LIMIT = 200_000

/**
 * Infers what can be known. Unknown operators leave their outputs as the graph states them. An unknown extent of an
 * input gets a symbol of its own, `NAME_dimK`. Throws `bad-shape`, `bad-dtype` or `invalid-graph`, naming the node,
 * where the graph cannot run whatever it is fed, or states what cannot be; `bad-argument` for options that name
 * inputs or symbols that are not there.
 */
export function infer(graph: Graph, options: InferOptions = {}): Inference {
  checkOptions(graph, options)
  const { operators = standard, inputs, symbols = new Map<string, Dim>() } = options
  const walk = new Walk(graph, {
    options,
    operators,
    outermost: graph,
    substitute: type => mapDims(type, dim => substituteDim(dim, symbols)),
    trusting: inputs === undefined || inputs.size === 0,
    bodyNodes: { left: BODY_NODE_LIMIT },
  })
  walk.begin(graph.inputs.map(input => inputType(input, inputs)))
  walk.run()
  const { types, constants, contents } = walk
  return { types, constants, contents }
}

/**
 * The graph with inferred types for all its values, inputs included, so that a file or a dump shows them. Bodies are
 * left as they are.
 */
export function annotate(graph: Graph, inference: Inference = infer(graph)): Graph {
  const typed = (value: Value): Value => {
    const type = inference.types.get(value.name)
    return type === undefined ? value : { ...value, type }
  }
  const ends = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name))
  const values = new Map(graph.values)
  for (const name of graph.nodes.flatMap(node => node.outputs))
    if (!ends.has(name) && inference.types.has(name)) values.set(name, typed({ ...values.get(name), name }))
  return { ...graph, inputs: graph.inputs.map(typed), outputs: graph.outputs.map(typed), values }
}

function inputType(input: Value, given: InferOptions['inputs']): ValueType | undefined {
  const type = given?.get(input.name) ?? input.type
  const shape = type && inputShape({ name: input.name, type })
  return type?.kind === 'tensor' && shape !== undefined ? { ...type, shape } : type
}

function checkOptions(graph: Graph, { inputs, symbols }: InferOptions): void {
  const list = (names: Iterable<string>): string => [...names].map(name => `"${name}"`).join(', ') || 'none'
  const names = new Set(graph.inputs.map(({ name }) => name))
  const wrong = [...(inputs?.keys() ?? [])].find(name => !names.has(name))
  if (wrong !== undefined)
    throw new EspalierError('bad-argument', `the graph has no input "${wrong}"`, { expected: list(names) })
  if (symbols === undefined || symbols.size === 0) return
  const types = graph.inputs.map(input => inputType(input, inputs))
  for (const { type } of [...graph.values.values(), ...graph.outputs]) types.push(type)
  const known = new Set(types.flatMap(symbolsIn))
  const strange = [...symbols.keys()].find(name => !known.has(name))
  if (strange !== undefined)
    throw new EspalierError('bad-argument', `the graph has no symbolic dimension "${strange}"`, {
      expected: list(known),
    })
}

function symbolsIn(type: ValueType | undefined): string[] {
  const symbols: string[] = []
  const collect = (dim: Dim): Dim => {
    symbols.push(...symbolsOf(dim))
    return dim
  }
  if (type !== undefined) mapDims(type, collect)
  return symbols
}

/** What the walks through a graph and its bodies share. */
interface Surroundings {
  readonly options: InferOptions
  readonly operators: Operators
  /** The graph whose operator-set versions hold in bodies too. */
  readonly outermost: Graph
  /** Puts in the values of symbols. */
  substitute(type: ValueType): ValueType
  /** Whether the extents that the graph states hold for the inputs that are given. */
  readonly trusting: boolean
  readonly bodyNodes: { left: number }
}

class Walk {
  readonly types = new Map<string, ValueType>()
  readonly constants = new Map<string, Tensor>()
  readonly contents = new Map<string, readonly Dim[]>()
  readonly #graph: Graph
  readonly #shared: Surroundings
  readonly #outer: Walk | undefined
  /** Values of this graph: they hide those of the same name in graphs around it. */
  readonly #own: ReadonlySet<string>
  readonly #stated = new Map<string, ValueType>()

  constructor(graph: Graph, shared: Surroundings, outer?: Walk) {
    this.#graph = graph
    this.#shared = shared
    this.#outer = outer
    this.#own = new Set(namesMadeBy(graph))
    for (const { name, type } of [...graph.values.values(), ...graph.outputs])
      if (type !== undefined) this.#stated.set(name, this.#shared.substitute(type))
  }

  /** Takes the types of the inputs, and what the graph says of its constants. */
  begin(types: readonly (ValueType | undefined)[]): void {
    for (const [index, { name }] of this.#graph.inputs.entries()) {
      const type = types[index]
      if (type !== undefined) this.types.set(name, this.#shared.substitute(type))
    }
    const defaults = defaultsOf(this.#graph)
    for (const [name, initializer] of this.#graph.initializers) {
      const isDefault = defaults.has(name)
      if (!isDefault || !this.types.has(name))
        this.types.set(name, tensorType(initializer.dtype, initializer.shape))
      if (isDefault) continue // a caller may feed something else
      if (!isSparse(initializer)) this.constants.set(name, initializer)
      else if (sizeOf(initializer.shape) <= FOLD_LIMIT)
        this.constants.set(
          name,
          locate({ tensor: name }, () => denseOf(initializer)),
        )
    }
  }

  run(): void {
    const { onError } = this.#shared.options
    for (const node of this.#graph.nodes)
      try {
        this.#node(node)
      } catch (thrown) {
        const error = thrown instanceof EspalierError ? thrown.at({ node: describeNode(node) }) : thrown
        // An error in a body is one of the node that holds it, which may know better.
        if (!(error instanceof EspalierError) || onError === undefined || this.#outer !== undefined)
          throw error
        onError(error)
        for (const name of node.outputs) if (!this.types.has(name)) this.#takeStated(name)
      }
    for (const { name } of this.#graph.outputs) if (this.#own.has(name)) this.#merge(name)
  }

  outputTypes(): (ValueType | undefined)[] {
    return this.#graph.outputs.map(({ name }) => this.typeOf(name))
  }

  #node(node: Node): void {
    const { operators, outermost, options } = this.#shared
    if (typeof lookUp(operators, outermost, node) !== 'string') {
      const resolved = resolve(operators, outermost, node)
      const context = this.#context(node, resolved)
      options.onNode?.(node, context, resolved)
      const inferred = resolved.op.infer(context)
      for (const [index, name] of node.outputs.entries()) {
        const type = inferred[index]
        if (name !== '' && type !== undefined) this.types.set(name, clean(type))
      }
      if (!this.#fold(node, resolved)) this.#followContents(node, resolved, context)
    }
    for (const name of node.outputs) if (name !== '') this.#merge(name)
  }

  #context(node: Node, resolved: Resolved): InferContext {
    const name = (index: number): string => node.inputs[index] ?? ''
    return inferContext(node, resolved, {
      types: node.inputs.map(input => this.typeOf(input)),
      constant: index => this.constantOf(name(index)),
      content: index => this.contentOf(name(index)),
      inferGraph: (body, inputs) => this.#body(body, inputs),
    })
  }

  #body(body: Graph, inputs: readonly (ValueType | undefined)[]): (ValueType | undefined)[] {
    this.#shared.bodyNodes.left -= body.nodes.length + 1
    if (this.#shared.bodyNodes.left < 0) return []
    const inner = new Walk(body, this.#shared, this)
    inner.begin(body.inputs.map(({ type }, index) => inputs[index] ?? type))
    inner.run()
    return inner.outputTypes()
  }

  /** Computes a node whose inputs are constant and, like its outputs, small. */
  #fold(node: Node, resolved: Resolved): boolean {
    const { op } = resolved
    if (op.impure || bodiesOf(node).length > 0 || !node.outputs.every(name => this.#mayBeSmall(name)))
      return false
    const inputs: (Tensor | undefined)[] = []
    for (const name of node.inputs) {
      const constant = this.constantOf(name)
      if (name !== '' && (constant === undefined || sizeOf(constant.shape) > FOLD_LIMIT)) return false
      inputs.push(constant)
    }
    checkValues(resolved.schema, inputs)
    const surroundings = { runGraph: () => [], random: () => () => 0 } // for other nodes than these
    const outputs = op.evaluate(evaluateContext(node, resolved, inputs, surroundings))
    for (const [index, name] of node.outputs.entries()) {
      const value = outputs[index]
      if (name === '' || !isTensor(value)) continue
      this.types.set(name, tensorType(value.dtype, value.shape))
      if (sizeOf(value.shape) <= FOLD_LIMIT) this.constants.set(name, value)
    }
    return true
  }

  /** Whether a value is a tensor with few elements, as far as its extents are known. */
  #mayBeSmall(name: string): boolean {
    if (name === '') return true
    const type = this.types.get(name)
    if (type?.kind !== 'tensor' || type.shape === undefined) return false
    let size = 1
    for (const extent of type.shape) {
      if (typeof extent === 'string') return false
      size *= extent ?? 1
    }
    return size <= FOLD_LIMIT
  }

  #followContents(node: Node, { op }: Resolved, context: InferContext): void {
    const contents = op.contents?.(context) ?? []
    for (const [index, name] of node.outputs.entries()) {
      const content = contents[index]
      if (name === '' || content === undefined || content.length > FOLD_LIMIT) continue
      const type = this.types.get(name)
      if (type?.kind !== 'tensor') continue
      this.contents.set(name, content)
      const constant = constantOf(type, content)
      if (constant !== undefined) this.constants.set(name, constant)
    }
  }

  typeOf(name: string): ValueType | undefined {
    return this.#own.has(name) ? this.types.get(name) : this.#outer?.typeOf(name)
  }

  constantOf(name: string): Tensor | undefined {
    return this.#own.has(name) ? this.constants.get(name) : this.#outer?.constantOf(name)
  }

  contentOf(name: string): readonly Dim[] | undefined {
    return this.#own.has(name) ? this.contents.get(name) : this.#outer?.contentOf(name)
  }

  /** Joins what the graph states about a value with what was inferred. Throws `invalid-graph` on a contradiction. */
  #merge(name: string): void {
    const [inferred, stated] = [this.types.get(name), this.#stated.get(name)]
    if (stated === undefined) return
    if (inferred === undefined) {
      this.#takeStated(name)
      return
    }
    if (!this.#shared.trusting) return
    const merged = mergeTypes(inferred, stated)
    if (merged === undefined)
      throw new EspalierError('invalid-graph', 'the stated type is not the one that the operators give', {
        where: { tensor: name },
        expected: describeType(inferred),
        got: describeType(stated),
      })
    this.types.set(name, merged)
  }

  #takeStated(name: string): void {
    const stated = this.#stated.get(name)
    if (stated === undefined) return
    this.types.set(name, this.#shared.trusting ? stated : mapDims(stated, () => null))
  }
}

/** Extents that are negative, or that no number counts exactly, cannot be: whatever led to one is unknown. */
function clean(type: ValueType): ValueType {
  return mapDims(type, dim =>
    typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0) ? null : dim,
  )
}

/** The tensor of contents that are all numbers. */
function constantOf(type: ValueType, content: readonly Dim[]): Tensor | undefined {
  if (type.kind !== 'tensor' || type.shape === undefined || type.shape.length > 1) return undefined
  const shape = type.shape.length === 0 ? [] : [content.length]
  if (sizeOf(shape) !== content.length || !content.every(dim => typeof dim === 'number')) return undefined
  const { dtype } = type
  return isInteger(dtype) || isFloat(dtype) || dtype === 'bool'
    ? (fromNumbers(dtype, shape, content) as Tensor)
    : undefined
}
