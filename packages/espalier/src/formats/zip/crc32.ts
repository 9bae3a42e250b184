/**
 * CRC-32 as zip and gzip use it (ISO 3309, reflected polynomial 0xEDB88320), so that a damaged file is noticed.
 * Node's own routine where there is one; elsewhere eight table look-ups a step ("slicing by 8", Kounavis and
 * Berry 2005), about 1 GB/s in JavaScript.
 */

const POLYNOMIAL = 0xedb88320
const SLICES = 8

/** Table k advances a byte through k + 1 bytes of zeros; all in one array. */
const tables = makeTables()

function makeTables(): Int32Array {
  const result = new Int32Array(256 * SLICES)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    result[byte] = crc
  }
  for (let i = 256; i < result.length; i++) {
    const previous = result[i - 256]!
    result[i] = (previous >>> 8) ^ result[previous & 255]!
  }
  return result
}

const native = globalThis.process?.getBuiltinModule?.('node:zlib')?.crc32

/** Bytes handed to the host's routine at once. */
const CHUNK = 1 << 30

/** CRC-32 of `bytes`, in [0, 2^32). `crc` is that of the bytes before them, so pieces can be fed in turn. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  if (native === undefined) return crc32Portable(bytes, crc)
  for (let at = 0; at < bytes.length; at += CHUNK) crc = native(bytes.subarray(at, at + CHUNK), crc)
  return crc
}

/** {@link crc32} without help from the host. */
export function crc32Portable(bytes: Uint8Array, crc = 0): number {
  let state = ~crc
  let at = 0
  if (bytes.length >= 16) {
    for (const aligned = -bytes.byteOffset & 3; at < aligned; at++) state = step(state, bytes[at]!)
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, 2 * Math.floor((bytes.length - at) / 8))
    state = stepWords(state, words)
    at += words.byteLength
  }
  for (; at < bytes.length; at++) state = step(state, bytes[at]!)
  return ~state >>> 0
}

/** Takes in an even number of little-endian words. */
function stepWords(state: number, words: Int32Array): number {
  const t = tables
  for (let k = 0; k < words.length; k += 2) {
    const low = state ^ words[k]!
    const high = words[k + 1]!
    state =
      t[1792 + (low & 255)]! ^
      t[1536 + ((low >>> 8) & 255)]! ^
      t[1280 + ((low >>> 16) & 255)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + (high & 255)]! ^
      t[512 + ((high >>> 8) & 255)]! ^
      t[256 + ((high >>> 16) & 255)]! ^
      t[high >>> 24]!
  }
  return state
}

function step(state: number, byte: number): number {
  return (state >>> 8) ^ tables[(state ^ byte) & 255]!
}
