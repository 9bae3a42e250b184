/** The constants of a session in the memory of its backend: each made once, whatever the number of plans. */
import { encode, type Place } from '../../plan/encode.ts'
import type { Constant } from '../../plan/plan.ts'
import type { Buffer } from '../../plan/step.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Backend, Block } from './backend.ts'

export class ConstantStore {
  readonly #backend: Backend
  readonly #threads: number
  readonly #made = new Map<Tensor, Map<string, Block>>()
  readonly #tables: Block[] = []

  constructor(backend: Backend, threads: number) {
    this.#backend = backend
    this.#threads = threads
  }

  /** The block of a constant. */
  get(constant: Constant): Block {
    if (constant.kind === 'table') {
      const block = this.#backend.hold(constant.data)
      this.#tables.push(block)
      return block
    }
    const { source } = constant
    const layouts = this.#made.get(source) ?? new Map<string, Block>()
    this.#made.set(source, layouts)
    const layout = constant.kind === 'packed' ? constant.layout : ''
    let block = layouts.get(layout)
    if (block === undefined) {
      block = constant.kind === 'packed' ? this.#pack(constant) : this.#backend.hold(alignedBytes(source))
      layouts.set(layout, block)
    }
    return block
  }

  release(): void {
    const blocks = [...this.#tables, ...[...this.#made.values()].flatMap(layouts => [...layouts.values()])]
    for (const block of blocks) this.#backend.release(block)
    this.#made.clear()
    this.#tables.length = 0
  }

  #pack({ source, buffer, from, pack }: Constant & { kind: 'packed' }): Block {
    const target = this.#backend.allocate(buffer.bytes)
    const original = this.#backend.hold(alignedBytes(source))
    const placeOf = (asked: Buffer): Place => ({ space: asked === from ? 0 : 1, offset: 0 })
    const program = this.#backend.program([encode([pack], [false], placeOf)], [original, target], [], [])
    program.begin([], [])
    program.run(0, this.#threads)
    program.end()
    program.dispose()
    this.#backend.release(original)
    return target
  }
}

/** The bytes of a tensor, aligned to its elements. */
export function alignedBytes({ data }: Tensor): Uint8Array {
  if (!ArrayBuffer.isView(data)) throw new Error('strings have no bytes')
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
