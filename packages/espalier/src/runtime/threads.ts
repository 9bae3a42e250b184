/** How many threads a session uses when nobody says. */

/** Most threads of a session. */
export const MOST_THREADS = 1024

/** As many as the machine runs at once; `ESPALIER_THREADS` says otherwise. */
export function defaultThreads(): number {
  const asked = Number(globalThis.process?.env?.ESPALIER_THREADS)
  if (Number.isInteger(asked) && asked > 0) return Math.min(asked, MOST_THREADS)
  return hostThreads()
}

/** Threads that the host runs at once; 1 where it does not tell. */
export function hostThreads(): number {
  const os = globalThis.process?.getBuiltinModule?.('node:os')
  return (
    os?.availableParallelism() ??
    (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ??
    1
  )
}
