/**
 * The reference executor: every node through its operator's reference evaluation (ops/interpret.ts). It is the
 * oracle that every other executor is tested against.
 */
import type { Graph } from '../graph/graph.ts'
import { operators as standard } from '../ops/index.ts'
import { interpret } from '../ops/interpret.ts'
import { requireOps } from '../ops/missing.ts'
import type { Executor, Feeds, Prepared, PrepareOptions, Values } from './executor.ts'
import { checkFeeds } from './feeds.ts'

export const reference: Executor = {
  name: 'reference',
  available: () => ({ ok: true }),
  prepare(graph, options = {}): Prepared {
    requireOps(graph, options.operators ?? standard)
    return { run: feeds => run(graph, feeds, options), dispose: () => {} }
  },
}

/** Runs a graph once on the reference executor. Throws as {@link Executor} says. */
export function runReference(graph: Graph, feeds: Feeds, options: PrepareOptions = {}): Values {
  return reference.prepare(graph, options).run(feeds)
}

function run(graph: Graph, feeds: Feeds, options: PrepareOptions): Values {
  const { operators = standard, outputs = graph.outputs.map(({ name }) => name), seed, onProgress } = options
  return interpret(graph, checkFeeds(graph, feeds), {
    operators,
    outputs,
    ...(seed !== undefined && { seed }),
    ...(onProgress && { onProgress }),
  })
}
