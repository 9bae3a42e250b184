/** Pattern codecs, all under the same tests; value codecs; the string of bits; the entropy bound. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EspalierError } from '../../errors.ts'
import { choicesOf } from '../mutations.suite.ts'
import { BitReader, BitWriter } from './bits.ts'
import { codecs, type Extents } from './codecs/index.ts'
import { complementOf } from './codecs/rice.ts'
import { entropyBound, log2Binomial } from './entropy.ts'
import { allPositions } from './stored.ts'

/** Places of a matrix that a rule picks. */
function pick({ rows, columns }: Extents, rule: (row: number, column: number) => boolean): Uint32Array {
  return allPositions(rows * columns).filter(at => rule(Math.floor(at / columns), at % columns))
}

const random = (seed: number) => {
  const { int } = choicesOf(seed, 0)
  return (share: number) => int(1_000_000) < share * 1_000_000
}
const drawn = (extents: Extents, share: number): Uint32Array => {
  const draw = random(Math.round(share * 1000) + extents.columns)
  return pick(extents, () => draw(share))
}
const blocks = (extents: Extents, share: number, r: number, c: number): Uint32Array => {
  const draw = random(7)
  const live = Array.from({ length: 10_000 }, () => draw(share))
  const wide = Math.ceil(extents.columns / c)
  return pick(extents, (row, column) => live[Math.floor(row / r) * wide + Math.floor(column / c)]!)
}
const groups = (extents: Extents, n: number, m: number): Uint32Array =>
  pick(extents, (row, column) => (column * 7 + row * 3 + Math.floor(column / m)) % m < n)

const square: Extents = { rows: 16, columns: 32 }
const odd: Extents = { rows: 5, columns: 13 }
const cases: Readonly<Record<string, readonly [Uint32Array, Extents]>> = {
  nothing: [new Uint32Array(0), square],
  'nothing in an odd matrix': [new Uint32Array(0), odd],
  'an empty matrix': [new Uint32Array(0), { rows: 0, columns: 7 }],
  'no columns': [new Uint32Array(0), { rows: 3, columns: 0 }],
  everything: [allPositions(512), square],
  'a single element that is stored': [Uint32Array.of(0), { rows: 1, columns: 1 }],
  'the last element': [Uint32Array.of(64), odd],
  'one full row': [pick(odd, row => row === 2), odd],
  'one full column': [pick(square, (_, column) => column === 31), square],
  half: [drawn(square, 0.5), square],
  'a tenth': [drawn({ rows: 50, columns: 61 }, 0.1), { rows: 50, columns: 61 }],
  'nearly all': [drawn(square, 0.93), square],
  'nearly nothing': [Uint32Array.of(99_998), { rows: 100, columns: 1000 }],
  'rows of different density': [
    pick({ rows: 40, columns: 50 }, (row, column) => (column * 31) % 50 < row),
    { rows: 40, columns: 50 },
  ],
  '1:4': [groups(square, 1, 4), square],
  '2:4': [groups(square, 2, 4), square],
  '4:8': [groups(square, 4, 8), square],
  '2:4 with emptier groups': [groups(square, 2, 4).filter(at => at % 5 !== 0), square],
  'blocks of 4': [blocks(square, 0.2, 1, 4), square],
  'blocks of 4, cut': [blocks(odd, 0.4, 1, 4), odd],
  'blocks of 4x4, cut': [blocks({ rows: 30, columns: 30 }, 0.3, 4, 4), { rows: 30, columns: 30 }],
}

