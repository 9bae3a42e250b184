/** An executor over a backend: optimises a graph once, plans it for every shape that comes. */
import { EspalierError } from '../../errors.ts'
import { operators as standard } from '../../ops/index.ts'
import { requireOps } from '../../ops/missing.ts'
import type { Executor, Prepared, PrepareOptions } from '../executor.ts'
import { checkFeeds } from '../feeds.ts'
import { optimize } from '../optimize/index.ts'
import { partFor } from '../part.ts'
import type { Backend } from './backend.ts'
import { Engine } from './engine.ts'

export function engineExecutor(
  name: string,
  available: Executor['available'],
  backend: () => Backend,
  threads: () => number,
): Executor {
  const prepare: Executor['prepare'] = (graph, options: PrepareOptions = {}): Prepared => {
    const { operators = standard, outputs, onProgress, ...run } = options
    const part = outputs === undefined ? graph : partFor(graph, outputs)
    requireOps(part, operators)
    let engine: Engine | undefined
    let disposed = false
    const dispose = (): void => {
      disposed = true
      engine?.dispose()
      engine = undefined
    }
    return {
      run(feeds) {
        if (disposed) throw new EspalierError('disposed', 'the graph is run after dispose()')
        const checked = checkFeeds(graph, feeds)
        engine ??= new Engine(optimize(part, { operators }), backend(), threads(), operators)
        const total = part.nodes.length
        let done = 0
        const onDone =
          onProgress &&
          ((nodes: number) => {
            while (done < nodes) onProgress(++done, total)
          })
        return engine.run(checked, { ...run, ...(onDone && { onDone }) })
      },
      dispose,
      [Symbol.dispose]: dispose,
    }
  }
  return { name, available, prepare }
}
