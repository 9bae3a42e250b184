/**
 * Chooses the order of axes: convolutions and pools become the project's own, which have their channels last, and what
 * stands between them is computed in that order too. One walk in the order of the graph: a value of shape [N, C,
 * ...spatial] may have a *twin* [N, ...spatial, C]. Operators that do not care about the order take and make twins; one
 * that does gets the value itself, through a Transpose that is made when it is first needed, and through a Reshape where
 * transposing moves nothing. Transposes that the graph has between both orders are taken for what they are, so that
 * pairs of them vanish.
 *
 * Types of all values are expected to be in the graph (`annotate`); where a shape is not known, nothing is done.
 */
import { attributeOf, type PlainAttribute } from '../../graph/builder.ts'
import { removeUnused } from '../../graph/extract.ts'
import {
  bodiesOf,
  type Dim,
  type Graph,
  type Initializer,
  isSparse,
  type Node,
  operatorName,
  type TensorType,
  type Value,
  type ValueType,
} from '../../graph/graph.ts'
import { defaultsOf } from '../../graph/inputs.ts'
import { freshNames } from '../../graph/names.ts'
import { capturesOf, usesOf } from '../../graph/uses.ts'
import { opsetOf } from '../../ops/registry.ts'
import {
  espalierDomain,
  channelsLast as lastTensor,
  permuted,
  toFirst,
  toLast,
} from '../../ops/support/channels-last.ts'
import { int64, type Tensor } from '../../tensor/tensor.ts'
import { layoutRules } from './channels-last/rules.ts'
import { startsLayout } from './channels-last/windows.ts'

/** What a rule may ask and do. Rules see names of the old graph; `Layout` knows what became of them. */
export interface Layout {
  /** Version of ONNX's operator set. */
  readonly opset: number
  type(name: string): TensorType | undefined
  shape(name: string): readonly Dim[] | undefined
  /** A constant that no caller can override. */
  constant(name: string): Tensor | undefined
  /** Nodes of the old graph that read a value; undefined when it is an output of the graph too. */
  readers(name: string): readonly Node[] | undefined
  /** Whether a value was computed with its channels last: its twin costs nothing. */
  isLast(name: string): boolean
  /** The twin of a value of rank 3 or more, made where there is none. */
  last(name: string): string
  /** The value itself in the new graph, made from its twin where need be; `''` stays `''`. */
  plain(name: string): string
  /** The name for the twin of an output that the next node makes. */
  twinOf(output: string): string
  /** Says that `output` has its channels last in `value`, which exists. */
  setTwin(output: string, value: string): void
  /** Says that `output` is the same as `value` of the new graph. */
  alias(output: string, value: string): void
  /** Says that a value is made by `node`, once it is asked for in its own order. */
  defer(node: Node): void
  /** Adds a node. */
  add(node: Node): void
  /** Adds a node of ONNX's own set. Its output is new when not named; `type` is that of the output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, PlainAttribute>>,
    result: { readonly output?: string; readonly type?: ValueType | undefined },
  ): string
  addConstant(value: Tensor, stem: string): string
  /** Says that a node needs no treatment any more: a rule has dealt with it. */
  skip(node: Node): void
}

/** Deals with a node, or says false; then it is kept as it is. */
export type LayoutRule = (layout: Layout, node: Node) => boolean

/** The graph with channels last wherever that serves. The graph itself when it has nothing to gain. */
export function channelsLast(graph: Graph): Graph {
  return graph.nodes.some(startsLayout) ? new Walk(graph).run() : graph
}

class Walk implements Layout {
  readonly opset: number
  readonly #graph: Graph
  readonly #types = new Map<string, ValueType>()
  readonly #initializers: Map<string, Initializer>
  readonly #defaults: ReadonlySet<string>
  readonly #outputs: ReadonlySet<string>
  readonly #consumers: ReadonlyMap<string, readonly Node[]>
  readonly #fresh: (stem: string) => string
  readonly #nodes: Node[] = []
  /** The twin of a value of the old graph. */
  readonly #twins = new Map<string, string>()
  /** Values that exist with their channels last alone, as yet. */
  readonly #absent = new Set<string>()
  /** Values whose twin came first. */
  readonly #homes = new Set<string>()
  readonly #deferred = new Map<string, Node>()
  readonly #aliases = new Map<string, string>()
  readonly #skipped = new Set<Node>()

  constructor(graph: Graph) {
    this.#graph = graph
    this.opset = opsetOf(graph, '') ?? 1
    for (const { name, type } of [...graph.inputs, ...graph.outputs, ...graph.values.values()])
      if (type !== undefined) this.#types.set(name, type)
    this.#initializers = new Map(graph.initializers)
    this.#defaults = defaultsOf(graph)
    this.#outputs = new Set(graph.outputs.map(({ name }) => name))
    this.#consumers = usesOf(graph).consumers
    this.#fresh = freshNames(graph)
  }

