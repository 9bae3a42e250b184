/**
 * Who makes and who uses each value of a graph. Bodies count as part of the node that holds them: what they take from
 * outside, the node reads.
 */
import { bodiesOf, type Graph, type Node } from './graph.ts'

/** Names that a node reads from the graph it stands in: its inputs, and what its bodies take from outside. */
export function readsOf(node: Node): readonly string[] {
  const { inputs } = node
  const bodies = bodiesOf(node)
  if (bodies.length === 0) return inputs.includes('') ? inputs.filter(name => name !== '') : inputs
  return [...inputs.filter(name => name !== ''), ...bodies.flatMap(capturesOf)]
}

const captures = new WeakMap<Graph, readonly string[]>()

/** Names that a body takes from the graphs around it, each once. */
export function capturesOf(body: Graph): readonly string[] {
  let names = captures.get(body)
  if (names === undefined) {
    names = findCaptures(body)
    captures.set(body, names)
  }
  return names
}

function findCaptures(body: Graph): string[] {
  const own = new Set(namesMadeBy(body))
  const captured = new Set<string>()
  for (const node of body.nodes) for (const name of readsOf(node)) if (!own.has(name)) captured.add(name)
  for (const { name } of body.outputs) if (!own.has(name)) captured.add(name)
  return [...captured]
}

/** Names of the values that a graph itself holds: inputs, initialisers and outputs of nodes. */
export function* namesMadeBy(graph: Graph): Generator<string> {
  for (const { name } of graph.inputs) yield name
  yield* graph.initializers.keys()
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== '') yield name
}

export interface Uses {
  /** The node that makes a value. */
  readonly producer: ReadonlyMap<string, Node>
  /** The nodes that read a value, in order, each once. Being an output of the graph is no use by a node. */
  readonly consumers: ReadonlyMap<string, readonly Node[]>
}

/** By the list of nodes: graphs that differ in other things share it. */
const found = new WeakMap<readonly Node[], Uses>()

/** Producers and consumers of every value. */
export function usesOf({ nodes }: Pick<Graph, 'nodes'>): Uses {
  let uses = found.get(nodes)
  if (uses === undefined) {
    uses = findUses(nodes)
    found.set(nodes, uses)
  }
  return uses
}

function findUses(nodes: readonly Node[]): Uses {
  const producer = new Map<string, Node>()
  const consumers = new Map<string, Node[]>()
  for (const node of nodes) {
    for (const name of node.outputs) if (name !== '') producer.set(name, node)
    for (const name of readsOf(node)) {
      const list = consumers.get(name)
      if (list === undefined) consumers.set(name, [node])
      else if (list.at(-1) !== node) list.push(node)
    }
  }
  return { producer, consumers }
}
