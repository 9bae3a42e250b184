/** Names that nothing in a graph has yet. */
import { bodiesOf, type Graph } from './graph.ts'

/** Every name in a graph and its bodies, of values and of nodes. */
export function namesIn(graph: Graph): Set<string> {
  const names = new Set<string>()
  collect(graph, names)
  return names
}

function collect(graph: Graph, names: Set<string>): void {
  for (const { name } of [...graph.inputs, ...graph.outputs]) names.add(name)
  for (const name of [...graph.initializers.keys(), ...graph.values.keys()]) names.add(name)
  for (const node of graph.nodes) {
    for (const name of [node.name, ...node.inputs, ...node.outputs]) names.add(name)
    for (const body of bodiesOf(node)) collect(body, names)
  }
}

/**
 * A function that gives `stem`, or `stem_1`, `stem_2`... where that is taken; what it gave is taken from then on. A set
 * of taken names is added to in place.
 */
export function freshNames(source: Graph | Set<string>): (stem: string) => string {
  const taken = source instanceof Set ? source : namesIn(source)
  const counts = new Map<string, number>()
  return stem => {
    let name = stem
    let count = counts.get(stem) ?? 0
    while (name === '' || taken.has(name)) name = `${stem}_${++count}`
    counts.set(stem, count)
    taken.add(name)
    return name
  }
}
