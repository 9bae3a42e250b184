/** Cutting a piece out of a graph: what lies between named values, and what is left when unused parts go. */
import { EspalierError } from '../errors.ts'
import { type Graph, type Initializer, type Node, tensorType, type Value } from './graph.ts'
import { freshNames } from './names.ts'
import { pieceOf } from './piece.ts'
import { readsOf, usesOf } from './uses.ts'

/**
 * The sub-graph that computes `outputs` from `inputs`, both names of values of the outermost graph. Types are taken
 * from what the graph states (run `annotate` first to have all of them). A constant among the inputs becomes an input
 * without a default. Throws `bad-argument` for unknown names, and one that names every further input of the graph
 * that the outputs need.
 */
export function extract(graph: Graph, inputs: readonly string[], outputs: readonly string[]): Graph {
  const { producer } = usesOf(graph)
  const graphInputs = new Set(graph.inputs.map(({ name }) => name))
  for (const name of [...inputs, ...outputs])
    if (!producer.has(name) && !graphInputs.has(name) && !graph.initializers.has(name))
      throw new EspalierError('bad-argument', 'the graph has no such value', {
        where: { tensor: name },
        hint: 'Values inside bodies of If, Loop and Scan cannot be named',
      })
  const given = new Set(inputs)
  const needed = neededFor(graph, outputs, given)
  const lacking = graph.inputs.filter(
    ({ name }) => needed.names.has(name) && !needed.initializers.has(name) && !producer.has(name),
  )
  if (lacking.length > 0)
    throw new EspalierError(
      'bad-argument',
      'the outputs need inputs of the graph that are not among the given',
      {
        got: lacking.map(({ name }) => `"${name}"`).join(', '),
        hint: 'Add them to the inputs',
      },
    )
  const stated = statedValues(graph)
  const nodes = withoutOutputs(graph, needed.nodes, given)
  return pieceOf(graph, {
    inputs: [...given].map(stated),
    outputs: outputs.map(stated),
    nodes,
    initializers: needed.initializers,
  })
}

/** The graph without nodes and initialisers that no output needs; the same object when there are none. Inputs stay. */
export function removeUnused(graph: Graph): Graph {
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  const outputs = graph.outputs.map(({ name }) => name)
  const needed = neededFor(graph, outputs, inputs)
  const initializers = new Map(
    [...graph.initializers].filter(([name]) => inputs.has(name) || needed.initializers.has(name)),
  )
  if (needed.nodes.length === graph.nodes.length && initializers.size === graph.initializers.size)
    return graph
  return pieceOf(graph, { ...graph, nodes: needed.nodes, initializers })
}

/** What `outputs` are computed from, back to the values in `given`. */
function neededFor(
  graph: Graph,
  outputs: readonly string[],
  given: ReadonlySet<string>,
): {
  readonly names: ReadonlySet<string>
  /** In the order of the graph. */
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Initializer>
} {
  const { producer } = usesOf(graph)
  const nodes = new Set<Node>()
  const names = new Set<string>()
  const pending = [...outputs]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (names.has(name) || given.has(name)) continue
    names.add(name)
    const maker = producer.get(name)
    if (maker === undefined || nodes.has(maker)) continue
    nodes.add(maker)
    for (const read of readsOf(maker)) pending.push(read)
  }
  return {
    names,
    nodes: graph.nodes.filter(node => nodes.has(node)),
    initializers: new Map([...graph.initializers].filter(([name]) => names.has(name))),
  }
}

/** Looks up what the graph states of a value. */
function statedValues(graph: Graph): (name: string) => Value {
  const values = new Map(graph.values)
  for (const value of [...graph.inputs, ...graph.outputs]) values.set(value.name, value)
  return name => {
    const constant = graph.initializers.get(name)
    const type = constant && { type: tensorType(constant.dtype, constant.shape) }
    return values.get(name) ?? { name, ...type }
  }
}

/** Nodes that make one of the `given` values beside one that is needed: the given one is made under another name. */
function withoutOutputs(graph: Graph, nodes: readonly Node[], given: ReadonlySet<string>): readonly Node[] {
  if (!nodes.some(node => node.outputs.some(name => given.has(name)))) return nodes
  const fresh = freshNames(graph)
  return nodes.map(node =>
    node.outputs.some(name => given.has(name))
      ? { ...node, outputs: node.outputs.map(name => (given.has(name) ? fresh(`${name}_unused`) : name)) }
      : node,
  )
}