describe.each(codecs)('codec $name', codec => {
  describe.each(Object.entries(cases))('%s', (_, [positions, extents]) => {
    const plans = codec.plans(positions, extents)
    test('is stored as planned, and read back', () => {
      for (const plan of plans) {
        const { pattern, positions: stored } = codec.encode(positions, extents, plan.parameters)
        expect([pattern.length, stored.length], `${plan.parameters}`).toEqual([plan.bytes, plan.stored])
        expect(codec.decode(pattern, extents, plan.parameters, plan.stored)).toEqual(stored)
        // Nothing is lost, positions ascend.
        const held = new Set(stored)
        expect(positions.every(at => held.has(at))).toBe(true)
        expect(
          stored.every((at, i) => (i === 0 || at > stored[i - 1]!) && at < extents.rows * extents.columns),
        ).toBe(true)
        if (codec.exact) expect(stored).toEqual(positions)
      }
    })
    test('other lengths, counts and parameters are refused', () => {
      for (const { parameters, stored } of plans) {
        const { pattern } = codec.encode(positions, extents, parameters)
        const refused = (...[bytes, own, count]: [Uint8Array, readonly number[], number]) => {
          expect(() => codec.decode(bytes, extents, own, count), `${parameters} -> ${own}`).toThrow(
            EspalierError,
          )
        }
        const longer = new Uint8Array(pattern.length + 1)
        longer.set(pattern)
        refused(longer, parameters, stored)
        if (pattern.length > 0) refused(pattern.subarray(1), parameters, stored)
        refused(pattern, parameters, stored + 1)
        refused(pattern, [...parameters, 0], stored)
        for (let at = 0; at < parameters.length; at++)
          for (const wrong of [-7, 0.5, 2 ** 40, Number.NaN])
            refused(pattern, parameters.with(at, wrong), stored)
      }
    })
  })
  test('any positions', () => {
    const anything = fc
      .record({ rows: fc.integer({ min: 1, max: 9 }), columns: fc.integer({ min: 1, max: 40 }) })
      .chain(extents =>
        fc.tuple(fc.constant(extents), fc.uniqueArray(fc.nat(extents.rows * extents.columns - 1))),
      )
    fc.assert(
      fc.property(anything, ([extents, list]) => {
        const positions = Uint32Array.from(list).sort()
        for (const { parameters, stored } of codec.plans(positions, extents)) {
          const { pattern, positions: kept } = codec.encode(positions, extents, parameters)
          expect(codec.decode(pattern, extents, parameters, stored)).toEqual(kept)
        }
      }),
    )
  })
  test('any bytes are read or refused', () => {
    const { int, pick: choose } = choicesOf(3, codecs.indexOf(codec))
    const start = [[], [2, 4], [1, 0], [3, 1], [1, 4, 2, 9], [4, 4, -1, 3]]
    for (let i = 0; i < 3000; i++) {
      const bytes = Uint8Array.from({ length: int(20) }, () => int(256))
      const extents = { rows: 1 + int(6), columns: 1 + int(24) }
      try {
        const found = codec.decode(bytes, extents, choose(start), int(extents.rows * extents.columns + 1))
        expect(
          found.every((at, k) => at < extents.rows * extents.columns && (k === 0 || at > found[k - 1]!)),
        ).toBe(true)
      } catch (error) {
        if (!(error instanceof EspalierError)) throw error
      }
    }
  })
})

describe('bits', () => {
  test('come back as they went, across bytes and words', () => {
    const { int } = choicesOf(1, 1)
    const items = Array.from({ length: 400 }, () => ({ unary: int(70), width: int(21) }))
    const bits = items.reduce((sum, { unary, width }) => sum + unary + 1 + width, 0)
    const writer = new BitWriter(bits)
    for (const { unary, width } of items) {
      writer.writeUnary(unary)
      writer.write(2 ** width - 1 - (unary % 2), width)
    }
    const reader = new BitReader(writer.bytes)
    for (const { unary, width } of items) {
      expect(reader.readUnary()).toBe(unary)
      expect(reader.read(width)).toBe(width === 0 ? 0 : 2 ** width - 1 - (unary % 2))
    }
    reader.end()
  })
  test('end where they end', () => {
    const reader = new BitReader(Uint8Array.of(0xff))
    expect(() => reader.readUnary()).toThrow(/ends before/)
    expect(() => new BitReader(Uint8Array.of(1)).read(9)).toThrow(/ends before/)
    expect(() => new BitReader(Uint8Array.of(0)).end()).toThrow(/more of the pattern/)
  })
})

test('the complement of places', () => {
  expect([...complementOf(Uint32Array.of(0, 3, 4), 6)]).toEqual([1, 2, 5])
  expect(complementOf(complementOf(Uint32Array.of(2), 5), 5)).toEqual(Uint32Array.of(2))
})

describe('entropy bound', () => {
  test('counts patterns as they can be counted by hand', () => {
    expect(log2Binomial(4, 2)).toBeCloseTo(Math.log2(6), 12)
    expect(log2Binomial(60, 30)).toBeCloseTo(Math.log2(Number(118264581564861424n)), 9)
    expect(log2Binomial(5, 0)).toBe(0)
    expect(log2Binomial(5, 5)).toBe(0)
  })
  test('nears n H(d), which table 3a-6 of the survey has as .159 at 90 % zeros of 8 bits', () => {
    expect(entropyBound(1e8, 1e7, 8) / 1e8).toBeCloseTo(0.159, 3)
    expect(entropyBound(1e8, 2e7, 8) / 1e8).toBeCloseTo(0.29, 3)
  })
  test('takes blocks and groups as a whole', () => {
    expect(entropyBound(400, 80, 8, { kind: 'blocks', size: 4 })).toBeCloseTo(
      80 + log2Binomial(100, 20) / 8,
      9,
    )
    expect(entropyBound(400, 200, 8, { kind: 'groups', n: 2, m: 4 })).toBeCloseTo(
      200 + (100 * Math.log2(6)) / 8,
      9,
    )
    expect(() => entropyBound(4, 5, 8)).toThrow(/more elements/)
  })
})
