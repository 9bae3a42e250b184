/** Who makes and who uses each value of a graph, uses inside bodies counted. */
import { bodiesOf, type Graph, type Node } from './graph.ts'

/** Names that a node reads from the graph it stands in: its inputs, and what its bodies take from outside. */
export function readsOf(node: Node): string[] {
  const names = node.inputs.filter(name => name !== '')
  for (const body of bodiesOf(node)) names.push(...capturesOf(body))
  return names
}

/** Names that a body takes from the graphs around it. */
export function capturesOf(body: Graph): string[] {
  const own = new Set<string>([...body.inputs.map(({ name }) => name), ...body.initializers.keys()])
  for (const node of body.nodes) for (const name of node.outputs) own.add(name)
  const captured = new Set<string>()
  for (const node of body.nodes) for (const name of readsOf(node)) if (!own.has(name)) captured.add(name)
  for (const { name } of body.outputs) if (!own.has(name)) captured.add(name)
  return [...captured]
}

export interface Uses {
  /** The node that makes a value. */
  readonly producer: ReadonlyMap<string, Node>
  /** The nodes that read a value, in order, each once. */
  readonly consumers: ReadonlyMap<string, readonly Node[]>
}

/** Producers and consumers of every value. */
export function usesOf(graph: Graph): Uses {
  const producer = new Map<string, Node>()
  const consumers = new Map<string, Node[]>()
  for (const node of graph.nodes) {
    for (const name of node.outputs) if (name !== '') producer.set(name, node)
    for (const name of new Set(readsOf(node))) {
      const list = consumers.get(name)
      if (list === undefined) consumers.set(name, [node])
      else list.push(node)
    }
  }
  return { producer, consumers }
}
