/** Constant folding: nodes whose inputs are all constant are computed once and become initialisers. */
import { removeUnused } from '../graph/extract.ts'
import { bodiesOf, type Graph, type Node } from '../graph/graph.ts'
import { readsOf } from '../graph/uses.ts'
import { operators as standard } from '../ops/index.ts'
import { interpret } from '../ops/interpret.ts'
import type { Operators } from '../ops/op.ts'
import { byteLength } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { isTensor, type Tensor } from '../tensor/tensor.ts'
import { infer } from './infer.ts'

export interface FoldOptions {
  readonly operators?: Operators
  /**
   * Largest result, in bytes, that may replace smaller inputs: 1 MiB when left out. Results that are not larger than
   * what they are computed from are always folded.
   */
  readonly limit?: number
}

/**
 * The graph with its constant parts computed. Values known from shapes alone (`Shape` of a fixed shape) count as
 * constant. Operators that draw random numbers and operators without an implementation are left alone.
 */
export function foldConstants(graph: Graph, options: FoldOptions = {}): Graph {
  const { operators = standard, limit = 1 << 20 } = options
  const known = new Map(infer(graph, { operators }).constants)
  const folded = new Map<string, Tensor>()
  const nodes = graph.nodes.filter(node => {
    const results = compute(graph, node, known, operators, limit)
    for (const [name, value] of results ?? []) {
      known.set(name, value)
      folded.set(name, value)
    }
    return results === undefined
  })
  if (folded.size === 0) return graph
  return removeUnused({ ...graph, nodes, initializers: new Map([...graph.initializers, ...folded]) })
}

/** Values of a node's outputs; `undefined` when it cannot or should not be computed now. */
function compute(
  graph: Graph,
  node: Node,
  known: ReadonlyMap<string, Tensor>,
  operators: Operators,
  limit: number,
): [string, Tensor][] | undefined {
  const names = node.outputs.filter(name => name !== '')
  if (names.every(name => known.has(name))) return names.map(name => [name, known.get(name)!])
  const reads = readsOf(node)
  if (reads.some(name => !known.has(name)) || !isPure(node, operators)) return undefined
  const feeds = new Map(reads.map(name => [name, known.get(name)!]))
  const bound = Math.max(limit, ...[...feeds.values()].map(bytesOf))
  const piece: Graph = { ...graph, inputs: [], nodes: [node], initializers: new Map() }
  const results: [string, Tensor][] = []
  for (const [name, value] of interpret(piece, feeds, { operators, outputs: names })) {
    if (!isTensor(value) || bytesOf(value) > bound) return undefined
    results.push([name, value])
  }
  return results
}

/** Whether a node gives the same values in every run, its bodies included. */
function isPure(node: Node, operators: Operators): boolean {
  const op = operators.find(node.domain, node.op)
  if (op === undefined || op.impure) return false
  return bodiesOf(node).every(body => body.nodes.every(inner => isPure(inner, operators)))
}

function bytesOf(tensor: Tensor): number {
  return byteLength(tensor.dtype, sizeOf(tensor.shape))
}
