/**
 * The WebAssembly kernels as compiled modules. They are embedded as text, deflated, each in a module of its own that is
 * imported when it is first asked for, so that nothing has to be served beside the code and a page gets only the variant
 * that it runs. The bytes ask for a shared memory; for one thread that is patched to a plain one, which every host has.
 */
import { EspalierError } from '../../errors.ts'
import type { Isa } from '../../plan/target.ts'

export type WasmIsa = Extract<Isa, 'wasm' | 'wasm-relaxed'>

const sources: Readonly<Record<WasmIsa, () => Promise<{ readonly bytes: string }>>> = {
  wasm: () => import('./modules/wasm.ts'),
  'wasm-relaxed': () => import('./modules/wasm-relaxed.ts'),
}
const loaded = new Map<WasmIsa, Promise<Uint8Array<ArrayBuffer>>>()
const ready = new Map<WasmIsa, Uint8Array<ArrayBuffer>>()
const compiled = new Map<string, WebAssembly.Module>()

/** Makes the kernels of a variant ready for {@link wasmModule}. */
export async function loadWasm(isa: WasmIsa): Promise<void> {
  let bytes = loaded.get(isa)
  if (bytes === undefined) {
    bytes = sources[isa]().then(source => inflate(decode(source.bytes)))
    loaded.set(isa, bytes)
  }
  ready.set(isa, await bytes)
}

/** Whether {@link loadWasm} has been waited for. */
export function isLoaded(isa: WasmIsa): boolean {
  return ready.has(isa)
}

/** Variants that this host runs, best first. */
export function wasmVariants(): WasmIsa[] {
  if (typeof WebAssembly !== 'object') return []
  return [...(WebAssembly.validate(relaxedProbe) ? (['wasm-relaxed'] as const) : []), 'wasm']
}

/** The module of a variant that is loaded, for a memory that is shared or not. */
export function wasmModule(isa: WasmIsa, shared: boolean): WebAssembly.Module {
  const key = `${isa} ${shared}`
  let module = compiled.get(key)
  if (module === undefined) {
    const bytes = ready.get(isa)?.slice()
    if (bytes === undefined) throw new Error(`the ${isa} kernels are not loaded`)
    if (!shared) makeMemoryPlain(bytes)
    module = new WebAssembly.Module(bytes)
    compiled.set(key, module)
  }
  return module
}

/** Whether threads can share memory here; when not, why. */
export function sharingState(): { readonly ok: true } | { readonly ok: false; readonly reason: string } {
  const host = globalThis as { crossOriginIsolated?: boolean }
  if (typeof SharedArrayBuffer === 'function' && host.crossOriginIsolated !== false) return { ok: true }
  return {
    ok: false,
    reason:
      'the page is not cross-origin isolated, so that threads cannot share memory; serve it with the headers ' +
      '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"',
  }
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Clears the `shared` flag of the imported memory: the byte before its limits, in the import section. */
function makeMemoryPlain(bytes: Uint8Array): void {
  const [importSection, memoryKind, sharedFlag] = [2, 2, 2]
  let at = 8
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
  }
  const skip = (): void => {
    const length = number()
    at += length
  }
  while (at < bytes.length) {
    const id = bytes[at++]!
    const end = number() + at
    if (id !== importSection) {
      at = end
      continue
    }
    for (let left = number(); left > 0; left--) {
      skip() // module
      skip() // name
      const kind = bytes[at++]!
      if (kind === memoryKind) {
        bytes[at]! &= ~sharedFlag
        return
      }
      if (kind !== 0) break // only functions come before it
      number()
    }
  }
  throw new EspalierError('unsupported', 'the WebAssembly kernels import no memory')
}

/** (func (param v128 v128 v128) (result v128) f32x4.relaxed_madd) */
const relaxedProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0],
  ...[32, 0, 32, 1, 32, 2, 253, 133, 2, 11],
)
