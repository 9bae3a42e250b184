/**
 * The reference executor: every node through its operator's reference evaluation (ops/interpret.ts). It is the
 * oracle that every other executor is tested against.
 */
import { EspalierError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { operators as standard } from '../ops/index.ts'
import { type Interpreter, interpreter } from '../ops/interpret.ts'
import { requireOps } from '../ops/missing.ts'
import type { Executor, Feeds, Prepared, PrepareOptions, Values } from './executor.ts'
import { checkFeeds } from './feeds.ts'
import { partFor } from './part.ts'

export const reference: Executor = {
  name: 'reference',
  available: () => ({ ok: true }),
  prepare,
}

/** Runs a graph once on the reference executor. Throws as {@link Executor} says. */
export function runReference(graph: Graph, feeds: Feeds, options: PrepareOptions = {}): Values {
  return prepare(graph, options).run(feeds)
}

function prepare(graph: Graph, { operators = standard, outputs, ...options }: PrepareOptions = {}): Prepared {
  const part = outputs === undefined ? graph : partFor(graph, outputs)
  requireOps(part, operators)
  const names = part.outputs.map(({ name }) => name)
  let interpret: Interpreter | undefined = interpreter(part, operators)
  const dispose = (): void => {
    interpret = undefined
  }
  return {
    run(feeds) {
      if (interpret === undefined) throw new EspalierError('disposed', 'the graph is run after dispose()')
      return interpret(checkFeeds(graph, feeds), { outputs: names, ...options })
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}
