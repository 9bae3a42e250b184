/**
 * Plans on WebAssembly: one linear memory a session, which goes with it. Inputs are copied in and outputs out; threads
 * enter the same code on workers that share the memory (workers.ts).
 */
import { EspalierError } from '../../errors.ts'
import { fits, traitNames, traitsOf } from '../../plan/target.ts'
import type { Backend, Block, Fault, Program } from '../engine/backend.ts'
import { resultMemory } from '../engine/result-memory.ts'
import { Heap } from './heap.ts'
import { type WasmIsa, wasmModule, wasmVariants } from './module.ts'
import { type Crew, stackBytes } from './workers.ts'

interface WasmBlock extends Block {
  readonly address: number
}

/** The code of a segment, in memory. */
interface Code {
  readonly address: number
  readonly words: number
}

/** What a module exports (kernels/wasm/entry.cc). */
interface Exports {
  run(frame: number, thread: number): void
  trait(index: number): number
  readonly __heap_base: WebAssembly.Global
  readonly __stack_pointer: WebAssembly.Global
}

/** Bytes of the call frame, and where its fields lie (`Frame` in kernels/wasm/entry.cc). */
const frame = {
  bytes: 64 + 32 * 16 * 4, // numbers drawn by threads come last
  ...{ fault: 8, step: 12, value: 16, code: 24, words: 28, spaces: 32, times: 36, threads: 40 },
} as const

/** Whether WebAssembly runs here, on which variant. `ESPALIER_ISA` may ask for one. */
export function wasmState():
  | { readonly ok: true; readonly isa: WasmIsa }
  | { readonly ok: false; readonly reason: string } {
  const variants = wasmVariants()
  const asked = globalThis.process?.env?.ESPALIER_ISA
  const wanted = asked?.startsWith('wasm') ? asked : undefined
  const isa = wanted === undefined ? variants[0] : variants.find(name => name === wanted)
  if (isa !== undefined) return { ok: true, isa }
  return {
    ok: false,
    reason: wanted ? `this host does not run ${wanted}` : 'this host has no WebAssembly',
  }
}

/** The variant that {@link wasmState} names. Throws `unsupported` where there is none. */
export function wasmVariant(): WasmIsa {
  const state = wasmState()
  if (state.ok) return state.isa
  throw new EspalierError('unsupported', 'WebAssembly cannot run here', { got: state.reason })
}

/** A backend with a memory of its own. With a crew, its workers share the memory. The variant must be loaded. */
export function wasmBackend(crew?: Crew, isa: WasmIsa = wasmVariant()): Backend {
  for (const spare of spares.filter(({ crew }) => crew?.retired)) {
    spares.splice(spares.indexOf(spare), 1)
    spare.drop()
  }
  const index = spares.findIndex(spare => spare.isa === isa && spare.crew === crew)
  return spares.splice(index, index < 0 ? 0 : 1)[0] ?? new WasmBackend(isa, crew)
}

/**
 * Backends whose sessions are disposed, kept for the next ones: hosts set aside gigabytes of addresses for each memory,
 * and take them back only when they collect garbage, so that sessions made and disposed in a row would run out of them.
 */
const spares: WasmBackend[] = []
const MOST_SPARES = 4
/** Bytes up to which a memory is kept; larger ones go, since a memory never shrinks. */
const SPARE_BYTES = 2 ** 26

const pageBytes = 65536

class WasmBackend implements Backend {
  readonly name = 'wasm'
  readonly isa: WasmIsa
  readonly traits: Backend['traits']
  readonly heap: Heap
  readonly exports: Exports
  readonly crew: Crew | undefined
  /** One call frame for all runs: a worker may still be on its way out of the last run's barrier, which lies in it. */
  readonly #frame: number
  readonly #detach: () => void

  constructor(isa: WasmIsa, crew: Crew | undefined) {
    this.isa = isa
    this.crew = crew
    const shared = crew !== undefined
    const module = wasmModule(isa, shared)
    const memory = makeMemory(shared)
    this.exports = instantiate(module, memory, crew)
    const traits = traitNames.map((_, index) => this.exports.trait(index))
    if (!fits(traits))
      throw new EspalierError('unsupported', 'the WebAssembly kernels were built for another version', {
        hint: 'npm run build:wasm',
      })
    this.traits = traitsOf(traits)
    let base = Number(this.exports.__heap_base.value)
    // Each worker has a stack of its own.
    const stacks = Math.ceil(base / pageBytes) * pageBytes
    if (crew !== undefined) base = stacks + crew.size * stackBytes
    if (base > memory.buffer.byteLength) memory.grow(Math.ceil((base - memory.buffer.byteLength) / pageBytes))
    this.#detach = crew?.attach(module, memory, stacks) ?? (() => {})
    this.heap = new Heap(memory, base)
    this.#frame = this.heap.allocate(frame.bytes)
  }

  allocate(bytes: number): WasmBlock {
    return { bytes, address: this.heap.allocate(bytes) }
  }

  hold(bytes: Uint8Array): WasmBlock {
    const block = this.allocate(bytes.byteLength)
    this.heap.bytes(block.address, bytes.byteLength).set(bytes)
    return block
  }

  write(block: WasmBlock, bytes: number, fill: (target: Uint8Array) => void): void {
    fill(this.heap.bytes(block.address, bytes))
  }

  release(block: WasmBlock): void {
    this.heap.release(block.address)
  }

  output(bytes: number): ArrayBuffer {
    try {
      return resultMemory(bytes)
    } catch (cause) {
      throw new EspalierError('too-large', `cannot allocate ${bytes} bytes for a result`, { cause })
    }
  }

