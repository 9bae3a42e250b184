/**
 * Times several ways to do the same, by turns: what else the machine does meets all of them alike, and what one leaves
 * behind (heat, threads that spin for a while after a run) does not always meet the same other one.
 */
import { EspalierError } from '../errors.ts'

/** One of the things that are timed. */
export interface Side {
  readonly name: string
  /** Does it once. What it returns is awaited and dropped. */
  run(): unknown
}

export interface BenchmarkOptions {
  /** Runs of each side that are timed; 50 when left out. */
  readonly runs?: number
  /** Runs of each side before, which are not timed; 3 when left out. */
  readonly warmUp?: number
  /** Turns of each side, between which the others have theirs; 10 when left out, and never more than `runs`. */
  readonly turns?: number
  /** Milliseconds of rest before a turn, for the threads of the other sides to go to sleep; 0 when left out. */
  readonly rest?: number
  /** Milliseconds since some moment; `performance.now` when left out. */
  readonly now?: () => number
  /** Called with the timed runs done and of all. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Figures of one side, in milliseconds. */
export interface Timing {
  readonly name: string
  readonly median: number
  /** What nine runs in ten keep below. */
  readonly p90: number
  readonly min: number
  /** Every run, in order. */
  readonly times: readonly number[]
}

/**
 * The times of every side, in their order. When there are several, each turn begins with a run that is not timed, since it
 * finds caches and threads as another side left them. Throws `bad-argument` for counts that are no whole numbers in
 * range, and what a side throws.
 */
export async function benchmark(sides: readonly Side[], options: BenchmarkOptions = {}): Promise<Timing[]> {
  const { runs = 50, warmUp = 3, rest = 0, now = () => performance.now(), onProgress } = options
  checkCount('runs', runs, 1)
  checkCount('warmUp', warmUp, 0)
  checkCount('turns', options.turns ?? 1, 1)
  const turns = sides.length > 1 ? Math.min(options.turns ?? 10, runs) : 1
  const times = sides.map((): number[] => [])
  for (const side of sides) for (let i = 0; i < warmUp; i++) await side.run()
  let done = 0
  for (let turn = 0; turn < turns; turn++) {
    const until = Math.round((runs * (turn + 1)) / turns)
    for (const [index, side] of inTurn(sides, turn)) {
      if (rest > 0) await new Promise(resolve => setTimeout(resolve, rest))
      if (sides.length > 1) await side.run()
      while (times[index]!.length < until) {
        const started = now()
        await side.run()
        times[index]!.push(now() - started)
        onProgress?.(++done, runs * sides.length)
      }
    }
  }
  return sides.map(({ name }, index) => ({ name, ...summarizeTimes(times[index]!) }))
}

/** Sides with their numbers, the other way round in every second turn. */
function inTurn(sides: readonly Side[], turn: number): [number, Side][] {
  const numbered = [...sides.entries()]
  return turn % 2 === 0 ? numbered : numbered.reverse()
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new EspalierError('bad-argument', `${name} must be a whole number`, {
    expected: `${least} or more`,
    got: `${value}`,
  })
}

function summarizeTimes(times: readonly number[]): Omit<Timing, 'name'> {
  return { median: quantile(times, 0.5), p90: quantile(times, 0.9), min: Math.min(...times), times }
}

/**
 * The value below which a share (0 to 1) of the values lies; between two of them, in proportion. NaN when there is none.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return low === undefined || high === undefined ? Number.NaN : low + (high - low) * (at - Math.floor(at))
}
