/** Constant folding: nodes whose inputs are all constant are computed once and become initialisers. */
import { EspalierError } from '../errors.ts'
import { removeUnused } from '../graph/extract.ts'
import { bodiesOf, type Dim, type Graph, type Node, normalizeDomain, type ValueType } from '../graph/graph.ts'
import { inlineBody } from '../graph/inline.ts'
import { freshNames } from '../graph/names.ts'
import { pieceOf } from '../graph/piece.ts'
import { readsOf } from '../graph/uses.ts'
import { operators as standard } from '../ops/index.ts'
import { interpret } from '../ops/interpret.ts'
import type { Operators } from '../ops/op.ts'
import { byteLength } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { isTensor, type Tensor } from '../tensor/tensor.ts'
import { type Inference, infer } from './infer.ts'

export interface FoldOptions {
  readonly operators?: Operators
  /**
   * Largest result, in bytes, that may replace smaller inputs: 1 MiB when left out. Results that are not larger than
   * what they are computed from are always folded.
   */
  readonly limit?: number
}

/** Most multiply-accumulates of a node that is computed: about a second on the reference evaluations. */
const MACS_LIMIT = 1e8

/** Most iterations of a loop that is computed. */
const ITERATION_LIMIT = 10_000

/**
 * The graph with its constant parts computed; the same object when there are none. Values known from shapes alone
 * (`Shape` of a fixed shape) count as constant, and an `If` whose condition is constant gives way to its branch.
 *
 * Left as they are: operators that draw random numbers, operators without an implementation, nodes that fail when they are
 * computed, whatever takes too long, nodes in bodies, and `DequantizeLinear` with what depends on it, since computing it
 * would turn a quantised weight into a float one. Throws what {@link infer} does.
 */
export function foldConstants(graph: Graph, options: FoldOptions = {}): Graph {
  return foldWithTypes(graph, options).graph
}

/** As {@link foldConstants}, with what inference found on the way, which holds for the result too. */
export function foldWithTypes(
  graph: Graph,
  options: FoldOptions = {},
): { readonly graph: Graph; readonly inference: Inference } {
  const { operators = standard, limit = 1 << 20 } = options
  let current = graph
  for (;;) {
    const facts = factsOf(current, operators)
    const next = chooseBranches(current, facts)
    if (next === current) return { graph: computeNodes(current, facts, operators, limit), inference: facts }
    current = next
  }
}

/** What inference tells about folding. */
interface Facts extends Inference {
  readonly macs: ReadonlyMap<Node, Dim>
}

function factsOf(graph: Graph, operators: Operators): Facts {
  const macs = new Map<Node, Dim>()
  const inference = infer(graph, {
    operators,
    onNode: (node, context, { op }) => {
      if (op.macs !== undefined) macs.set(node, op.macs(context))
    },
  })
  return { ...inference, macs }
}

/** Puts the branch that is taken into the place of every `If` whose condition is known. */
function chooseBranches(graph: Graph, { constants }: Facts): Graph {
  const chosen = new Map<Node, Graph>()
  for (const node of graph.nodes) {
    const branch = branchTaken(node, constants)
    if (branch !== undefined) chosen.set(node, branch)
  }
  if (chosen.size === 0) return graph
  const fresh = freshNames({ ...graph, nodes: graph.nodes.filter(node => !chosen.has(node)) })
  const initializers = new Map(graph.initializers)
  const values = new Map(graph.values)
  const nodes = graph.nodes.flatMap(node => {
    const branch = chosen.get(node)
    if (branch === undefined) return [node]
    const inlined = inlineBody(branch, node.outputs, fresh)
    for (const [name, value] of inlined.initializers) initializers.set(name, value)
    for (const [name, value] of inlined.values) if (!values.has(name)) values.set(name, value)
    return inlined.nodes
  })
  const { inputs, outputs } = graph
  return removeUnused(pieceOf({ ...graph, values }, { inputs, outputs, nodes, initializers }))
}

