/**
 * What runs plans: memory that kernels can reach, and programs in it. Native and WebAssembly implement this; everything
 * above is the same for both.
 */
import type { Isa, Traits } from '../../plan/target.ts'

/** Memory of a backend. */
export interface Block {
  readonly bytes: number
}

/** What a kernel noted when it met data that it cannot work on. */
export interface Fault {
  /** 1: an index out of range, 2: a division by zero, 3: a length that does not fit. */
  readonly code: number
  /** Number of the step in its segment. */
  readonly step: number
  /** The offending number. */
  readonly value: number
}

/** A plan's code, bound to memory. Not for two runs at once. */
export interface Program {
  /** Begins a run: the inputs and outputs of the plan, in its order. Outputs are complete after {@link end}. */
  begin(inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void
  /** Runs a segment. With `times`, the seconds of every step are added there. */
  run(segment: number, threads: number, times?: Float64Array): Fault | undefined
  /** The same without holding up the caller, where the backend can. */
  start(segment: number, threads: number): Promise<Fault | undefined>
  /** The memory of a space: of a block, an input or an output. Good until the next allocation. */
  bytes(space: number): Uint8Array
  end(): void
  dispose(): void
}

export interface Backend {
  readonly name: 'native' | 'wasm'
  readonly isa: Isa
  readonly traits: Traits
  /** New memory, zeros, aligned to 64 bytes where the host allows. Throws `too-large`. */
  allocate(bytes: number): Block
  /** Memory with these contents; may be these very bytes, which must then not change. */
  hold(bytes: Uint8Array): Block
  /** Has `fill` write the first `bytes` bytes of a block that was allocated. */
  write(block: Block, bytes: number, fill: (target: Uint8Array) => void): void
  release(block: Block): void
  /** Memory of a result, which belongs to the caller; may hold anything. */
  output(bytes: number): ArrayBuffer
  /** Space i is `blocks[i]`; the inputs follow, of so many bytes each, then the outputs. */
  program(
    segments: readonly Int32Array[],
    blocks: readonly Block[],
    inputs: readonly number[],
    outputs: readonly number[],
  ): Program
  /** Gives back all that it holds. */
  dispose(): void
}
