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
import type { Tensor } from '../../tensor/tensor.ts'
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

  constructor(backend: Backend, threads: number) {
    this.#backend = backend
    this.#threads = threads
  }

  /** The block of a constant, for one more user. */
  take(constant: Constant): Block {
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

  /** What {@link take} gave is not needed any more. */
  giveBack(constant: Constant): void {
    const { source, layout } = originOf(constant)
    const layouts = this.#made.get(source)
    const held = layouts?.get(layout)
    if (layouts === undefined || held === undefined || --held.users > 0) return
    this.#backend.release(held.block)
    layouts.delete(layout)
    if (layouts.size === 0) this.#made.delete(source)
  }

  #make(constant: Constant): Block {
    if (constant.kind === 'table') return this.#backend.hold(constant.data)
    if (constant.kind === 'raw') return this.#backend.hold(alignedBytes(constant.source))
    return this.#pack(constant)
  }

  #pack({ source, buffer, from, pack }: Constant & { kind: 'packed' }): Block {
    const target = this.#backend.allocate(buffer.bytes)
    const original = this.#backend.hold(alignedBytes(source))
    const placeOf = (asked: Buffer): Place => ({ space: asked === from ? 0 : 1, offset: 0 })
    const program = this.#backend.program([encode([pack], [false], placeOf)], [original, target], [], [])
    program.begin([], [])
    program.run(0, buffer.bytes < SHARED_FROM ? 1 : this.#threads)
    program.end()
    program.dispose()
    this.#backend.release(original)
    return target
  }
}

function originOf(constant: Constant): { readonly source: object; readonly layout: string } {
  if (constant.kind === 'table') return { source: constant.data, layout: '' }
  return { source: constant.source, layout: constant.kind === 'packed' ? constant.layout : '' }
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
