/**
 * Reading protobuf's wire format from a byte source: a window slides over the source, so that structure is read
 * in large pieces and weights are stepped over. Proto3 encoding guide: protobuf.dev/programming-guides/encoding.
 */
import { EspalierError } from '../../errors.ts'
import type { ByteSource } from '../io/source.ts'

/**
 * How a field's value is laid out in the file: 0 a varint, 1 eight bytes, 2 a length and as many bytes, 5 four bytes.
 * Groups (3 and 4) are obsolete and refused.
 */
export type WireType = 0 | 1 | 2 | 5

/** Bytes of a window: more and more where bytes are read one after another, few after a step over weights. */
const LEAST_WINDOW = 1 << 12
const WINDOW = 1 << 18

/** A position in a source, with the bytes around it. */
export class Cursor {
  readonly source: ByteSource
  /** Absolute position of the next byte. */
  at = 0
  #window: Uint8Array = new Uint8Array(0)
  #start = 0

  constructor(source: ByteSource) {
    this.source = source
  }

  byte(): number {
    const index = this.at - this.#start
    if (index < 0 || index >= this.#window.length) {
      if (this.at >= this.source.size) throw this.fail('truncated', 'the file ends inside a field')
      this.#slide(1)
      return this.#window[this.at++ - this.#start]!
    }
    this.at++
    return this.#window[index]!
  }

  /** A base-128 number of up to 64 bits, as two's complement: a number where exact, otherwise a bigint. */
  varint(): number | bigint {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      low += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return low
    }
    let high = 0
    for (let shift = 0; shift < 42; shift += 7) {
      const byte = this.byte()
      high += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (high < 2 ** 25) return low + high * 2 ** 28
        const wide = BigInt.asIntN(64, BigInt(low) + (BigInt(high) << 28n))
        return wide >= BigInt(Number.MIN_SAFE_INTEGER) && wide <= BigInt(Number.MAX_SAFE_INTEGER)
          ? Number(wide)
          : wide
      }
    }
    throw this.fail('malformed', 'a number takes more than ten bytes')
  }

  /** A varint that counts or measures something: not negative, not beyond 2^53. */
  size(): number {
    const next = this.#window[this.at - this.#start]
    if (next !== undefined && next < 0x80) {
      this.at++
      return next
    }
    const value = this.varint()
    if (typeof value === 'number' && value >= 0) return value
    throw this.fail('malformed', 'a length is not a length', `${value}`)
  }

  float(): number {
    return view(this.bytes(4)).getFloat32(0, true)
  }

  double(): number {
    return view(this.bytes(8)).getFloat64(0, true)
  }

  /** The next `length` bytes: a view of the window or of memory; copied only where the window is too small. */
  bytes(length: number): Uint8Array {
    if (length > this.source.size - this.at) throw this.fail('truncated', 'a field is longer than the file')
    const index = this.at - this.#start
    let result: Uint8Array
    if (index >= 0 && index + length <= this.#window.length)
      result = this.#window.subarray(index, index + length)
    else if (length > WINDOW) result = this.source.readSync(this.at, length)
    else {
      this.#slide(length)
      result = this.#window.subarray(0, length)
    }
    this.at += length
    return result
  }

  /** Steps over `length` bytes without reading them. */
  skip(length: number): void {
    if (length > this.source.size - this.at) throw this.fail('truncated', 'a field is longer than the file')
    this.at += length
  }

  /** An error at the present position. */
  fail(code: 'malformed' | 'truncated' | 'too-large', summary: string, got?: string): EspalierError {
    return new EspalierError(code, summary, {
      where: { offset: this.at },
      ...(got !== undefined && { got }),
    })
  }

  #slide(length: number): void {
    const index = this.at - this.#start
    const goesOn = index >= 0 && index <= this.#window.length
    const window = goesOn ? Math.min(4 * this.#window.length, WINDOW) : 0
    this.#start = this.at
    this.#window = this.source.readSync(
      this.at,
      Math.min(Math.max(length, window, LEAST_WINDOW), this.source.size - this.at),
    )
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
