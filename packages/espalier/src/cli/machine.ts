/** What times are measured on, and whether it is quiet enough for them. */
import { cpus, loadavg } from 'node:os'
import type { Machine } from './reports/benchmark.ts'
import type { Terminal } from './terminal.ts'
import { plural } from './text.ts'

/** Load of a core beyond which times say little. */
const BUSY_LOAD = 0.5

/** The machine, now. */
export function lookAtMachine(): Machine {
  const found = cpus()
  return {
    cpu: found[0]?.model.trim() ?? 'unknown processor',
    cores: found.length,
    node: process.versions.node,
    load: loadavg()[0]!,
  }
}

/** Says so, with what to do, when other work on the machine makes times unreliable. */
export function warnOfLoad(
  { load: busy, cores }: Machine,
  terminal: Terminal,
  advice = 'look at the least times, and measure again when it is quiet',
): void {
  if (busy > BUSY_LOAD * cores)
    terminal.warn(
      `other things run on this machine (load ${busy.toFixed(2)} on ${plural(cores, 'core')}): ${advice}`,
    )
}
