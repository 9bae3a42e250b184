/** Where the time of a run goes: seconds, work and traffic of every step, against what the machine can do. */
import { nodeName } from '../graph/graph.ts'
import type { Plan } from '../plan/plan.ts'
import { costOf } from '../plan/step.ts'
import { quantile } from './benchmark.ts'
import type { Engine, EngineRun, Observer } from './engine/engine.ts'
import type { Times } from './engine/instance.ts'
import type { Values } from './executor.ts'

export interface ProfileOptions {
  /** Runs that are timed; 10 when left out. */
  readonly runs?: number
  /** Runs before, that are not; 1 when left out. */
  readonly warmUp?: number
}

/** One step of a run. */
export interface ProfileRow {
  /** Kind of step; `reference` for an operator without a kernel. */
  readonly kind: string
  /** Names of the nodes it does the work of. */
  readonly nodes: readonly string[]
  /** Seconds, the median over the runs. */
  readonly seconds: number
  readonly flops: number
  readonly bytes: number
  /** Why there is no kernel; only for operators without. */
  readonly reason?: string
  /** Why this kernel and not another one, where that is not plain. */
  readonly note?: string
}

export interface Profile {
  /** In the order of execution. */
  readonly rows: readonly ProfileRow[]
  /** Seconds of a whole run, the median, threads meeting around every step. */
  readonly seconds: number
}

export function profileEngine(
  engine: Engine,
  feeds: Values,
  run: EngineRun,
  { runs = 10, warmUp = 1 }: ProfileOptions = {},
): Profile {
  const samples: number[][] = []
  let rows: Omit<ProfileRow, 'seconds'>[] = []
  for (let index = -warmUp; index < runs; index++) {
    const found: { plan: Plan; times: Times }[] = []
    const observer: Observer = {
      stage(plan) {
        const times = plan.segments.map(
          segment => new Float64Array(segment.kind === 'code' ? segment.steps.length : 1),
        )
        found.push({ plan, times })
        return times
      },
    }
    engine.run(feeds, { ...run, observer })
    if (index === -warmUp) rows = found.flatMap(({ plan }) => describePlan(plan))
    if (index >= 0) samples.push(found.flatMap(({ times }) => times.flatMap(list => [...list])))
  }
  const totals = samples.map(sample => sample.reduce((a, b) => a + b, 0))
  return {
    rows: rows.map((row, index) => ({ ...row, seconds: median(samples.map(sample => sample[index] ?? 0)) })),
    seconds: median(totals),
  }
}

/** The steps of a plan, without times. */
export function describePlan(plan: Plan): Omit<ProfileRow, 'seconds'>[] {
  return plan.segments.flatMap((segment): Omit<ProfileRow, 'seconds'>[] => {
    if (segment.kind === 'code')
      return segment.steps.map(step => ({
        kind: step.kind,
        nodes: step.origin,
        ...costOf(step),
        ...(step.note !== undefined && { note: step.note }),
      }))
    const { graph, reason } = segment.step
    const nodes = graph.nodes.map(node => `${nodeName(node)} (${node.op})`)
    return [{ kind: 'reference', nodes, flops: 0, bytes: 0, reason }]
  })
}

/** The middle one; 0 when there is none. */
function median(values: readonly number[]): number {
  return values.length === 0 ? 0 : quantile(values, 0.5)
}
