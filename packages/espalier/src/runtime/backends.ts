/** Choosing what runs a session: native kernels where there are any, WebAssembly otherwise, the reference when asked for. */
import { EspalierError } from '../errors.ts'
import type { Isa } from '../plan/target.ts'
import type { Backend } from './engine/backend.ts'
import { nativeBackend, nativeState, nativeVariants } from './native/backend.ts'
import { wasmBackend, wasmState, wasmVariant } from './wasm/backend.ts'
import { loadWasm, sharingState, type WasmIsa, wasmVariants } from './wasm/module.ts'
import { type Crew, wasmCrew } from './wasm/workers.ts'

export type BackendName = 'native' | 'wasm' | 'reference'

export interface BackendChoice {
  readonly name: BackendName
  /** Why it is not the best one; empty when it is. */
  readonly reason: string
}

/**
 * The back end for a request. Throws `unsupported`, with the reason, when the one that is asked for does not work here;
 * `bad-argument` for a name or variant that does not exist.
 */
export function chooseBackend(asked: BackendName | 'auto' = 'auto', isa?: Isa): BackendChoice {
  if (asked === 'reference') return { name: 'reference', reason: '' }
  if (!['auto', 'native', 'wasm'].includes(asked))
    throw new EspalierError('bad-argument', `there is no back end "${asked}"`, {
      expected: 'auto, native, wasm or reference',
    })
  const forWasm = isa?.startsWith('wasm') || globalThis.process?.env?.ESPALIER_ISA?.startsWith('wasm')
  const native = nativeState()
  if (asked === 'native' || (asked === 'auto' && !forWasm && native.ok)) {
    if (!native.ok) throw unavailable('native', native.reason)
    if (isa !== undefined && !nativeVariants().includes(isa)) throw strange(isa, nativeVariants())
    return { name: 'native', reason: '' }
  }
  const wasm = wasmState()
  if (!wasm.ok) {
    if (asked === 'wasm') throw unavailable('WebAssembly', wasm.reason)
    return { name: 'reference', reason: wasm.reason }
  }
  if (isa !== undefined && !wasmVariants().includes(isa as WasmIsa)) throw strange(isa, wasmVariants())
  return { name: 'wasm', reason: asked === 'wasm' || forWasm || native.ok ? '' : native.reason }
}

/** A backend, and how many threads it has: no more than `threads`. */
export async function openBackend(
  name: 'native' | 'wasm',
  threads: number,
  isa: Isa | undefined,
  warn: (message: string) => void,
): Promise<{ readonly backend: Backend; readonly threads: number }> {
  if (name === 'native') return { backend: nativeBackend(isa), threads }
  const variant = (isa as WasmIsa | undefined) ?? wasmVariant()
  await loadWasm(variant)
  let crew = threads > 1 ? await crewFor(threads, warn) : undefined
  // Another session may have wanted more in the meantime.
  while (crew?.retired) crew = await crewFor(threads, warn)
  return { backend: wasmBackend(crew, variant), threads: crew ? threads : 1 }
}

/** Workers for WebAssembly threads; none, with a warning, where they cannot be had. */
async function crewFor(threads: number, warn: (message: string) => void): Promise<Crew | undefined> {
  const sharing = sharingState()
  if (!sharing.ok) {
    warn(`WebAssembly runs on one thread: ${sharing.reason}`)
    return undefined
  }
  try {
    return await wasmCrew(threads)
  } catch (error) {
    warn(`WebAssembly runs on one thread: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

function unavailable(what: string, reason: string): EspalierError {
  return new EspalierError('unsupported', `the ${what} back end does not work here`, {
    got: reason,
    hint: '`espalier doctor` says what this machine offers',
  })
}

function strange(isa: Isa, known: readonly Isa[]): EspalierError {
  return new EspalierError('bad-argument', `there are no kernels for "${isa}" here`, {
    expected: known.join(', '),
  })
}
