/**
 * The rules a graph obeys whatever its operators mean: unique names, values made before they are used, outputs
 * that exist. What operators ask of their nodes is checked in analysis/.
 */
import { EspalierError } from '../errors.ts'
import { bodiesOf, describeNode, type Graph } from './graph.ts'

/** A broken rule. */
export interface Problem {
  readonly message: string
  /** The node concerned. */
  readonly node?: string
  /** The value concerned. */
  readonly tensor?: string
}

/** Every broken rule of a graph and its bodies. */
export function problemsOf(graph: Graph): Problem[] {
  const problems: Problem[] = []
  if (graph.opsets.size === 0) problems.push({ message: 'the graph imports no operator set' })
  check(graph, new Set(), problems)
  return problems
}

/** Throws one `invalid-graph` that lists every broken rule; returns the graph when there is none. */
export function validate(graph: Graph): Graph {
  const problems = problemsOf(graph)
  if (problems.length === 0) return graph
  const [first] = problems
  const lines = problems.slice(0, 10).map(({ message, node, tensor }) => {
    const place = [node && `node ${node}`, tensor !== undefined && `tensor "${tensor}"`]
      .filter(Boolean)
      .join(', ')
    return `\n  ${place === '' ? '' : `${place}: `}${message}`
  })
  const rest = problems.length > 10 ? `\n  and ${problems.length - 10} more` : ''
  throw new EspalierError(
    'invalid-graph',
    `the graph breaks ${problems.length} rule(s):${lines.join('')}${rest}`,
    {
      where: {
        ...(problems.length === 1 && first!.node !== undefined && { node: first!.node }),
        ...(problems.length === 1 && first!.tensor !== undefined && { tensor: first!.tensor }),
      },
    },
  )
}

function check(graph: Graph, outer: ReadonlySet<string>, problems: Problem[]): void {
  const known = new Set<string>()
  const later = new Set(graph.nodes.flatMap(node => node.outputs))
  const names = new Set<string>()
  for (const { name } of graph.inputs) {
    if (name === '') problems.push({ message: 'an input has no name' })
    if (known.has(name)) problems.push({ message: 'two inputs have this name', tensor: name })
    known.add(name)
  }
  for (const name of graph.initializers.keys()) known.add(name)
  for (const node of graph.nodes) {
    const described = describeNode(node)
    if (node.op === '') problems.push({ message: 'a node has no operator', node: described })
    if (node.name !== '' && names.has(node.name))
      problems.push({ message: 'two nodes have this name', node: described })
    names.add(node.name)
    for (const name of node.inputs) {
      if (name === '' || known.has(name) || outer.has(name)) continue
      const message = later.has(name)
        ? 'the value is used before it is made; the nodes are out of order or form a cycle'
        : 'the value is made by no node, input or initialiser'
      problems.push({ message, node: described, tensor: name })
    }
    for (const body of bodiesOf(node)) check(body, new Set([...outer, ...known]), problems)
    for (const name of node.outputs) {
      if (name === '') continue
      if (known.has(name))
        problems.push({ message: 'the value is made twice', node: described, tensor: name })
      known.add(name)
    }
  }
  for (const { name } of graph.outputs)
    if (!known.has(name) && !outer.has(name))
      problems.push({ message: 'an output is made by no node, input or initialiser', tensor: name })
}
