/** A part of a graph as a graph: what is said of its values and constants comes along, what is said of others does not. */
import type { Graph } from './graph.ts'

export function pieceOf(
  graph: Graph,
  part: Pick<Graph, 'inputs' | 'outputs' | 'nodes' | 'initializers'>,
): Graph {
  const { inputs, outputs, nodes, initializers } = part
  const ends = new Set([...inputs, ...outputs].map(({ name }) => name))
  const made = new Set(nodes.flatMap(node => node.outputs))
  const fields = graph.initializerFields
  return {
    ...graph,
    inputs,
    outputs,
    nodes,
    initializers,
    values: new Map([...graph.values].filter(([name]) => made.has(name) && !ends.has(name))),
    ...(fields && { initializerFields: new Map([...fields].filter(([name]) => initializers.has(name))) }),
  }
}
