/** Bringing nodes into an order in which every value is made before it is used. */
import { EspalierError } from '../errors.ts'
import { describeNode, type Graph, type Node } from './graph.ts'
import { readsOf, usesOf } from './uses.ts'

/**
 * The graph with its nodes in topological order: a node that comes too late is moved before the first one that needs
 * it, the others stay. Bodies are left as they are. Throws `invalid-graph` that names the nodes of a cycle.
 */
export function sortNodes(graph: Graph): Graph {
  if (isSorted(graph)) return graph
  const { producer } = usesOf(graph)
  const done = new Set<Node>()
  const sorted: Node[] = []
  for (const root of graph.nodes) visit(root, producer, done, sorted)
  return { ...graph, nodes: sorted }
}

/** Whether no node reads what a later one makes. */
function isSorted({ nodes }: Graph): boolean {
  const { producer } = usesOf({ nodes })
  const done = new Set<Node>()
  for (const node of nodes) {
    for (const name of readsOf(node)) {
      const maker = producer.get(name)
      if (maker !== undefined && !done.has(maker)) return false
    }
    done.add(node)
  }
  return true
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
    if (path.has(maker)) throw cycleError([...path], maker, name)
    path.add(maker)
    stack.push({ node: maker, reads: readsOf(maker), next: 0 })
  }
}

/** Most nodes of a cycle that are named. */
const NAMED = 10

/** `path` leads from a node to one that it needs, and ends with one that needs `maker` on it, for the value `name`. */
function cycleError(path: readonly Node[], maker: Node, name: string): EspalierError {
  const cycle = path.slice(path.indexOf(maker)).map(describeNode)
  const [first] = cycle
  const others = cycle.slice(1).reverse()
  const shown = others.length < NAMED ? others : [...others.slice(0, NAMED), `${others.length - NAMED} more`]
  return new EspalierError(
    'invalid-graph',
    `nodes feed each other in a cycle: ${[first, ...shown, first].join(' -> ')}`,
    { where: { tensor: name } },
  )
}
