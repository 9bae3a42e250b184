/**
 * A cursor over pickled bytes: the binary number and text encodings of the pickle format, read through a window so
 * that a pickle at the front of a large file costs no more than itself.
 */
import { EspalierError } from '../../../errors.ts'
import type { ByteSource } from '../../io/source.ts'
import { decodeUtf8, narrow } from './text.ts'

/** Bytes read from the source at a time. */
const WINDOW = 1 << 16
/** Longest line of the text opcodes, in bytes. */
const MAX_LINE = 1 << 24
/** Longest binary integer, in bytes. */
const MAX_INTEGER = 1 << 14
const LINE_FEED = 0x0a

/** Numbers are little-endian unless said otherwise. Every method throws `truncated` at the end of the source. */
export interface PickleReader {
  /** Position of the next byte in the source. */
  readonly position: number
  /** Bytes before the end of the source. */
  readonly remaining: number
  uint8(): number
  uint16(): number
  int32(): number
  uint32(): number
  /** Throws `truncated` beyond 2^53, which no file reaches. */
  uint64(): number
  /** Big-endian, as pickles have it. */
  float64(): number
  /** The next `length` bytes, in a buffer of their own. */
  bytes(length: number): Uint8Array
  utf8(length: number): string
  /** A two's complement integer of `length` bytes. */
  integer(length: number): number | bigint
  /** The bytes before the next line feed, which is passed over. Good until the next call. */
  line(): Uint8Array
}

/** A cursor over `source` that begins at `start`. */
export function pickleReader(source: ByteSource, start = 0): PickleReader {
  let position = start
  let window = source.readSync(start, 0)
  let windowStart = start

  /** The bytes from here on, at least `length` of them, without passing over them. */
  const ahead = (length: number): Uint8Array => {
    const index = position - windowStart
    if (index + length <= window.length) return window.subarray(index)
    if (length > source.size - position) throw endsEarly(position, length, source.size)
    windowStart = position
    window = source.readSync(position, Math.max(length, Math.min(WINDOW, source.size - position)))
    return window
  }
  const next = (length: number): Uint8Array => {
    const bytes = ahead(length).subarray(0, length)
    position += length
    return bytes
  }
  /** Half of a pickle is single bytes, so these come without a view of their own. */
  const uint8 = (): number => {
    const index = position - windowStart
    const byte = index < window.length ? window[index]! : ahead(1)[0]!
    position++
    return byte
  }
  const uint16 = (): number => uint8() | (uint8() << 8)
  const int32 = (): number => uint16() | (uint16() << 16)
  const number = (length: number): DataView => {
    const bytes = next(length)
    return new DataView(bytes.buffer, bytes.byteOffset, length)
  }
  return {
    get position() {
      return position
    },
    get remaining() {
      return source.size - position
    },
    uint8,
    uint16,
    int32,
    uint32: () => int32() >>> 0,
    uint64() {
      const value = Number(number(8).getBigUint64(0, true))
      if (Number.isSafeInteger(value)) return value
      throw endsEarly(position, value, source.size)
    },
    float64: () => number(8).getFloat64(0, false),
    bytes: length => next(length).slice(),
    utf8: length => decodeUtf8(next(length)),
    integer(length) {
      if (length > MAX_INTEGER)
        throw new EspalierError('too-large', `the pickle holds an integer of ${length} bytes`)
      return decodeInteger(next(length))
    },
    line() {
      for (let length = WINDOW; ; length *= 2) {
        const left = source.size - position
        const end = ahead(Math.min(length, left)).subarray(0, MAX_LINE).indexOf(LINE_FEED)
        if (end >= 0) return next(end + 1).subarray(0, end)
        if (length >= left) throw endsEarly(position, left + 1, source.size)
        if (length >= MAX_LINE) throw new EspalierError('malformed', 'the pickle has a line without an end')
      }
    },
  }
}

function endsEarly(offset: number, length: number, size: number): EspalierError {
  return new EspalierError('truncated', 'the pickle ends early', {
    where: { offset },
    expected: `${length} bytes more`,
    got: `${size - offset}`,
  })
}

/** Two's complement, little-endian; no bytes are 0. */
function decodeInteger(bytes: Uint8Array): number | bigint {
  if (bytes.length === 0) return 0
  let hex = '0x'
  for (let i = bytes.length - 1; i >= 0; i--) hex += bytes[i]!.toString(16).padStart(2, '0')
  return narrow(BigInt.asIntN(8 * bytes.length, BigInt(hex)))
}
