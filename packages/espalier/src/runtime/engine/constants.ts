/**
 * The constants of a session in the memory of its backend: each made once, whatever the number of plans, and given back
 * with the last instance that uses it.
 */
import { EspalierError, locate } from '../../errors.ts'
import { encode, type Place } from '../../plan/encode.ts'
import type { Constant } from '../../plan/plan.ts'
import type { Buffer } from '../../plan/step.ts'
import { byteLength } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type StoredBytes, storedBytes, type Tensor } from '../../tensor/tensor.ts'
import type { Backend, Block } from './backend.ts'

interface Held {
  readonly block: Block
  users: number
}

/** Bytes from which packing a weight is worth waking other threads. */
const SHARED_FROM = 2 ** 20

export class ConstantStore {
  readonly #backend: Backend
  readonly #threads: number
  /** By what they are made from, and the layout they are in. */
  readonly #made = new Map<object, Map<string, Held>>()
  /** Where weights are read to, to be packed from there. */
  #scratch: Block | undefined

  constructor(backend: Backend, threads: number) {
    this.#backend = backend
    this.#threads = threads
  }

  /** Bytes of all that is held, as kernels read it. */
  get bytes(): number {
    let sum = 0
    for (const layouts of this.#made.values()) for (const { block } of layouts.values()) sum += block.bytes
    return sum
  }

  /** The blocks of constants, for one more user. Throws `too-large`, and what reading them does; nothing is held then. */
  takeAll(constants: readonly Constant[]): Block[] {
    const taken: Block[] = []
    try {
      for (const constant of constants) taken.push(this.#take(constant))
      return taken
    } catch (error) {
      this.giveBack(constants.slice(0, taken.length))
      throw error
    } finally {
      if (this.#scratch !== undefined) this.#backend.release(this.#scratch)
      this.#scratch = undefined
    }
  }

  /** What {@link takeAll} gave is not needed any more. */
  giveBack(constants: readonly Constant[]): void {
    for (const constant of constants) {
      const { source, layout } = originOf(constant)
      const layouts = this.#made.get(source)
      const held = layouts?.get(layout)
      if (layouts === undefined || held === undefined || --held.users > 0) continue
      this.#backend.release(held.block)
      layouts.delete(layout)
      if (layouts.size === 0) this.#made.delete(source)
    }
  }

  #take(constant: Constant): Block {
    const { source, layout } = originOf(constant)
    const layouts = this.#made.get(source) ?? new Map<string, Held>()
    let held = layouts.get(layout)
    if (held === undefined) {
      const block = locate({ tensor: constant.buffer.name }, () => this.#make(constant))
      held = { block, users: 0 }
      layouts.set(layout, held)
      this.#made.set(source, layouts)
    }
    held.users++
    return held.block
  }

  #make(constant: Constant): Block {
    if (constant.kind === 'table') return this.#backend.hold(constant.data)
    if (constant.kind === 'packed') return this.#pack(constant)
    if (constant.kind === 'made') return this.#backend.hold(constant.make())
    const stored = storedBytes(constant.source)
    return stored === undefined ? this.#backend.hold(alignedBytes(constant.source)) : this.#load(stored)
  }

  #load(stored: StoredBytes): Block {
    const block = this.#backend.allocate(stored.byteLength)
    try {
      this.#backend.write(block, stored.byteLength, target => stored.fill(target))
    } catch (error) {
      this.#backend.release(block)
      throw error
    }
    return block
  }

  #pack({ source, buffer, from, pack }: Constant & { kind: 'packed' }): Block {
    const raw = this.#made.get(source)?.get(RAW)?.block
    const stored = storedBytes(source)
    const isPassing = raw === undefined && stored === undefined
    const original =
      raw ?? (stored === undefined ? this.#backend.hold(alignedBytes(source)) : this.#readToScratch(stored))
    const target = this.#backend.allocate(buffer.bytes)
    const placeOf = (asked: Buffer): Place => ({ space: asked === from ? 0 : 1, offset: 0 })
    const program = this.#backend.program([encode([pack], [false], placeOf)], [original, target], [], [])
    program.begin([], [])
    program.run(0, buffer.bytes < SHARED_FROM ? 1 : this.#threads)
    program.end()
    program.dispose()
    if (isPassing) this.#backend.release(original)
    return target
  }

  /** What is stored in a file, in memory that the next one takes too. */
  #readToScratch(stored: StoredBytes): Block {
    let scratch = this.#scratch
    if (scratch === undefined || scratch.bytes < stored.byteLength) {
      if (scratch !== undefined) this.#backend.release(scratch)
      this.#scratch = undefined
      scratch = this.#backend.allocate(stored.byteLength)
      this.#scratch = scratch
    }
    this.#backend.write(scratch, stored.byteLength, target => stored.fill(target))
    return scratch
  }
}

/** Layout of a constant as it is. */
const RAW = ''

function originOf(constant: Constant): { readonly source: object; readonly layout: string } {
  if (constant.kind === 'table') return { source: constant.data, layout: RAW }
  return { source: constant.source, layout: constant.kind === 'raw' ? RAW : constant.layout }
}

/**
 * The bytes of a tensor, aligned to its elements. Throws `bad-argument` where they are not as many as its shape says:
 * kernels are given an address, and would read on.
 */
export function alignedBytes({ data, dtype, shape }: Tensor): Uint8Array {
  if (!ArrayBuffer.isView(data)) throw new Error('strings have no bytes')
  const expected = byteLength(dtype, sizeOf(shape))
  if (data.byteLength !== expected)
    throw new EspalierError('bad-argument', 'the data of a tensor does not fill its shape', {
      expected: `${expected} bytes`,
      got: `${data.byteLength}`,
      hint: 'Weights must not be transferred while there is a session, and feeds until a run has ended',
    })
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
