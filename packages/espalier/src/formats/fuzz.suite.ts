/**
 * Mutation fuzzing for readers: takes valid files, damages them in thousands of seeded ways and checks that the
 * reader answers each with a result or an `EspalierError`, within a second, without allocating beyond the size of
 * the file, and without writing to its input. A failure names the case, and `ESPALIER_FUZZ_CASE` runs it alone.
 *
 * How memory is judged: `arrayBuffers` and `heapUsed` before and after the call, and the distinct buffers of the
 * tensors in the result. Typed-array constructors are not wrapped: modules keep references to the real ones, so
 * the count would miss what matters. A garbage collection inside the call can hide a buffer that was dropped
 * before it; one that is asked for because a file lies is either kept, and seen, or refused.
 */
import { describe, test } from 'vitest'
import { type ErrorCode, EspalierError } from '../errors.ts'
import { isTensor, type RuntimeValue } from '../tensor/tensor.ts'
import { type Mutator, mutant } from './mutations.suite.ts'

export interface Fuzz {
  /** What is fuzzed, as messages call it: the format's name. */
  readonly name: string
  /** Valid files, best small (hundreds of bytes) and of different structure. Each must be read without an error. */
  readonly seeds: readonly Uint8Array[]
  /** The reader. May throw `EspalierError`; anything else is a failure. Its tensors are looked at, down to their data. */
  readonly parse: (bytes: Uint8Array) => unknown
  /** Mutations that know the format, by name: see `Mutator`. */
  readonly structural?: Readonly<Record<string, Mutator>>
  /** Whether to use those alone: for what lies behind a reader that refuses nearly every other damage. */
  readonly structuralOnly?: boolean
  /** Number of mutants; 10,000 when left out. `ESPALIER_FUZZ_COUNT` overrides. */
  readonly count?: number
  /** Seed of the run; 1 when left out. `ESPALIER_FUZZ_SEED` overrides. */
  readonly run?: number
  /** Bytes of buffers that a file may cost. Twice the file and 1 MiB when left out; set it for compressed formats. */
  readonly allowedBytes?: (file: Uint8Array) => number
}

/** How a run went. */
export interface FuzzReport {
  /** Cases that were read without complaint. */
  readonly accepted: number
  /** Cases refused, by error code. */
  readonly refused: ReadonlyMap<ErrorCode, number>
}

const MIB = 2 ** 20
/** JavaScript objects (not buffers) that a case may leave behind, garbage included. */
const ALLOWED_HEAP = 32 * MIB
const ALLOWED_MILLISECONDS = 1000
/** A measure of time or memory must fail this often in a row to count: the first time may be a compilation or a collection. */
const REPEATS = 4

/** Registers the tests for one reader: its seeds, then `count` mutants. */
export function fuzzSuite(options: Fuzz): void {
  describe(`fuzz ${options.name}`, () => {
    test('the seeds are valid, wherever they lie in memory', async () => {
      for (let index = 0; index < options.seeds.length; index++)
        for (const shift of [0, 1, 4]) {
          const outcome = await attempt(options, options.seeds[index]!, shift)
          if (outcome.problem !== undefined || outcome.refused !== undefined)
            throw failure(options, `seed ${index}`, options.seeds[index]!, outcome.problem ?? outcome.refused)
        }
    })
    test(`${countOf(options)} mutants are read or refused`, async () => void (await fuzz(options)), 600_000)
  })
}

/** Runs all mutants, or the one that `ESPALIER_FUZZ_CASE` names. Throws on the first that breaks a rule. */
export async function fuzz(options: Fuzz): Promise<FuzzReport> {
  const run = setting('SEED') ?? options.run ?? 1
  const only = setting('CASE')
  const first = only ?? 0
  const end = only !== undefined ? only + 1 : countOf(options)
  const refused = new Map<ErrorCode, number>()
  let accepted = 0
  const watchdog = only === undefined ? startWatchdog(options.name, run) : undefined
  try {
    for (let index = first; index < end; index++) {
      watchdog?.begin(index)
      const { bytes, steps } = mutant(options.seeds, run, index, options.structural, options.structuralOnly)
      const outcome = await attempt(options, bytes, index % 8)
      if (outcome.problem !== undefined) {
        const story = `case ${index} of run ${run} (${steps.join(', then ')})`
        const rerun = `ESPALIER_FUZZ_SEED=${run} ESPALIER_FUZZ_CASE=${index} runs it alone`
        throw failure(options, story, bytes, outcome.problem, rerun)
      }
      if (outcome.refused === undefined) accepted++
      else refused.set(outcome.refused.code, (refused.get(outcome.refused.code) ?? 0) + 1)
    }
  } finally {
    await watchdog?.stop()
  }
  return { accepted, refused }
}

function countOf(options: Fuzz): number {
  return setting('COUNT') ?? options.count ?? 10_000
}

function setting(name: string): number | undefined {
  const text = globalThis.process?.env[`ESPALIER_FUZZ_${name}`]
  return text === undefined || text === '' ? undefined : Number(text)
}

