/**
 * The rules a graph obeys whatever its operators mean: unique names, values made before they are used, outputs
 * that exist. What operators ask of their nodes is checked in analysis/. Bodies see the values around them; one that
 * gives a value of its own the name of one outside hides that, as scopes do.
 */
import { EspalierError } from '../errors.ts'
import { bodiesOf, describeNode, type Graph, type Node } from './graph.ts'

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
  check(graph, () => false, problems)
  return problems
}

/** Throws one `invalid-graph` that lists every broken rule; returns the graph when there is none. */
export function validate(graph: Graph): Graph {
  const problems = problemsOf(graph)
  if (problems.length === 0) return graph
  throw errorOf(problems)
}

/** Most problems that a message lists. */
const LISTED = 10

/** One error for all of `problems`: that of the only one, or a list. */
function errorOf(problems: readonly Problem[]): EspalierError {
  const errors = problems.map(
    ({ message, node, tensor }) =>
      new EspalierError('invalid-graph', message, {
        where: { ...(node !== undefined && { node }), ...(tensor !== undefined && { tensor }) },
      }),
  )
  if (errors.length === 1) return errors[0]!
  const lines = errors.slice(0, LISTED).map(({ message }) => `\n  ${message}`)
  const rest = errors.length > LISTED ? `\n  and ${errors.length - LISTED} more` : ''
  return new EspalierError(
    'invalid-graph',
    `${errors.length} things are wrong with the graph:${lines.join('')}${rest}`,
  )
}

/** `outer` tells whether the graphs around this one have made a value by now; `holder` is the node of a body. */
function check(graph: Graph, outer: (name: string) => boolean, problems: Problem[], holder?: Node): void {
  const known = new Set<string>()
  const later = new Set(graph.nodes.flatMap(node => node.outputs))
  const names = new Set<string>()
  const of = holder === undefined ? '' : ` of the body "${graph.name}"`
  const say = (message: string, tensor?: string, node = holder): void => {
    problems.push({
      message,
      ...(node !== undefined && { node: describeNode(node) }),
      ...(tensor !== undefined && { tensor }),
    })
  }
  for (const { name } of graph.inputs) {
    if (name === '') say(`an input${of} has no name`)
    else if (known.has(name)) say(`two inputs${of} have this name`, name)
    known.add(name)
  }
  for (const name of graph.initializers.keys()) {
    if (name === '') say(`an initialiser${of} has no name`)
    known.add(name)
  }
  for (const node of graph.nodes) {
    if (node.op === '') say('the node has no operator', undefined, node)
    if (node.name !== '' && names.has(node.name)) say('two nodes have this name', undefined, node)
    names.add(node.name)
    for (const name of node.inputs) {
      if (name === '' || known.has(name)) continue
      // Also where a graph around has a value of that name: one name would mean two values in one graph.
      if (later.has(name))
        say('the value is used before it is made; the nodes are out of order or form a cycle', name, node)
      else if (!outer(name)) say('the value is made by no node, input or initialiser', name, node)
    }
    for (const body of bodiesOf(node)) check(body, name => known.has(name) || outer(name), problems, node)
    for (const name of node.outputs) {
      if (name === '') continue
      if (known.has(name)) say('the value is made twice', name, node)
      known.add(name)
    }
  }
  for (const { name } of graph.outputs) {
    if (name === '') say(`an output${of} has no name`)
    else if (!known.has(name) && !outer(name))
      say(`an output${of} is made by no node, input or initialiser`, name)
  }
}
