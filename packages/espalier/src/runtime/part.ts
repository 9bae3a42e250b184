/** The part of a graph that some of its values need. */
import { EspalierError } from '../errors.ts'
import { removeUnused } from '../graph/extract.ts'
import type { Graph } from '../graph/graph.ts'
import { namesMadeBy } from '../graph/uses.ts'

/** What `outputs` need of a graph, with them as its outputs. Throws `bad-argument` for a name that it does not have. */
export function partFor(graph: Graph, outputs: readonly string[]): Graph {
  const known = new Set(namesMadeBy(graph))
  for (const name of outputs)
    if (!known.has(name))
      throw new EspalierError('bad-argument', `the graph has no value "${name}"`, {
        hint: 'Values inside bodies of If, Loop and Scan cannot be asked for',
      })
  return removeUnused({ ...graph, outputs: outputs.map(name => ({ name })) })
}
