/** Strings of bits, lowest bit of a byte first: what pattern codecs write and read. Past the end there is an error, not zeros. */
import { EspalierError } from '../../errors.ts'
import { allocate } from '../../tensor/tensor.ts'

/** Writes into a buffer of a length that is known beforehand. */
export class BitWriter {
  readonly bytes: Uint8Array
  #at = 0

  constructor(bits: number) {
    this.bytes = allocate('uint8', Math.ceil(bits / 8))
  }

  /** The low `count` bits of `value`; `count` is at most 24. */
  write(value: number, count: number): void {
    let at = this.#at
    this.#at += count
    for (let rest = value, left = count; left > 0; ) {
      const offset = at & 7
      const taken = Math.min(8 - offset, left)
      this.bytes[Math.floor(at / 8)]! |= (rest << offset) & 0xff
      rest >>>= taken
      left -= taken
      at += taken
    }
  }

  /** `count` ones and a zero. */
  writeUnary(count: number): void {
    let left = count
    for (; left > 24; left -= 24) this.write(0xffffff, 24)
    if (left > 0) this.write(2 ** left - 1, left)
    this.#at++
  }
}

/** Reads what {@link BitWriter} wrote. Everything throws `malformed` past the end. */
export class BitReader {
  readonly #bytes: Uint8Array
  #next = 0
  #buffer = 0
  /** Valid bits of the buffer, up to 32. */
  #held = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** A number of `count` bits, at most 24. */
  read(count: number): number {
    while (this.#held < count) {
      if (this.#next >= this.#bytes.length) throw ended()
      this.#buffer |= this.#bytes[this.#next++]! << this.#held
      this.#held += 8
    }
    const value = this.#buffer & ((1 << count) - 1)
    this.#buffer = (this.#buffer >>> count) | 0
    this.#held -= count
    return value
  }

  /** How many ones come before the next zero; the zero is read too. */
  readUnary(): number {
    for (let count = 0; ; ) {
      while (this.#held <= 24 && this.#next < this.#bytes.length) {
        this.#buffer |= this.#bytes[this.#next++]! << this.#held
        this.#held += 8
      }
      if (this.#held === 0) throw ended()
      // The first zero is the first one of the complement; bits that are not held count as zeros of the string.
      const ones = Math.min(trailingOnes(this.#buffer), this.#held)
      count += ones
      if (ones < this.#held) {
        this.#buffer = shift(this.#buffer, ones + 1)
        this.#held -= ones + 1
        return count
      }
      this.#buffer = 0
      this.#held = 0
    }
  }

  /** A code of Golomb and Rice: {@link readUnary} times 2^k, and {@link read} of k bits. */
  readRice(k: number): number {
    while (this.#held <= 24 && this.#next < this.#bytes.length) {
      this.#buffer |= this.#bytes[this.#next++]! << this.#held
      this.#held += 8
    }
    const ones = trailingOnes(this.#buffer)
    const bits = ones + 1 + k
    if (bits > this.#held || bits > 31) return this.readUnary() * 2 ** k + this.read(k)
    const rest = this.#buffer >>> (ones + 1)
    this.#buffer = (this.#buffer >>> bits) | 0
    this.#held -= bits
    return (ones << k) | (rest & ((1 << k) - 1))
  }

  /** Throws `malformed` unless all bytes are read and the bits that fill up the last one are zero. */
  end(): void {
    if (this.#next !== this.#bytes.length || this.#held >= 8 || this.#buffer !== 0)
      throw new EspalierError('malformed', 'there is more of the pattern than its tensor needs')
  }
}

function trailingOnes(word: number): number {
  const zeros = ~word
  return zeros === 0 ? 32 : 31 - Math.clz32(zeros & -zeros)
}

/** `word >>> count` for counts up to 32, as the signed integer that engines keep without a heap object. */
function shift(word: number, count: number): number {
  return count >= 32 ? 0 : (word >>> count) | 0
}

function ended(): EspalierError {
  return new EspalierError('malformed', 'the pattern ends before its tensor does')
}