  program(
    segments: readonly Int32Array[],
    blocks: readonly WasmBlock[],
    inputs: readonly number[],
    outputs: readonly number[],
  ): Program {
    return new BoundProgram(this, segments, blocks, inputs, outputs)
  }

  /** Runs code on the calling thread and the crew. `times` is where seconds are added, 0 for nowhere. */
  run(code: Code, spaces: number, threads: number, times: number): Fault | undefined {
    const address = this.#frame
    const view = new DataView(this.heap.memory.buffer, address, frame.bytes)
    const team = Math.min(threads, 1 + (this.crew?.size ?? 0))
    view.setInt32(frame.fault, 0, true)
    view.setUint32(frame.code, code.address, true)
    view.setUint32(frame.words, code.words, true)
    view.setUint32(frame.spaces, spaces, true)
    view.setUint32(frame.times, times, true)
    view.setUint32(frame.threads, team, true)
    if (team > 1) this.crew!.enter(this.heap.memory, address, team)
    this.exports.run(address, 0)
    const fault = view.getInt32(frame.fault, true)
    if (fault === 0) return undefined
    const step = view.getInt32(frame.step, true)
    return { code: fault, step, value: Number(view.getBigInt64(frame.value, true)) }
  }

  dispose(): void {
    const { memory, blocks } = this.heap
    const empty = blocks === 1 // the frame
    const keeps = empty && memory.buffer.byteLength <= SPARE_BYTES && spares.length < MOST_SPARES
    if (keeps && !this.crew?.retired) spares.push(this)
    else this.drop()
  }

  /** Lets the workers out of the memory, which goes when it is collected. */
  drop(): void {
    this.#detach()
  }
}

/** A memory that may grow to all that 32 bits address; the host sets addresses aside for it. */
function makeMemory(shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 32, maximum: 65536, shared })
  } catch (cause) {
    throw new EspalierError('too-large', 'the host has no room for one more WebAssembly memory', {
      hint: 'dispose() sessions that are not needed any more',
      cause,
    })
  }
}

/** How long the calling thread sleeps in a barrier before it looks whether those it waits for are still there. */
const WAIT_MS = 100

function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  crew: Crew | undefined,
): Exports {
  const env = {
    memory,
    clock: () => performance.now() / 1000,
    // Where a thread must not sleep (a page's own), it looks again.
    sleep: (address: number, value: number) => {
      try {
        Atomics.wait(new Int32Array(memory.buffer), address >> 2, value, WAIT_MS)
      } catch {}
      crew?.check() // what it throws ends the run
    },
  }
  return new WebAssembly.Instance(module, { env }).exports as unknown as Exports
}

class BoundProgram implements Program {
  readonly #backend: WasmBackend
  readonly #owned: number[] = []
  readonly #codes: readonly Code[]
  readonly #spaces: number
  readonly #blocks: readonly { readonly address: number; readonly bytes: number }[]
  readonly #inputs: number
  #outputs: readonly Uint8Array[] = []

  constructor(
    backend: WasmBackend,
    segments: readonly Int32Array[],
    blocks: readonly WasmBlock[],
    inputs: readonly number[],
    outputs: readonly number[],
  ) {
    this.#backend = backend
    const allocate = (bytes: number): number => {
      const address = backend.heap.allocate(bytes)
      this.#owned.push(address)
      return address
    }
    this.#inputs = blocks.length
    try {
      const ports = [...inputs, ...outputs].map(bytes => ({ bytes, address: allocate(bytes) }))
      this.#blocks = [...blocks, ...ports]
      this.#spaces = allocate(4 * this.#blocks.length)
      this.#codes = segments.map(code => ({ address: allocate(code.byteLength), words: code.length }))
    } catch (error) {
      this.dispose()
      throw error
    }
    const { heap } = backend
    const view = new DataView(heap.memory.buffer)
    for (const [index, { address }] of this.#blocks.entries())
      view.setUint32(this.#spaces + 4 * index, address, true)
    for (const [index, code] of segments.entries())
      heap
        .bytes(this.#codes[index]!.address, code.byteLength)
        .set(new Uint8Array(code.buffer, code.byteOffset, code.byteLength))
  }

  begin(inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
    for (const [index, bytes] of inputs.entries()) this.bytes(this.#inputs + index).set(bytes)
    this.#outputs = outputs
  }

  run(segment: number, threads: number, times?: Float64Array): Fault | undefined {
    const { heap } = this.#backend
    const timesAt = times === undefined ? 0 : heap.allocate(times.byteLength)
    const fault = this.#backend.run(this.#codes[segment]!, this.#spaces, threads, timesAt)
    if (times !== undefined) {
      const found = heap.bytes(timesAt, times.byteLength)
      const seconds = new Float64Array(found.slice().buffer)
      for (const [index, value] of seconds.entries()) times[index]! += value
      heap.release(timesAt)
    }
    return fault
  }

  async start(segment: number, threads: number): Promise<Fault | undefined> {
    return this.run(segment, threads)
  }

  bytes(space: number): Uint8Array {
    const { address, bytes } = this.#blocks[space]!
    return this.#backend.heap.bytes(address, bytes)
  }

  end(): void {
    const first = this.#blocks.length - this.#outputs.length
    for (const [index, bytes] of this.#outputs.entries()) bytes.set(this.bytes(first + index))
    this.#outputs = []
  }

  dispose(): void {
    for (const address of this.#owned.splice(0)) this.#backend.heap.release(address)
  }
}
