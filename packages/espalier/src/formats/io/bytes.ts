/**
 * Small operations on bytes that several formats share: joining the pieces an encoder gives, byte order, the one
 * rule that boolean storage has here, and names.
 */
import { allocate } from '../../tensor/tensor.ts'

/** The pieces in one array: for files in memory, archives and tests. */
export function concatBytes(pieces: Iterable<Uint8Array>): Uint8Array {
  const list = [...pieces]
  const result = allocate(
    'uint8',
    list.reduce((sum, piece) => sum + piece.length, 0),
  )
  let at = 0
  for (const piece of list) {
    result.set(piece, at)
    at += piece.length
  }
  return result
}

/** A copy with the bytes of every `width`-byte number in the opposite order. The length is a multiple of `width`. */
export function swapBytes(bytes: Uint8Array, width: number): Uint8Array {
  const result = allocate('uint8', bytes.length)
  for (let start = 0; start < bytes.length; start += width)
    for (let i = 0; i < width; i++) result[start + i] = bytes[start + width - 1 - i]!
  return result
}

/** Booleans from a file as 0 and 1: the bytes themselves when they are that already, otherwise a copy. */
export function normalizeBools(bytes: Uint8Array): Uint8Array {
  // A plain loop: masks of attention are millions of bytes.
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 1) return bytes.map(byte => (byte === 0 ? 0 : 1))
  return bytes
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** Up to so many bytes, looking at each takes less time than calling the host's decoder. */
const SHORT = 64

/** UTF-8 as text; models are full of short names in ASCII. Throws a `TypeError` where it is none. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > SHORT) return utf8.decode(bytes)
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! >= 0x80) return utf8.decode(bytes)
  return String.fromCharCode(...bytes)
}
