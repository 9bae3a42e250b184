import { describe, expect, test } from 'vitest'
import { crc32, crc32Portable } from './crc32.ts'

const ascii = (text: string) => new TextEncoder().encode(text)

describe.each([
  ['crc32', crc32],
  ['crc32Portable', crc32Portable],
])('%s', (_, crc) => {
  test.each([
    ['', 0],
    ['a', 0xe8b7be43],
    ['123456789', 0xcbf43926], // the check value of the catalogue of CRC algorithms
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ])('of %o', (text, expected) => {
    expect(crc(ascii(text))).toBe(expected)
  })

  test('does not depend on alignment, length or how the bytes are cut', () => {
    const bytes = Uint8Array.from({ length: 80 }, (_, i) => (i * 167 + 13) & 255)
    for (let start = 0; start < 9; start++)
      for (let end = start; end <= bytes.length; end += 3) {
        const whole = bytes.slice(start, end)
        const slow = whole.reduce((state, byte) => {
          state ^= byte
          for (let bit = 0; bit < 8; bit++) state = (state >>> 1) ^ (state & 1 ? 0xedb88320 : 0)
          return state
        }, -1)
        const expected = ~slow >>> 0
        expect(crc(bytes.subarray(start, end))).toBe(expected)
        const cut = (start + end) >> 1
        expect(crc(bytes.subarray(cut, end), crc(bytes.subarray(start, cut)))).toBe(expected)
      }
  })
})
