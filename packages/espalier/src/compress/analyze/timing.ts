/**
 * How long one-layer models take: several beside each other, by turns, so that what else the machine does meets all of
 * them. Times are sums over the steps of a profile: what a call costs beside its steps is that of a model, not of a layer.
 */

import type { Graph } from '../../graph/graph.ts'
import { requiredInputs } from '../../runtime/feeds.ts'
import type { ProfileRow } from '../../runtime/profile.ts'
import { randomFeeds } from '../../runtime/random-feeds.ts'
import { type Session, type SessionOptions, session } from '../../runtime/session.ts'

/** What sessions of an analysis are opened with. */
export type EngineChoice = Pick<SessionOptions, 'backend' | 'threads' | 'isa' | 'calibrate' | 'onWarning'>

/** The part of some options that sessions are opened with. */
export function engineOf({ backend, threads, isa, calibrate, onWarning }: EngineChoice): EngineChoice {
  return {
    ...(backend && { backend }),
    ...(threads !== undefined && { threads }),
    ...(isa && { isa }),
    ...(calibrate !== undefined && { calibrate }),
    ...(onWarning && { onWarning }),
  }
}

export interface Candidate {
  /** Its last step, which hands out a result, is not counted. */
  readonly graph: Graph
  readonly sparse: NonNullable<SessionOptions['sparse']>
}

export interface LayerTime {
  /** The least of some runs: what other work on the machine adds is no property of the layer. */
  readonly milliseconds: number
  /** Kinds of the steps, in order. */
  readonly kernels: readonly string[]
  /** Why a weight with zeros ran as it did. */
  readonly note?: string
}

/** Turns that each has. Other work on the machine slows some down and not all. */
const TURNS = 8
/** Runs of a turn at most. */
const MOST_RUNS = 50

/**
 * The times of several models, each measured for about `budget` milliseconds. With `cold`, each run finds in the caches
 * something else, as a layer of a large model does that is run for one token: a few runs of each, whatever the budget.
 */
export async function timeTogether(
  candidates: readonly Candidate[],
  engine: EngineChoice,
  budget: number,
  cold = false,
): Promise<LayerTime[]> {
  const opened: Session[] = []
  try {
    for (const { graph, sparse } of candidates) opened.push(await session(graph, { ...engine, sparse }))
    const sides = opened.map((own, index) => {
      const feeds = randomFeeds(requiredInputs(candidates[index]!.graph))
      const rows = own.profile(feeds, { runs: 1 }).rows.slice(0, -1)
      const seconds = secondsOf(rows)
      if (cold) return { own, feeds, runs: 1, least: Number.POSITIVE_INFINITY, ...describeRows(rows) }
      // Each is two runs, the first of them to fill the caches.
      const wanted = Math.floor(budget / 2000 / TURNS / Math.max(seconds, 1e-7))
      const runs = Math.max(1, Math.min(MOST_RUNS, wanted))
      return { own, feeds, runs, least: seconds, ...describeRows(rows) }
    })
    for (let turn = 0; turn < TURNS; turn++)
      for (const side of sides)
        for (let run = 0; run < side.runs; run++) {
          if (cold) emptyCaches()
          const { rows } = side.own.profile(side.feeds, { runs: 1, warmUp: cold ? 0 : 1 })
          side.least = Math.min(side.least, secondsOf(rows.slice(0, -1)))
        }
    return sides.map(({ least, kernels, note }) => ({
      milliseconds: 1000 * least,
      kernels,
      ...(note !== undefined && { note }),
    }))
  } finally {
    for (const own of opened) own.dispose()
  }
}

function describeRows(
  rows: readonly ProfileRow[],
): Pick<LayerTime, 'kernels'> & { note: string | undefined } {
  return {
    kernels: rows.map(({ kind }) => kind),
    note: rows.find(row => row.note !== undefined)?.note,
  }
}

/** Bytes that no cache holds together with something else, or hardly any. */
const CACHES = 2 ** 26
const CACHE_LINE = 64
let filling: Float64Array | undefined

/** Fills the caches with numbers that nobody wants. */
function emptyCaches(): number {
  filling ??= new Float64Array(CACHES / 8).fill(1)
  let sum = 0
  for (let i = 0; i < filling.length; i += CACHE_LINE / 8) sum += filling[i]!
  return sum
}

function secondsOf(rows: readonly ProfileRow[]): number {
  return rows.reduce((total, { seconds }) => total + seconds, 0)
}

/** The least milliseconds of some runs, which take about `budget` milliseconds where that is between 3 and 100 runs. */
export function leastRun(run: () => void, budget: number): number {
  run()
  const started = performance.now()
  let least = Number.POSITIVE_INFINITY
  for (let runs = 0; runs < 3 || (runs < 100 && performance.now() - started < budget); runs++) {
    const before = performance.now()
    run()
    least = Math.min(least, performance.now() - before)
  }
  return least
}
