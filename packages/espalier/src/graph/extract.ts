/** Cutting a piece out of a graph: what lies between named values, and what is left when unused parts go. */
import { EspalierError } from '../errors.ts'
import type { Graph, Initializer, Node, Value } from './graph.ts'
import { readsOf, usesOf } from './uses.ts'

/**
 * The sub-graph that computes `outputs` from `inputs`, both names of values. Types are taken from what the graph
 * states (run `annotate` first to have all of them). Throws `bad-argument` for unknown names and when an output
 * needs an input of the graph that is not among `inputs`.
 */
export function extract(graph: Graph, inputs: readonly string[], outputs: readonly string[]): Graph {
  const { producer } = usesOf(graph)
  const graphInputs = new Map(graph.inputs.map(value => [value.name, value]))
  const stated = new Map<string, Value>([...graph.values, ...graphInputs])
  for (const value of graph.outputs) stated.set(value.name, value)
  for (const name of [...inputs, ...outputs])
    if (!producer.has(name) && !graphInputs.has(name) && !graph.initializers.has(name))
      throw new EspalierError('bad-argument', 'the graph has no such value', { where: { tensor: name } })
  const given = new Set(inputs)
  const needed = new Set<Node>()
  const initializers = new Map<string, Initializer>()
  const pending = [...outputs]
  const seen = new Set<string>()
  while (pending.length > 0) {
    const name = pending.pop()!
    if (seen.has(name) || given.has(name)) continue
    seen.add(name)
    const constant = graph.initializers.get(name)
    const maker = producer.get(name)
    if (maker !== undefined) {
      needed.add(maker)
      pending.push(...readsOf(maker))
    } else if (constant !== undefined) initializers.set(name, constant)
    else if (graphInputs.has(name))
      throw new EspalierError('bad-argument', 'the outputs need an input that is not among the given ones', {
        where: { tensor: name },
        hint: 'Add it to the inputs',
      })
  }
  const statedValue = (name: string): Value => stated.get(name) ?? { name }
  const nodes = graph.nodes.filter(node => needed.has(node))
  const made = new Set(nodes.flatMap(node => node.outputs))
  return {
    ...graph,
    inputs: inputs.map(statedValue),
    outputs: outputs.map(statedValue),
    nodes,
    initializers,
    values: new Map([...graph.values].filter(([name]) => made.has(name) && !outputs.includes(name))),
  }
}

/** The graph without nodes and initialisers that no output needs. Its inputs stay, used or not. */
export function removeUnused(graph: Graph): Graph {
  const names = graph.inputs.map(({ name }) => name)
  const kept = extract(
    graph,
    names,
    graph.outputs.map(({ name }) => name),
  )
  if (kept.nodes.length === graph.nodes.length && kept.initializers.size === graph.initializers.size) {
    const defaults = names.some(name => graph.initializers.has(name))
    if (!defaults) return graph
  }
  const initializers = new Map(
    [...graph.initializers].filter(([name]) => kept.initializers.has(name) || names.includes(name)),
  )
  return { ...kept, initializers }
}
