/**
 * Small operations on bytes that several formats share: joining the pieces an encoder gives, byte order, and the
 * one rule that boolean storage has here.
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
  return bytes.every(byte => byte <= 1) ? bytes : bytes.map(byte => (byte === 0 ? 0 : 1))
}
