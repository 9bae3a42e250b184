/** Plans on the native addon: kernels for this processor, on the threads of its pool. */
import { EspalierError } from '../../errors.ts'
import { fits, type Isa, traitsOf } from '../../plan/target.ts'
import type { Backend, Block, Fault, Program } from '../engine/backend.ts'
import { resultMemory } from '../engine/result-memory.ts'
import { type Addon, loadAddon, type NativeFault, type NativeProgram } from './addon.ts'

interface NativeBlock extends Block {
  /** Empty after release. */
  view: Uint8Array
  /** Whether the memory is the addon's. */
  readonly owned: boolean
}

/** Whether the native kernels work here, on which variant; when not, why. `ESPALIER_ISA` asks for a variant. */
export function nativeState():
  | { readonly ok: true; readonly isa: Isa; readonly path: string }
  | { readonly ok: false; readonly reason: string } {
  const state = loadAddon()
  if ('reason' in state) return { ok: false, reason: state.reason }
  const variants = state.addon.variants().filter(({ supported }) => supported)
  if (variants.some(({ traits }) => !fits(traits)))
    return { ok: false, reason: `${state.path} was built for another version; run npm run build:native` }
  const wanted = globalThis.process?.env?.ESPALIER_ISA
  const native = wanted === undefined || wanted.startsWith('wasm') ? undefined : wanted
  const chosen = native === undefined ? variants[0] : variants.find(({ name }) => name === native)
  if (chosen === undefined) {
    const reason = native
      ? `ESPALIER_ISA asks for ${native}; this processor runs ${variants.map(({ name }) => name).join(', ') || 'none'}`
      : 'the addon has no kernels for this processor'
    return { ok: false, reason }
  }
  return { ok: true, isa: chosen.name as Isa, path: state.path }
}

/** Variants that this processor runs, best first; none without an addon. */
export function nativeVariants(): Isa[] {
  const state = loadAddon()
  if ('reason' in state) return []
  return state.addon.variants().flatMap(({ name, supported }) => (supported ? [name as Isa] : []))
}

/** Throws `unsupported` when {@link nativeState} is not ok. */
export function nativeBackend(isa?: Isa): Backend {
  const state = nativeState()
  const loaded = loadAddon()
  if ('reason' in loaded || !state.ok)
    throw new EspalierError('unsupported', 'native kernels cannot run here', {
      got: state.ok ? '' : state.reason,
    })
  const { addon } = loaded
  const name = isa ?? state.isa
  const variant = addon.variants().find(entry => entry.name === name && entry.supported)
  if (variant === undefined)
    throw new EspalierError('unsupported', `this processor does not run the ${name} kernels`)
  return new NativeBackend(addon, name, variant.traits)
}

class NativeBackend implements Backend {
  readonly name = 'native'
  readonly isa: Isa
  readonly traits: Backend['traits']
  readonly #addon: Addon

  constructor(addon: Addon, isa: Isa, traits: Int32Array) {
    this.#addon = addon
    this.isa = isa
    this.traits = traitsOf(traits)
  }

  allocate(bytes: number): NativeBlock {
    return { bytes, view: new Uint8Array(this.#memory(bytes, this.#addon.allocate)), owned: true }
  }

  hold(bytes: Uint8Array): NativeBlock {
    return { bytes: bytes.byteLength, view: bytes, owned: false }
  }

  write(block: NativeBlock, bytes: number, fill: (target: Uint8Array) => void): void {
    fill(block.view.subarray(0, bytes))
  }

  release(block: NativeBlock): void {
    if (block.owned && block.view.byteLength > 0) this.#addon.release(block.view.buffer as ArrayBuffer)
    block.view = new Uint8Array(0)
  }

  output(bytes: number): ArrayBuffer {
    // Memory of the addon's comes back in a later turn of the event loop, which a loop of `runSync` never reaches: it gives
    // only so much. Small results come quicker from the host.
    return this.#memory(
      bytes,
      size => (size < 65536 ? undefined : this.#addon.borrow(size)) ?? resultMemory(size),
    )
  }

  #memory(bytes: number, take: (bytes: number) => ArrayBuffer): ArrayBuffer {
    try {
      return take(bytes)
    } catch (cause) {
      throw new EspalierError('too-large', `cannot allocate ${bytes} bytes for a plan`, {
        hint: 'Run smaller batches',
        cause,
      })
    }
  }

  program(
    segments: readonly Int32Array[],
    blocks: readonly NativeBlock[],
    inputs: readonly number[],
    outputs: readonly number[],
  ): Program {
    const views: (Uint8Array | null)[] = blocks.map(({ view }) => view)
    for (let i = 0; i < inputs.length + outputs.length; i++) views.push(null)
    const programs = segments.map(code => this.#addon.program(this.isa, code, views))
    const sizes = [...blocks.map(({ bytes }) => bytes), ...inputs, ...outputs]
    return new BoundProgram(this.#addon, programs, blocks, sizes)
  }

  dispose(): void {}
}

class BoundProgram implements Program {
  readonly #addon: Addon
  readonly #programs: readonly NativeProgram[]
  readonly #blocks: readonly NativeBlock[]
  /** Bytes of each space. */
  readonly #sizes: readonly number[]
  #ports: readonly Uint8Array[] = []

  constructor(
    addon: Addon,
    programs: readonly NativeProgram[],
    blocks: readonly NativeBlock[],
    sizes: readonly number[],
  ) {
    this.#addon = addon
    this.#programs = programs
    this.#blocks = blocks
    this.#sizes = sizes
  }

  begin(inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
    this.#ports = [...inputs, ...outputs]
  }

  run(segment: number, threads: number, times?: Float64Array): Fault | undefined {
    this.#checkMemory()
    return faultOf(this.#addon.run(this.#programs[segment]!, this.#ports, threads, times))
  }

  async start(segment: number, threads: number): Promise<Fault | undefined> {
    this.#checkMemory()
    return faultOf(await this.#addon.start(this.#programs[segment]!, this.#ports, threads))
  }

  bytes(space: number): Uint8Array {
    return this.#blocks[space]?.view ?? this.#ports[space - this.#blocks.length]!
  }

  end(): void {
    this.#ports = []
  }

  dispose(): void {
    this.#ports = []
  }

  /** Kernels are given addresses: memory that a caller has transferred is at none of them any more. */
  #checkMemory(): void {
    const gone = this.#sizes.findIndex((bytes, space) => this.bytes(space).byteLength !== bytes)
    if (gone < 0) return
    throw new EspalierError('bad-argument', 'memory of the model or of its inputs went elsewhere', {
      expected: `${this.#sizes[gone]} bytes`,
      got: `${this.bytes(gone).byteLength}`,
      hint: 'Weights must not be transferred while there is a session, and feeds until a run has ended',
    })
  }
}

function faultOf(found: NativeFault | undefined): Fault | undefined {
  return found && { code: found[0], step: found[1], value: found[2] }
}
