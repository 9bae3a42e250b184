/** Bringing nodes into an order in which every value is made before it is used. */
import { EspalierError } from '../errors.ts'
import { describeNode, type Graph, type Node } from './graph.ts'
import { readsOf, usesOf } from './uses.ts'

/**
 * The graph with its nodes in topological order; nodes that may stand in any order keep theirs. Throws
 * `invalid-graph` that names the nodes of a cycle.
 */
export function sortNodes(graph: Graph): Graph {
  const { producer } = usesOf(graph)
  const done = new Set<Node>()
  const sorted: Node[] = []
  for (const root of graph.nodes) visit(root, producer, done, sorted)
  const unchanged = sorted.every((node, index) => node === graph.nodes[index])
  return unchanged ? graph : { ...graph, nodes: sorted }
}

/** Depth first along the inputs, with a stack of its own: real graphs are deeper than the call stack. */
function visit(root: Node, producer: ReadonlyMap<string, Node>, done: Set<Node>, sorted: Node[]): void {
  if (done.has(root)) return
  const path = new Set([root])
  const stack = [{ node: root, reads: readsOf(root), next: 0 }]
  while (stack.length > 0) {
    const top = stack.at(-1)!
    const name = top.reads[top.next++]
    if (name === undefined) {
      stack.pop()
      path.delete(top.node)
      done.add(top.node)
      sorted.push(top.node)
      continue
    }
    const maker = producer.get(name)
    if (maker === undefined || done.has(maker)) continue
    if (path.has(maker)) {
      const cycle = [...path].slice([...path].indexOf(maker)).map(describeNode)
      throw new EspalierError('invalid-graph', `nodes feed each other in a cycle: ${cycle.join(' -> ')}`, {
        where: { tensor: name },
      })
    }
    path.add(maker)
    stack.push({ node: maker, reads: readsOf(maker), next: 0 })
  }
}