function branchTaken(node: Node, constants: ReadonlyMap<string, Tensor>): Graph | undefined {
  if (node.op !== 'If' || normalizeDomain(node.domain) !== '') return undefined
  const condition = constants.get(node.inputs[0] ?? '')
  if (condition?.dtype !== 'bool' || condition.data.length !== 1) return undefined
  const branch = node.attributes.get(condition.data[0] ? 'then_branch' : 'else_branch')
  if (branch?.type !== 'graph' || branch.value.inputs.length > 0) return undefined
  return branch.value.outputs.length >= node.outputs.length ? branch.value : undefined
}

function computeNodes(graph: Graph, facts: Facts, operators: Operators, limit: number): Graph {
  const known = new Map(facts.constants)
  const folded = new Map<string, Tensor>()
  /** Values that inference knows and that are made by nodes which are left alone all the same. */
  const left = new Set<string>()
  const nodes = graph.nodes.filter(node => {
    const leave = node.op === 'DequantizeLinear' || readsOf(node).some(name => left.has(name))
    const results = leave ? undefined : compute(graph, node, known, facts, operators, limit)
    if (results === undefined) for (const name of node.outputs) if (known.delete(name)) left.add(name)
    for (const [name, value] of results ?? []) {
      known.set(name, value)
      folded.set(name, value)
    }
    return results === undefined
  })
  if (folded.size === 0) return graph
  const { inputs, outputs } = graph
  const initializers = new Map([...graph.initializers, ...folded])
  return removeUnused(pieceOf(graph, { inputs, outputs, nodes, initializers }))
}

/** Values of a node's outputs; `undefined` when it cannot or should not be computed now. */
function compute(
  graph: Graph,
  node: Node,
  known: ReadonlyMap<string, Tensor>,
  { types, macs }: Facts,
  operators: Operators,
  limit: number,
): [string, Tensor][] | undefined {
  const names = node.outputs.filter(name => name !== '')
  if (names.every(name => known.has(name))) return names.map(name => [name, known.get(name)!])
  const reads = readsOf(node)
  if (reads.some(name => !known.has(name)) || !isPure(node, operators)) return undefined
  const feeds = new Map(reads.map(name => [name, known.get(name)!]))
  // What a Constant holds is there already and only changes its place.
  const bound = node.op === 'Constant' ? Number.POSITIVE_INFINITY : largest(feeds.values(), limit)
  const cost = macs.get(node) ?? 0
  if (typeof cost !== 'number' || cost > MACS_LIMIT) return undefined
  if (names.some(name => leastBytes(types.get(name)) > bound)) return undefined
  const piece: Graph = { ...graph, inputs: [], nodes: [node], initializers: new Map() }
  const results: [string, Tensor][] = []
  for (const [name, value] of attempt(piece, feeds, operators, names) ?? []) {
    if (!isTensor(value) || bytesOf(value) > bound) return undefined
    results.push([name, value])
  }
  return results.length === names.length ? results : undefined
}

/** The values of `outputs`; `undefined` where an operator refuses. */
function attempt(
  piece: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  operators: Operators,
  outputs: readonly string[],
): ReturnType<typeof interpret> | undefined {
  try {
    return interpret(piece, feeds, { operators, outputs, maxIterations: ITERATION_LIMIT })
  } catch (error) {
    if (error instanceof EspalierError) return undefined
    throw error
  }
}

/** Whether a node gives the same values in every run, its bodies included. */
function isPure(node: Node, operators: Operators): boolean {
  const op = operators.find(node.domain, node.op)
  if (op === undefined || op.impure) return false
  return bodiesOf(node).every(body => body.nodes.every(inner => isPure(inner, operators)))
}

/** The most bytes that one of `tensors` takes, `least` at least. */
function largest(tensors: Iterable<Tensor>, least: number): number {
  let most = least
  for (const tensor of tensors) most = Math.max(most, bytesOf(tensor))
  return most
}

function bytesOf(tensor: Tensor): number {
  return byteLength(tensor.dtype, sizeOf(tensor.shape))
}

/** Bytes of a value as far as its extents are known, with 1 for those that are not. */
function leastBytes(type: ValueType | undefined): number {
  if (type?.kind !== 'tensor' || type.shape === undefined) return 0
  let count = 1
  for (const extent of type.shape) if (typeof extent === 'number') count *= extent
  return byteLength(type.dtype, count)
}
