/** Text elements of npy files: every string takes the same room, filled up with zeros. */
import { EspalierError } from '../../errors.ts'
import type { Elements } from './dtypes.ts'

/** Reads `count` strings. Throws `malformed` for what is not Unicode. */
export function decodeText(bytes: Uint8Array, count: number, elements: Elements): string[] {
  const { width, text } = elements
  const decode = text === 'bytes' ? decodeUtf8 : decodeUtf32
  const strings = new Array<string>(count)
  for (let i = 0; i < count; i++)
    strings[i] = decode(bytes.subarray(i * width, (i + 1) * width), elements.bigEndian)
  return strings
}

/** `numpy.bytes_`: bytes without an encoding. Taken as UTF-8, which ASCII is too. */
function decodeUtf8(bytes: Uint8Array): string {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, end))
  } catch (cause) {
    throw new EspalierError('malformed', 'a text element is not valid UTF-8', {
      hint: 'Save the bytes as uint8 numbers, or decode them to str first',
      cause,
    })
  }
}

function decodeUtf32(bytes: Uint8Array, bigEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let end = bytes.length
  while (end > 0 && view.getUint32(end - 4) === 0) end -= 4
  let result = ''
  for (let at = 0; at < end; at += 4) {
    const point = view.getUint32(at, !bigEndian)
    if (point > 0x10ffff)
      throw new EspalierError('malformed', 'a text element is not Unicode', { got: `code point ${point}` })
    result += String.fromCodePoint(point)
  }
  return result
}

/**
 * Strings as NumPy stores `str`: little-endian code points, as many for each as the longest has. Throws
 * `bad-argument` for a string that ends in a zero character, which the format cannot tell from filling.
 */
export function encodeText(strings: readonly string[]): { descr: string; bytes: Uint8Array } {
  const points = strings.map(text => Array.from(text, char => char.codePointAt(0)!))
  const length = points.reduce((longest, { length }) => Math.max(longest, length), 1)
  const bytes = new Uint8Array(4 * length * strings.length)
  const view = new DataView(bytes.buffer)
  points.forEach((text, index) => {
    if (text.at(-1) === 0)
      throw new EspalierError('bad-argument', 'npy cannot hold a string that ends in a zero character', {
        got: `element ${index}`,
      })
    for (const [at, point] of text.entries()) view.setUint32(4 * (index * length + at), point, true)
  })
  return { descr: `<U${length}`, bytes }
}
