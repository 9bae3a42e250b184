/**
 * The memory of a WebAssembly session: blocks in one linear memory that grows when nothing free is large enough. First
 * fit over a list of gaps in order of address: a session allocates rarely, and in few sizes.
 */
import { EspalierError } from '../../errors.ts'
import { roundUp } from '../../plan/memory.ts'

const pageBytes = 65536
/** Pages of 32 bits of address. */
const mostPages = 65536

interface Gap {
  start: number
  end: number
}

export class Heap {
  readonly memory: WebAssembly.Memory
  readonly #gaps: Gap[] = []
  readonly #sizes = new Map<number, number>()

  /** `base` is the first address that is free. */
  constructor(memory: WebAssembly.Memory, base: number) {
    this.memory = memory
    const start = roundUp(base)
    if (start < memory.buffer.byteLength) this.#gaps.push({ start, end: memory.buffer.byteLength })
  }

  /** Blocks in use. */
  get blocks(): number {
    return this.#sizes.size
  }

  /** The address of `bytes` bytes, which are zeros. Throws `too-large`. */
  allocate(bytes: number): number {
    const size = roundUp(bytes)
    let index = this.#gaps.findIndex(({ start, end }) => end - start >= size)
    if (index < 0) {
      this.#grow(size)
      index = this.#gaps.length - 1
    }
    const gap = this.#gaps[index]!
    const address = gap.start
    gap.start += size
    if (gap.start === gap.end) this.#gaps.splice(index, 1)
    this.#sizes.set(address, size)
    this.bytes(address, size).fill(0)
    return address
  }

  release(address: number): void {
    const size = this.#sizes.get(address)
    if (size === undefined) return
    this.#sizes.delete(address)
    let index = this.#gaps.findIndex(({ start }) => start > address)
    if (index < 0) index = this.#gaps.length
    this.#gaps.splice(index, 0, { start: address, end: address + size })
    for (const left of [index, index - 1]) {
      const [a, b] = [this.#gaps[left], this.#gaps[left + 1]]
      if (a === undefined || b === undefined || a.end !== b.start) continue
      a.end = b.end
      this.#gaps.splice(left + 1, 1)
    }
  }

  /** A view, good until the memory grows. */
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length)
  }

  #grow(size: number): void {
    const before = this.memory.buffer.byteLength
    const last = this.#gaps.at(-1)
    const free = last !== undefined && last.end === before ? before - last.start : 0
    const pages = Math.ceil((size - free) / pageBytes)
    try {
      if (before / pageBytes + pages > mostPages) throw new RangeError('beyond 4 GiB')
      this.memory.grow(pages)
    } catch (cause) {
      throw new EspalierError('too-large', `WebAssembly cannot have ${size} more bytes`, {
        got: `${before} in use`,
        hint: 'Use the native back end, or a smaller batch',
        cause,
      })
    }
    const end = this.memory.buffer.byteLength
    if (last !== undefined && free > 0) last.end = end
    else this.#gaps.push({ start: before, end })
  }
}
