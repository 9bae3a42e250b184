/**
 * A plan: everything that running a graph at given shapes takes, as plain data. Steps in order, a place for every
 * buffer, and the same steps as words for the executor. Where a step has no kernel the code is cut, and the operator's
 * reference evaluation runs in between on the same memory.
 */
import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { placeBarriers } from './barriers.ts'
import { encode, type Place } from './encode.ts'
import { placeBuffers } from './memory.ts'
import { type Buffer, costOf, type HostStep, type Step } from './step.ts'
import type { Target } from './target.ts'

/** An input or output. */
export interface Port {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly buffer: Buffer
}

/** A constant that steps read: as it is in the graph, packed for a kernel by one or by TypeScript, or a table made by the compiler. */
export type Constant =
  | { readonly kind: 'raw'; readonly buffer: Buffer; readonly source: Tensor }
  | { readonly kind: 'table'; readonly buffer: Buffer; readonly data: Uint8Array }
  | {
      readonly kind: 'packed'
      readonly buffer: Buffer
      /** With `source`, says what the result is: equal ones are made once. */
      readonly layout: string
      readonly source: Tensor
      /** Where `pack` reads the source. */
      readonly from: Buffer
      readonly pack: Step
    }
  | {
      readonly kind: 'made'
      readonly buffer: Buffer
      /** With `source`, says what the result is, as for those that are packed. */
      readonly layout: string
      readonly source: Tensor
      /** The bytes, which the caller has alone. */
      readonly make: () => Uint8Array
    }

/** Steps that run in one call, or one that runs in TypeScript. */
export type Segment =
  | {
      readonly kind: 'code'
      readonly steps: readonly Step[]
      readonly barriers: readonly boolean[]
      readonly code: Int32Array
    }
  | { readonly kind: 'host'; readonly step: HostStep }

export interface Plan {
  readonly target: Target
  /** Threads that pay: those of the target, or one where there is too little work to share. */
  readonly threads: number
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly constants: readonly Constant[]
  /** Bytes of the block that activations and scratch take turns in. */
  readonly arenaBytes: number
  readonly segments: readonly Segment[]
  /** Block 0 is the arena; then come the constants, the inputs and the outputs, each a block of its own. */
  readonly places: ReadonlyMap<Buffer, Place>
}

/** Gives every buffer a place and every step its words. */
export function assemble(
  parts: Pick<Plan, 'target' | 'inputs' | 'outputs' | 'constants'> & {
    readonly steps: readonly (Step | HostStep)[]
  },
): Plan {
  const { steps, ...rest } = parts
  const arena = placeBuffers(steps)
  const places = new Map<Buffer, Place>()
  for (const [buffer, offset] of arena.offsets) places.set(buffer, { space: 0, offset })
  const blocks = [...rest.constants, ...rest.inputs, ...rest.outputs]
  for (const [index, { buffer }] of blocks.entries()) places.set(buffer, { space: index + 1, offset: 0 })
  const placeOf = (buffer: Buffer): Place => {
    const place = places.get(buffer)
    if (place === undefined) throw new Error(`"${buffer.name}" has no place`)
    return place
  }
  const segments = segmentsOf(steps, placeOf)
  return { ...rest, threads: threadsFor(rest.target, segments), arenaBytes: arena.bytes, segments, places }
}

/** Seconds of work on one thread below which waking others takes longer than it saves. */
const LITTLE_WORK = 30e-6

/** Whether sharing pays, at a modest guess of what a core does: 50 Gflop/s in cache, 10 GB/s. */
function threadsFor({ threads }: Target, segments: readonly Segment[]): number {
  let seconds = 0
  for (const segment of segments)
    for (const step of segment.kind === 'code' ? segment.steps : []) {
      const { flops, bytes } = costOf(step)
      seconds += Math.max(flops / 50e9, bytes / 10e9)
    }
  return seconds < LITTLE_WORK ? 1 : threads
}

function segmentsOf(steps: readonly (Step | HostStep)[], placeOf: (buffer: Buffer) => Place): Segment[] {
  const segments: Segment[] = []
  let run: Step[] = []
  const close = (): void => {
    if (run.length === 0) return
    const barriers = placeBarriers(run, placeOf)
    segments.push({ kind: 'code', steps: run, barriers, code: encode(run, barriers, placeOf) })
    run = []
  }
  for (const step of steps) {
    if (step.kind !== 'host') {
      run.push(step)
      continue
    }
    close()
    segments.push({ kind: 'host', step })
  }
  close()
  return segments
}
