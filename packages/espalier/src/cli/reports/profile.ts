/** Where the time of a run goes: a table of steps, or of kinds of steps, and what the machine would allow. */
import { leastSeconds, type Peaks } from '../../runtime/peaks.ts'
import type { Profile, ProfileRow } from '../../runtime/profile.ts'
import { count, milliseconds, percent, plural, table } from '../text.ts'
import { largest, total } from './rows.ts'

export interface ProfileView {
  readonly by: 'node' | 'kind'
  /** Every step, and not only those that take longest. */
  readonly all: boolean
  readonly width: number
}

/** Lines for a terminal: what has no kernel first, then the table. */
export function describeProfile(profile: Profile, peaks: Peaks, { by, all, width }: ProfileView): string[] {
  const { rows, seconds } = profile
  const slow = rows.filter(({ reason }) => reason !== undefined)
  const spent = total(rows, row => row.seconds)
  return [
    `${plural(rows.length, 'step')} in ${milliseconds(seconds * 1000)} ms; this machine: ` +
      `${rate(peaks.flops)} GFLOP/s, ${rate(peaks.bytes)} GB/s`,
    ...slow.map(
      ({ nodes, reason, seconds: each }) =>
        `no kernel: ${nodes.join(', ')}: ${reason} (${milliseconds(each * 1000)} ms)`,
    ),
    '',
    ...(by === 'kind' ? kindTable(rows, spent, peaks, width) : stepTable(rows, spent, peaks, all, width)),
  ]
}

/** Share of the roofline that steps reach together: 1 is as fast as the machine allows. `undefined` without work. */
export function rooflineShare(rows: readonly ProfileRow[], peaks: Peaks): number | undefined {
  const costed = rows.filter(row => row.flops > 0 || row.bytes > 0)
  const seconds = total(costed, row => row.seconds)
  return seconds > 0 ? total(costed, row => leastSeconds(row, peaks)) / seconds : undefined
}

const numberColumns = [
  { title: 'ms', align: 'right' },
  { title: 'share', align: 'right' },
  { title: 'GFLOP/s', align: 'right', drop: 1 },
  { title: 'GB/s', align: 'right', drop: 1 },
  { title: 'roofline', align: 'right' },
] as const

function stepTable(
  rows: readonly ProfileRow[],
  spent: number,
  peaks: Peaks,
  all: boolean,
  width: number,
): string[] {
  const { shown, rest } = largest(rows, row => row.seconds, all)
  const line = ({ kind, nodes, ...row }: ProfileRow): string[] => [
    kind,
    nodes.join(', '),
    ...numbersOf([{ kind, nodes, ...row }], spent, peaks),
  ]
  const left =
    rest.length > 0 ? [['', `${plural(rest.length, 'quicker step')}`, ...numbersOf(rest, spent, peaks)]] : []
  return table(
    [{ title: 'kind' }, { title: 'nodes', shrinkTo: 16 }, ...numberColumns],
    [...shown.map(line), ...left],
    width,
  )
}

function kindTable(rows: readonly ProfileRow[], spent: number, peaks: Peaks, width: number): string[] {
  const kinds = new Map<string, ProfileRow[]>()
  for (const row of rows) kinds.set(row.kind, [...(kinds.get(row.kind) ?? []), row])
  return table(
    [{ title: 'kind' }, { title: 'steps', align: 'right' }, ...numberColumns],
    [...kinds]
      .sort(([, a], [, b]) => total(b, row => row.seconds) - total(a, row => row.seconds))
      .map(([kind, steps]) => [kind, count(steps.length), ...numbersOf(steps, spent, peaks)]),
    width,
  )
}

/** Time, share of all, work and traffic a second, share of the roofline; of a step without a count, only the first two. */
function numbersOf(rows: readonly ProfileRow[], spent: number, peaks: Peaks): string[] {
  const seconds = total(rows, row => row.seconds)
  const speed = (amount: number): string => (amount > 0 && seconds > 0 ? rate(amount / seconds) : '')
  const share = rooflineShare(rows, peaks)
  return [
    milliseconds(seconds * 1000),
    percent(spent > 0 ? seconds / spent : 0),
    speed(total(rows, row => row.flops)),
    speed(total(rows, row => row.bytes)),
    share === undefined ? '' : `${Math.round(100 * share)} %`,
  ]
}

/** Thousands of millions. */
function rate(perSecond: number): string {
  return (perSecond / 1e9).toFixed(1)
}
