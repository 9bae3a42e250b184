/**
 * Which kernel multiplies a weight: the dense one, or that of a layout. What each would take follows from costs (costs.ts)
 * and from how much a layout keeps; those that come close to the quickest are timed where somebody can. Nothing is packed
 * and no step is made here.
 */
import type { SparseUse, Target } from '../plan/target.ts'
import { type Costs, layoutKey, secondsOf } from './costs.ts'
import type { CutLayout, ProductShape, SparseDtype, SparseLayout } from './layout.ts'

/** A layout, cut for a product. */
export interface Cut {
  readonly layout: SparseLayout
  readonly cut: CutLayout
}

/** A layout that could hold the weight of a product. */
export interface Candidate extends Cut {
  /** Units up to which it is quicker than the dense kernel, as predicted; -1 where it never is. */
  readonly most: number
  /** Units up to which it is a close call at least. */
  readonly mostClose: number
  /** Predicted seconds with so many units kept. */
  seconds(kept: number): number
}

/** What the kernels of a product would take. */
export interface Contest {
  readonly use: SparseUse
  /** Whether predictions are by figures that nobody has measured on the machine. */
  readonly builtIn: boolean
  /** Predicted seconds of the dense kernel. */
  readonly dense: number
  readonly candidates: readonly Candidate[]
}

/** Two predictions that differ by less than this part of the smaller one are a close call. */
const CLOSE = 0.15
/** Name of the dense kernel among those of layouts. */
export const DENSE = 'dense'

/** The layouts, of those there are, with a kernel for a product; none where they are not wanted. */
export function cutsFor(
  layouts: readonly SparseLayout[],
  dtype: SparseDtype,
  product: ProductShape,
  target: Target,
): Cut[] {
  const { sparse, sparseLayout } = target
  if (sparse === 'never') return []
  return layouts.flatMap((layout): Cut[] => {
    if (layout.dtype !== dtype || (sparseLayout !== undefined && sparseLayout !== layout.name)) return []
    const cut = layout.cut(product, target)
    return cut === undefined ? [] : [{ layout, cut }]
  })
}

/** What is predicted of the dense kernel, which takes `denseSeconds`, and of layouts. */
export function contestOf(
  cuts: readonly Cut[],
  dense: number,
  costs: Costs,
  { sparse: use, threads }: Pick<Target, 'sparse' | 'threads'>,
): Contest {
  const candidates = cuts.map(({ layout, cut }): Candidate => {
    const own = costs.layouts[layoutKey(layout)]!
    const seconds = (kept: number): number => secondsOf(cut.work(kept), own, costs.byte, threads)
    const within = (limit: number): number =>
      use === 'always' ? cut.units : mostBelow(cut.units, kept => seconds(kept) <= limit)
    return { layout, cut, most: within(dense), mostClose: within(dense * (1 + CLOSE)), seconds }
  })
  return { use, builtIn: costs.builtIn, dense, candidates }
}

/** The largest number up to `units` that holds, where all smaller ones do then; -1 for none. */
function mostBelow(units: number, holds: (kept: number) => boolean): number {
  let [low, high] = [-1, units]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return low
}

/** Numbers of a weight, not zero, with which some layout may be the quickest: a unit that is kept has at most so many. */
export function mostNumbers({ candidates }: Contest): number {
  return Math.max(
    -1,
    ...candidates.map(({ layout, mostClose }) => (mostClose < 0 ? -1 : mostClose * layout.width)),
  )
}

/** A kernel for the weight, and what it takes. */
export interface Entry {
  /** `undefined` for the dense kernel. */
  readonly candidate?: Candidate
  readonly name: string
  /** Units that are kept; 0 of the dense kernel. */
  readonly kept: number
  /** Whether nobody has counted: it keeps at least so many. */
  readonly atLeast?: boolean
  readonly predicted: number
  /** Seconds that the whole operator took with it. */
  readonly measured?: number
}

export interface Choice {
  readonly entries: readonly Entry[]
  readonly winner: Entry
}

/** A kernel that may be timed: its name, and the share of the weight's units that it multiplies by. */
export interface TimedKernel {
  readonly name: string
  readonly share: number
}

/** Seconds that the operator takes with each of these kernels; `undefined` where nobody times it. */
export type Timing = (kernels: readonly TimedKernel[]) => readonly number[] | undefined

/** How much a layout keeps; `undefined` where it cannot hold the weight. */
export type Kept = { readonly units: number; readonly atLeast?: boolean } | undefined

/** The quickest kernel: the dense one too, unless sparse ones are asked for. */
export function choose(
  { use, dense, candidates }: Contest,
  kept: (candidate: Candidate) => Kept,
  timing?: Timing,
): Choice {
  const entries = candidates.flatMap((candidate): Entry[] => {
    const own = kept(candidate)
    if (own === undefined) return []
    const { units, atLeast = false } = own
    return [
      { candidate, name: candidate.layout.name, kept: units, atLeast, predicted: candidate.seconds(units) },
    ]
  })
  const rival: Entry = { name: DENSE, kept: 0, predicted: dense }
  if (use !== 'always' || entries.length === 0) entries.push(rival)
  const quickest = least(entries, ({ predicted }) => predicted)
  const close = entries.filter(
    ({ predicted, atLeast }) => !atLeast && predicted <= quickest.predicted * (1 + CLOSE),
  )
  const times = close.length < 2 ? undefined : timing?.(close.map(timedKernel))
  if (times === undefined) return { entries, winner: quickest }
  const timed = new Map(close.map((entry, i) => [entry, { ...entry, measured: times[i]! }]))
  return {
    entries: entries.map(entry => timed.get(entry) ?? entry),
    winner: least([...timed.values()], ({ measured }) => measured),
  }
}

function timedKernel({ name, candidate, kept }: Entry): TimedKernel {
  return { name, share: candidate === undefined ? 1 : kept / candidate.cut.units }
}

function least<T>(list: readonly T[], size: (item: T) => number): T {
  return list.reduce((best, item) => (size(item) < size(best) ? item : best))
}
