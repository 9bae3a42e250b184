/** Protobuf's wire format: numbers of every size, and a window that slides over files larger than itself. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ByteSource, memorySource } from '../io/source.ts'
import { varint } from './messages.suite.ts'
import { Cursor } from './wire.ts'

const over = (...bytes: number[]): Cursor => new Cursor(memorySource(Uint8Array.from(bytes)))
const canonical = (value: bigint): number | bigint =>
  value >= -(2n ** 53n) + 1n && value <= 2n ** 53n - 1n ? Number(value) : value

describe('varints', () => {
  test('any 64 bits: a number where that is exact, otherwise a bigint', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), value => {
        const cursor = over(...varint(value), 7)
        expect(cursor.varint()).toBe(canonical(value))
        expect(cursor.byte()).toBe(7)
      }),
    )
    for (let bit = 0n; bit < 63n; bit++)
      for (const value of [1n << bit, (1n << bit) - 1n, -(1n << bit), ~(1n << bit)])
        expect(over(...varint(value)).varint()).toBe(canonical(value))
  })

  test('negative numbers take ten bytes, and unsigned ones wrap', () => {
    expect(varint(-1)).toHaveLength(10)
    expect(over(...varint(-1)).varint()).toBe(-1)
    expect(over(...varint(2n ** 64n - 2n)).varint()).toBe(-2)
  })

  test('more bytes than needed are read all the same, but not more than ten', () => {
    expect(over(0x85, 0x80, 0x80, 0x00).varint()).toBe(5)
    expect(over(...new Array<number>(9).fill(0x80), 0x00).varint()).toBe(0)
    expect(over(...new Array<number>(9).fill(0xff), 0x7f).varint()).toBe(-1)
    expect(() => over(...new Array<number>(10).fill(0x80), 0).varint()).toThrow(/more than ten bytes/)
  })

  test.each([[[]], [[0x80]], [new Array<number>(9).fill(0xff)]])('cut short: %j', bytes => {
    expect(() => over(...bytes).varint()).toThrow(expect.objectContaining({ code: 'truncated' }))
  })

  test('sizes are not negative and not beyond 2^53', () => {
    expect(over(...varint(2n ** 53n - 1n)).size()).toBe(2 ** 53 - 1)
    for (const value of [-1n, 2n ** 53n, -(2n ** 63n)])
      expect(() => over(...varint(value)).size()).toThrow(/a length is not a length; got -?\d+/)
  })
})

describe('window', () => {
  const size = 1_000_003
  const content = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff)

  /** A source that counts what is read and lies in a buffer of its own each time, as files do. */
  function counting(): ByteSource & { read: never; total: number } {
    const memory = memorySource(content)
    const source = {
      ...memory,
      total: 0,
      readSync(offset: number, length: number): Uint8Array {
        source.total += length
        return memory.readSync(offset, length).slice()
      },
    }
    return source as never
  }

  test('bytes, runs and steps of any length, forward and back', () => {
    const step = fc.tuple(
      fc.constantFrom('byte', 'bytes', 'skip', 'jump'),
      fc.oneof(fc.nat(64), fc.nat(300_000), fc.integer({ min: (1 << 18) - 2, max: (1 << 18) + 2 })),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        const cursor = new Cursor(counting())
        let at = 0
        for (const [kind, length] of steps) {
          if (kind === 'jump') at = cursor.at = Math.min(length, size)
          else if (kind === 'byte' && at < size) expect(cursor.byte()).toBe(content[at++])
          else if (at + length > size) expect(() => cursor.bytes(length)).toThrow(/longer than the file/)
          else if (kind === 'skip') cursor.skip(length)
          else if (kind === 'bytes')
            expect(Buffer.compare(cursor.bytes(length), content.subarray(at, at + length))).toBe(0)
          if (kind === 'skip' || kind === 'bytes') at = cursor.at
        }
        expect(cursor.at).toBe(at)
      }),
    )
  })

  test('what is stepped over is not read', () => {
    const source = counting()
    const cursor = new Cursor(source)
    cursor.byte()
    cursor.skip(size - 2)
    expect(cursor.byte()).toBe(content[size - 1])
    expect(source.total).toBe((1 << 12) + 1)
    expect(() => cursor.byte()).toThrow(
      expect.objectContaining({ code: 'truncated', where: { offset: size } }),
    )
  })

  test('floats and doubles at any alignment', () => {
    const bytes = new Uint8Array(13)
    new DataView(bytes.buffer).setFloat32(1, 0.15625, true)
    new DataView(bytes.buffer).setFloat64(5, -Math.PI, true)
    const cursor = over(...bytes)
    cursor.skip(1)
    expect([cursor.float(), cursor.double()]).toEqual([0.15625, -Math.PI])
    expect(() => cursor.float()).toThrow(/longer than the file/)
  })
})