interface Outcome {
  /** The error, when the file was refused in an orderly way. */
  readonly refused?: EspalierError
  /** What went wrong otherwise. */
  readonly problem?: unknown
}

/** One case, with `bytes` laid `shift` bytes into a larger buffer. Measures that fail are taken again. */
async function attempt(options: Fuzz, bytes: Uint8Array, shift: number): Promise<Outcome> {
  let outcome: Outcome & { readonly noisy?: boolean } = {}
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    outcome = await measure(options, bytes, shift)
    if (outcome.problem === undefined || outcome.noisy !== true) break
  }
  return outcome
}

async function measure(
  options: Fuzz,
  bytes: Uint8Array,
  shift: number,
): Promise<Outcome & { noisy?: boolean }> {
  const surroundings = new Uint8Array(shift + bytes.length + 8).fill(0xa5)
  const input = surroundings.subarray(shift, shift + bytes.length)
  input.set(bytes)
  const before = memory()
  const start = performance.now()
  let refused: EspalierError | undefined
  let results = 0
  try {
    results = resultBytes(await options.parse(input), surroundings.buffer)
  } catch (error) {
    if (!(error instanceof EspalierError)) return { problem: error }
    refused = error
  }
  const milliseconds = performance.now() - start
  const after = memory()
  const problem = (text: string) => ({ problem: new Error(text), noisy: true })
  const allowed = options.allowedBytes?.(bytes) ?? 2 * bytes.length + MIB
  if (milliseconds > ALLOWED_MILLISECONDS) return problem(`took ${Math.round(milliseconds)} ms`)
  if (results > allowed) return problem(`returned ${results} bytes of tensors; ${allowed} are allowed`)
  const buffers = after.arrayBuffers - before.arrayBuffers
  if (buffers > allowed) return problem(`allocated ${buffers} bytes of buffers; ${allowed} are allowed`)
  const heap = after.heapUsed - before.heapUsed
  if (heap > ALLOWED_HEAP) return problem(`left ${heap} bytes on the heap; ${ALLOWED_HEAP} are allowed`)
  if (!sameBytes(input, bytes)) return { problem: new Error('wrote to its input') }
  return refused === undefined ? {} : { refused }
}

/** Where the host does not say (a browser), memory is judged by the results alone. */
function memory(): { arrayBuffers: number; heapUsed: number } {
  return globalThis.process?.memoryUsage?.() ?? { arrayBuffers: 0, heapUsed: 0 }
}

/** Bytes of the distinct buffers, other than `input`, that the tensors in `value` lie in. Reads every tensor's data. */
function resultBytes(value: unknown, input: ArrayBufferLike): number {
  const seen = new Set<unknown>([input])
  let sum = 0
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null || seen.has(part)) return
    seen.add(part)
    if (ArrayBuffer.isView(part)) {
      if (!seen.has(part.buffer)) sum += part.buffer.byteLength
      seen.add(part.buffer)
    } else if (isTensorLike(part)) visit(part.data)
    else if (part instanceof Map) for (const entry of part.values()) visit(entry)
    else for (const entry of Array.isArray(part) ? part : Object.values(part)) visit(entry)
  }
  visit(value)
  return sum
}

function isTensorLike(part: object): part is { data: unknown } {
  return isTensor(part as RuntimeValue) && 'dtype' in part && 'data' in part
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

function failure(options: Fuzz, story: string, bytes: Uint8Array, problem: unknown, rerun = ''): Error {
  const told = problem instanceof Error ? `${problem.name}: ${problem.message}` : String(problem)
  const hex = Array.from(bytes.subarray(0, 512), byte => byte.toString(16).padStart(2, '0')).join('')
  const more = bytes.length > 512 ? ` and ${bytes.length - 512} bytes more` : ''
  const text = `${options.name}, ${story}: ${told}\n${rerun}\n${bytes.length} bytes: ${hex}${more}`
  return new Error(text, { cause: problem })
}

interface Watchdog {
  begin(index: number): void
  stop(): Promise<unknown>
}

/** A case that is still running after this long is hanging; nothing inside this thread could say so. */
const HANG_MILLISECONDS = 60_000

/** A second thread that ends the process, naming the case, when one never returns. Node only. */
function startWatchdog(name: string, run: number): Watchdog | undefined {
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  if (threads === undefined) return undefined
  const current = new Int32Array(new SharedArrayBuffer(4))
  const worker = new threads.Worker(
    `const { workerData } = require('node:worker_threads')
    const { current, name, run, limit } = workerData
    for (let index = Atomics.load(current, 0); ; index = Atomics.load(current, 0)) {
      if (Atomics.wait(current, 0, index, limit) !== 'timed-out') continue
      require('node:fs').writeSync(2, 'fuzz ' + name + ': case ' + index + ' of run ' + run + ' hangs\\n')
      process.kill(process.pid, 'SIGKILL')
    }`,
    { eval: true, workerData: { current, name, run, limit: HANG_MILLISECONDS } },
  )
  worker.unref()
  return {
    begin: index => {
      Atomics.store(current, 0, index)
      Atomics.notify(current, 0)
    },
    stop: () => worker.terminate(),
  }
}
