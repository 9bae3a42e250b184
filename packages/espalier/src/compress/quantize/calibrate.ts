/** Ranges of the values that flow through a model, seen while it runs on data: what static quantisation is made for. */
import { EspalierError, locate } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Feeds } from '../../runtime/executor.ts'
import { type SessionOptions, session } from '../../runtime/session.ts'
import { numbers } from '../../tensor/elements.ts'
import { isTensor, type RuntimeValue } from '../../tensor/tensor.ts'

export interface Range {
  readonly min: number
  readonly max: number
}

/**
 * The smallest and largest element of each value of `names` over all runs. Throws `bad-argument` without data,
 * `not-a-number` for a value that holds NaN or an infinity, and what running throws.
 */
export async function calibrate(
  graph: Graph,
  names: readonly string[],
  data: Iterable<Feeds>,
  options: Omit<SessionOptions, 'outputs'> = {},
): Promise<ReadonlyMap<string, Range>> {
  const fed = new Set(graph.inputs.map(({ name }) => name))
  const ranges = new Map<string, Range>()
  const see = (name: string, value: RuntimeValue | undefined): void => {
    if (isTensor(value))
      ranges.set(
        name,
        locate({ tensor: name }, () => widened(ranges.get(name), numbers(value))),
      )
  }
  const made = names.filter(name => !fed.has(name))
  using opened = made.length === 0 ? undefined : await session(graph, { ...options, outputs: made })
  let runs = 0
  for (const feeds of data) {
    runs++
    const outputs = await opened?.run(feeds)
    for (const name of names) see(name, fed.has(name) ? feedNamed(feeds, name) : outputs?.[name])
  }
  if (runs > 0) return ranges
  throw new EspalierError('bad-argument', 'there is no data to calibrate with')
}

function feedNamed(feeds: Feeds, name: string): RuntimeValue | undefined {
  return feeds instanceof Map ? feeds.get(name) : (feeds as Record<string, RuntimeValue>)[name]
}

function widened(range: Range | undefined, values: Float64Array): Range {
  let [min, max] = [range?.min ?? Number.POSITIVE_INFINITY, range?.max ?? Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (!Number.isFinite(value))
      throw new EspalierError('not-a-number', 'a value is not finite on the calibration data', {
        got: `${value}`,
      })
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}