  run(): Graph {
    for (const node of this.#graph.nodes) {
      if (this.#skipped.has(node)) continue
      const rules = layoutRules.get(operatorName(node)) ?? []
      if (!rules.some(rule => rule(this, node))) this.#keep(node)
    }
    for (const name of this.#outputs) this.#makeOutput(name)
    const graph = this.#graph
    return removeUnused({
      ...graph,
      nodes: this.#nodes,
      initializers: this.#initializers,
      values: this.#values(),
      opsets: new Map([...graph.opsets, [espalierDomain, 1]]),
    })
  }

  type(name: string): TensorType | undefined {
    const type = this.#types.get(name)
    if (type !== undefined) return type.kind === 'tensor' ? type : undefined
    const constant = this.constant(name)
    return constant && { kind: 'tensor', dtype: constant.dtype, shape: constant.shape }
  }

  shape(name: string): readonly Dim[] | undefined {
    return this.type(name)?.shape
  }

  constant(name: string): Tensor | undefined {
    const value = this.#defaults.has(name) ? undefined : this.#initializers.get(name)
    return value === undefined || isSparse(value) ? undefined : value
  }

  readers(name: string): readonly Node[] | undefined {
    return this.#outputs.has(name) ? undefined : (this.#consumers.get(name) ?? [])
  }

  isLast(name: string): boolean {
    return this.#homes.has(name)
  }

  last(name: string): string {
    const twin = this.#twins.get(name)
    if (twin !== undefined) return twin
    const made = this.#makeTwin(name)
    this.#twins.set(name, made)
    return made
  }

  #makeTwin(name: string): string {
    const constant = this.constant(name)
    if (constant !== undefined) return this.addConstant(lastTensor(constant), `${name}_last`)
    const type = this.type(name)
    const shape = type!.shape!
    const turned = { ...type!, shape: permuted(shape, toLast(shape.length)) }
    return this.#turn(this.plain(name), shape, toLast(shape.length), this.#fresh(`${name}_last`), turned)
  }

  plain(name: string): string {
    const alias = this.#aliases.get(name)
    if (alias !== undefined) return alias
    if (!this.#absent.delete(name)) return name
    const deferred = this.#deferred.get(name)
    if (deferred !== undefined) {
      this.#keep(deferred)
      return name
    }
    const type = this.type(name)
    const shape = type!.shape!
    const turned = permuted(shape, toLast(shape.length))
    return this.#turn(this.#twins.get(name)!, turned, toFirst(shape.length), name, type)
  }

  /** Transposes a value of `shape`: by a Reshape where the elements stay where they are. */
  #turn(
    from: string,
    shape: readonly Dim[],
    perm: number[],
    output: string,
    type: ValueType | undefined,
  ): string {
    const target = reshapeTarget(shape, perm)
    if (target === undefined) return this.node('Transpose', [from], { perm }, { output, type })
    const name = this.addConstant(int64(target), `${output}_shape`)
    return this.node('Reshape', [from, name], {}, { output, type })
  }

  twinOf(output: string): string {
    const type = this.type(output)
    const name = this.#fresh(`${output}_last`)
    this.setTwin(output, name)
    if (type?.shape !== undefined)
      this.#types.set(name, { ...type, shape: permuted(type.shape, toLast(type.shape.length)) })
    return name
  }

  setTwin(output: string, value: string): void {
    this.#twins.set(output, value)
    this.#homes.add(output)
    this.#absent.add(output)
  }

  alias(output: string, value: string): void {
    this.#aliases.set(output, value)
  }

  defer(node: Node): void {
    for (const output of node.outputs) this.#deferred.set(output, node)
  }

  add(node: Node): void {
    this.#nodes.push(node)
  }

  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, PlainAttribute>>,
    { output, type }: { readonly output?: string; readonly type?: ValueType | undefined },
  ): string {
    const name = output ?? this.#fresh(`${inputs[0]}_${op.toLowerCase()}`)
    if (type !== undefined) this.#types.set(name, type)
    const entries = Object.entries(attributes).map(([key, value]) => [key, attributeOf(key, value)] as const)
    const own = this.#fresh(`${name}_${op.toLowerCase()}`)
    this.add({ name: own, op, domain: '', inputs, outputs: [name], attributes: new Map(entries) })
    return name
  }

  addConstant(value: Tensor, stem: string): string {
    const name = this.#fresh(stem)
    this.#initializers.set(name, value)
    return name
  }

  skip(node: Node): void {
    this.#skipped.add(node)
  }

  /** A node as it is, on values in their own order. What its bodies capture is looked up by name and must exist. */
  #keep(node: Node): void {
    for (const body of bodiesOf(node))
      for (const name of capturesOf(body)) {
        const value = this.plain(name)
        if (value !== name) {
          this.#aliases.delete(name)
          this.node('Identity', [value], {}, { output: name })
        }
      }
    this.add({ ...node, inputs: node.inputs.map(name => this.plain(name)) })
  }

  #makeOutput(name: string): void {
    const value = this.plain(name)
    if (value !== name) this.node('Identity', [value], {}, { output: name })
  }

  /** Types of the values that the new graph makes. */
  #values(): Map<string, Value> {
    const ends = new Set([...this.#graph.inputs.map(({ name }) => name), ...this.#outputs])
    const values = new Map<string, Value>()
    for (const name of this.#nodes.flatMap(node => node.outputs)) {
      if (name === '' || ends.has(name)) continue
      const type = this.#types.get(name)
      const stated = this.#graph.values.get(name)
      if (type !== undefined || stated !== undefined)
        values.set(name, { ...stated, name, ...(type && { type }) })
    }
    return values
  }
}

/**
 * The shape for a Reshape that does what transposing a value of `shape` by `perm` does; `undefined` when elements move.
 * They stay where all axes but one of those that change their order have extent 1.
 */
function reshapeTarget(shape: readonly Dim[], perm: readonly number[]): number[] | undefined {
  const moving = perm.filter(axis => shape[axis] !== 1)
  if (moving.some((axis, k) => k > 0 && axis < moving[k - 1]!)) return undefined
  // The batch comes first in both orders; 0 keeps it, whatever it is.
  const target = perm.map((axis, k) => (k === 0 ? 0 : extentFor(shape[axis]!)))
  const unknown = target.filter(extent => extent === -1).length
  return unknown <= 1 && !shape.includes(0) ? target : undefined
}

/** An extent as Reshape takes it: -1 where it is not known. */
function extentFor(dim: Dim): number {
  return typeof dim === 'number' ? dim : -1
}
