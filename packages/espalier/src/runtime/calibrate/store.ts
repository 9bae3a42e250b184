/**
 * Where what was measured is kept: in memory for the process and, under Node, in a file for the next ones
 * (`~/.cache/espalier`, or the folder that `ESPALIER_CACHE` names; none where that is empty). A file is for one version of
 * the kernels, one model of processor, one variant and number of threads. One that cannot be read or written is done without.
 */
import type { Target } from '../../plan/target.ts'
import type { KernelCosts } from '../../sparse/costs.ts'
import { version } from '../../version.ts'

/** What is known of a machine. */
export interface Measured {
  /** As in `Costs`, as far as it was measured. */
  byte?: number
  readonly dense: Record<string, number>
  readonly layouts: Record<string, KernelCosts>
  /** Seconds of close calls, by what was timed. */
  readonly timed: Record<string, readonly number[]>
}

/** Close calls that are remembered; beyond it, the oldest goes. */
const MOST_TIMED = 1000

/** What a process knows, by machine. */
export type Memory = Map<string, Measured>

const ofProcess: Memory = new Map()

/** What is known of the machine; the same object each time in a process, to be written to. */
export function measuredOn(target: Target, memory: Memory = ofProcess): Measured {
  const place = placeOf(target)
  let known = memory.get(place.key)
  if (known === undefined) {
    known = read(place) ?? { dense: {}, layouts: {}, timed: {} }
    memory.set(place.key, known)
  }
  return known
}

/** Keeps a close call. */
export function remember({ timed }: Measured, key: string, seconds: readonly number[]): void {
  timed[key] = seconds
  const [oldest] = Object.keys(timed)
  if (Object.keys(timed).length > MOST_TIMED) delete timed[oldest!]
}

/** Writes what is known to the file, where there can be one. */
export function keep(target: Target, memory: Memory = ofProcess): void {
  const { key, folder } = placeOf(target)
  const known = memory.get(key)
  const node = globalThis.process
  const fs = node?.getBuiltinModule?.('node:fs')
  if (known === undefined || folder === undefined || fs === undefined) return
  const file = `${folder}/${fileName(key)}`
  const passing = `${file}.${node.pid}.${Math.random().toString(36).slice(2)}`
  try {
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(passing, `${JSON.stringify({ key, ...known })}\n`)
    fs.renameSync(passing, file)
  } catch {
    // A full or read-only disk: the next process measures again.
    try {
      fs.rmSync(passing, { force: true })
    } catch {}
  }
}

interface Place {
  /** Names the machine. */
  readonly key: string
  readonly folder: string | undefined
}

function placeOf({ isa, threads, traits }: Target): Place {
  const os = globalThis.process?.getBuiltinModule?.('node:os')
  const model = os?.cpus()[0]?.model.trim() ?? ''
  const key = `${version} ${traits.layout} ${isa} ${threads} ${model}`
  return { key, folder: folderOf() }
}

function folderOf(): string | undefined {
  const node = globalThis.process
  const os = node?.getBuiltinModule?.('node:os')
  if (os === undefined) return undefined
  const { ESPALIER_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = node.env
  if (ESPALIER_CACHE !== undefined) return ESPALIER_CACHE || undefined
  const shared = XDG_CACHE_HOME || (node.platform === 'win32' && LOCALAPPDATA)
  return `${shared || `${os.homedir()}/.cache`}/espalier`
}

function fileName(key: string): string {
  return `kernels ${key}.json`.toLowerCase().replace(/[^a-z0-9.]+/g, '-')
}

/** What a file says; `undefined` where there is none that can be used. */
function read({ key, folder }: Place): Measured | undefined {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs')
  if (folder === undefined || fs === undefined) return undefined
  try {
    const found = JSON.parse(fs.readFileSync(`${folder}/${fileName(key)}`, 'utf8')) as unknown
    return isMeasured(found, key) ? withoutKey(found) : undefined
  } catch {
    return undefined
  }
}

function withoutKey({ byte, dense, layouts, timed }: Measured): Measured {
  return { ...(byte !== undefined && { byte }), dense, layouts, timed }
}

function isMeasured(found: unknown, key: string): found is Measured {
  if (!isRecord(found) || found.key !== key) return false
  const { byte, dense, layouts, timed } = found
  return (
    (byte === undefined || isTime(byte)) &&
    isRecord(dense) &&
    Object.values(dense).every(isTime) &&
    isRecord(layouts) &&
    Object.values(layouts).every(costs => isRecord(costs) && isTime(costs.kept) && isTime(costs.fixed)) &&
    isRecord(timed) &&
    Object.values(timed).every(list => Array.isArray(list) && list.every(isTime))
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1000
}
