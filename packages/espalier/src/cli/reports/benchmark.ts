/** Times of several runtimes on one model, as a table and in a sentence. */
import type { Timing } from '../../runtime/benchmark.ts'
import type { Difference } from '../../runtime/compare.ts'
import { bytes, milliseconds, plural, table } from '../text.ts'

/** What is known of one runtime. */
export interface Measured extends Timing {
  /** Milliseconds from the file to a session. */
  readonly creation: number
  /** Milliseconds of the first run. */
  readonly first: number
  /** Bytes by which the process grew up to the end of the first run. */
  readonly memory: number
}

/** How much outputs differ, and may. */
export interface Agreement extends Difference {
  readonly tolerance: number
  readonly agree: boolean
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly node: string
  /** Processes that ran or waited in the last minute, on average. */
  readonly load: number
}

/** Lines for a terminal; the first of `sides` is ours. */
export function describeBenchmark(
  machine: Machine,
  sides: readonly Measured[],
  agreement: Agreement | undefined,
  width: number,
): string[] {
  const [ours, peer] = sides
  const { cpu, cores, node, load } = machine
  const lines = [
    `${cpu}, ${plural(cores, 'core')}, node ${node}, load ${load.toFixed(2)}`,
    '',
    ...table(
      [
        { title: '', shrinkTo: 12 },
        ...['median ms', 'p90', 'least'].map(title => ({ title, align: 'right' as const })),
        { title: 'first run', align: 'right', drop: 2 },
        { title: 'creation', align: 'right', drop: 2 },
        { title: 'memory', align: 'right', drop: 1 },
        { title: 'ratio', align: 'right' },
      ],
      sides.map(({ name, median, p90, min, first, creation, memory }) => [
        name,
        ...[median, p90, min, first, creation].map(milliseconds),
        bytes(memory),
        (median / ours!.median).toFixed(2),
      ]),
      width,
    ),
  ]
  if (peer !== undefined) lines.push('', comparison(ours!, peer))
  if (agreement?.agree) lines.push(agreementText(agreement))
  return lines
}

function comparison(ours: Measured, peer: Measured): string {
  const ratio = peer.median / ours.median
  return `${ours.name} runs ${ratio.toFixed(2)} times as fast as ${peer.name}`
}

/** Whether outputs agree, and how much they differ. */
export function agreementText({ agree, difference, tolerance, output }: Agreement): string {
  if (difference === 0) return 'outputs agree: no number differs'
  const where = output === '' ? '' : `, in "${output}"`
  return agree
    ? `outputs agree: they differ by ${difference.toPrecision(2)} of their largest number at most${where}`
    : `outputs disagree: they differ by ${difference.toPrecision(2)} of their largest number${where}, beyond ${tolerance}`
}
