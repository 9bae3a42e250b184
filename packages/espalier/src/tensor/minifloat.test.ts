import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeMinifloat,
  decodeTable,
  encodeE8M0,
  encodeMinifloat,
  encodeMinifloats,
  isMinifloat,
  type Minifloat,
  type PowerRounding,
  roundHalfEven,
} from './minifloat.ts'

/** The signed formats, by the largest finite value, the smallest normal and the smallest positive one. */
const signed = {
  float16: [65504, 2 ** -14, 2 ** -24],
  bfloat16: [255 * 2 ** 120, 2 ** -126, 2 ** -133],
  float8e4m3fn: [448, 2 ** -6, 2 ** -9],
  float8e4m3fnuz: [240, 2 ** -7, 2 ** -10],
  float8e5m2: [57344, 2 ** -14, 2 ** -16],
  float8e5m2fnuz: [57344, 2 ** -15, 2 ** -17],
  float4e2m1: [6, 1, 0.5],
} as const
type Signed = keyof typeof signed
const names = Object.keys(signed) as Signed[]

/** Non-negative finite values of a format by bit pattern, which is also their order. */
function magnitudes(dtype: Signed): number[] {
  const table = decodeTable(dtype)
  return [...table.subarray(0, table.length / 2)].filter(Number.isFinite)
}

describe.each(names)('%s', dtype => {
  const [largest, smallestNormal, smallest] = signed[dtype]
  const values = magnitudes(dtype)
  const negative = decodeTable(dtype).length / 2

  test('every bit pattern survives decoding and encoding', () => {
    const nan = encodeMinifloat(dtype, Number.NaN)
    const changed = [...decodeTable(dtype).entries()].filter(
      ([pattern, value]) => encodeMinifloat(dtype, value) !== (Number.isNaN(value) ? nan : pattern),
    )
    expect(changed).toEqual([])
  })

  test('known extremes', () => {
    expect(values.at(-1)).toBe(largest)
    expect(values[1]).toBe(smallest)
    expect(values).toContain(smallestNormal)
    expect(values.indexOf(smallestNormal)).toBe(smallestNormal / smallest)
  })

  test('patterns are in the order of their values, and the sign bit negates', () => {
    expect(values[0]).toBe(0)
    expect(values.slice(1).filter((value, index) => !(value > values[index]!))).toEqual([])
    const mirrored = values.slice(1).map((_, index) => -decodeMinifloat(dtype, negative + index + 1))
    expect(mirrored).toEqual(values.slice(1))
  })

  /** Ties to even between neighbours; past the largest value as if the format went on. */
  function nearest(magnitude: number, saturate: boolean): number {
    const last = values.length - 1
    const above = values.findIndex(value => value >= magnitude)
    if (values[above] === magnitude) return above
    const low = above === -1 ? last : above - 1
    const next = above === -1 ? 2 * values[last]! - values[last - 1]! : values[above]!
    const middle = (values[low]! + next) / 2
    const rounded = magnitude < middle || (magnitude === middle && low % 2 === 0) ? low : low + 1
    return rounded > last ? (saturate ? last : overflow()) : rounded
  }

  function overflow(): number {
    return dtype === 'float4e2m1' ? values.length - 1 : encodeMinifloat(dtype, Number.POSITIVE_INFINITY)
  }

  const wide = dtype === 'float16' || dtype === 'bfloat16'
  const samples = fc.oneof(
    fc.double({ noNaN: true, min: 0 }),
    fc.double({ noNaN: true, min: 0, max: 2 * largest }),
    fc.double({ noNaN: true, min: 0, max: 4 * smallestNormal }),
    // Around the middle of two neighbours.
    fc
      .tuple(fc.nat(values.length - 2), fc.constantFrom(1 - 2 ** -53, 1, 1 + 2 ** -52))
      .map(([at, nudge]) => ((values[at]! + values[at + 1]!) / 2) * nudge),
  )

  test('encoding finds the nearest value, ties to even', () => {
    const check = (magnitude: number, saturate: boolean) => {
      const pattern = nearest(magnitude, saturate)
      const isNaNPattern = Number.isNaN(decodeMinifloat(dtype, pattern))
      const got = encodeMinifloat(dtype, magnitude, saturate)
      const mirrored = encodeMinifloat(dtype, -magnitude, saturate)
      expect(got).toBe(pattern)
      if (isNaNPattern) expect(decodeMinifloat(dtype, mirrored)).toBeNaN()
      else if (pattern === 0 && dtype.endsWith('fnuz')) expect(mirrored).toBe(0)
      else expect(mirrored).toBe(negative + pattern)
    }
    fc.assert(fc.property(samples, fc.boolean(), check), { numRuns: wide ? 300 : 1000, seed: 1 })
  })

  test('past the largest value', () => {
    const code = (value: number, saturate: boolean) =>
      decodeMinifloat(dtype, encodeMinifloat(dtype, value, saturate))
    const special =
      dtype === 'float4e2m1' ? largest : /5m2$|16$/.test(dtype) ? Number.POSITIVE_INFINITY : Number.NaN
    for (const value of [2 * largest, 1e300, Number.POSITIVE_INFINITY]) {
      expect(code(value, true)).toBe(largest)
      expect(code(-value, true)).toBe(-largest)
      expect(code(value, false)).toBe(special)
      expect(code(-value, false)).toBe(-special)
    }
  })

  test('NaN stays NaN where there is one', () => {
    const decoded = decodeMinifloat(dtype, encodeMinifloat(dtype, Number.NaN))
    expect(decoded).toBe(dtype === 'float4e2m1' ? -0 : Number.NaN)
  })
})

test.each([
  // 1 + 2^-11 is the middle of 1 and 1 + 2^-10: even is 1. One step on, even is above.
  ['float16', 1 + 2 ** -11, 0x3c00],
  ['float16', 1 + 3 * 2 ** -11, 0x3c02],
  ['float16', 1 + 2 ** -11 + 2 ** -52, 0x3c01],
  ['float16', 65519.999, 0x7bff],
  ['float16', 65520, 0x7c00],
  ['float16', -65520, 0xfc00],
  ['float16', 2 ** -25, 0],
  ['float16', 2 ** -25 * (1 + 2 ** -52), 1],
  ['float16', 3 * 2 ** -25, 2],
  ['float16', 2 ** -14 - 2 ** -25, 0x400],
  ['float16', Number.MIN_VALUE, 0],
  ['float16', -Number.MIN_VALUE, 0x8000],
  ['bfloat16', Math.PI, 0x4049],
  ['bfloat16', 3.4028234663852886e38, 0x7f80],
  ['float8e4m3fn', 464, 0x7e],
  ['float8e4m3fn', 464.0001, 0x7f],
  ['float8e4m3fn', Number.NEGATIVE_INFINITY, 0xff],
  ['float8e4m3fnuz', 247.9, 0x7f],
  ['float8e4m3fnuz', 248, 0x80],
  ['float8e5m2', 61439, 0x7b],
  ['float8e5m2', 61440, 0x7c],
  ['float8e5m2fnuz', 61440, 0x80],
  ['float4e2m1', 0.25, 0],
  ['float4e2m1', 0.75, 2],
  ['float4e2m1', 2.5, 4],
  ['float4e2m1', 5, 6],
  ['float4e2m1', -100, 15],
] as const)('%s encodes %f as %i', (dtype, value, pattern) => {
  expect(encodeMinifloat(dtype, value)).toBe(pattern)
})

test('a float32 becomes bfloat16 as the rounding of its bits says', () => {
  const view = new DataView(new ArrayBuffer(4))
  fc.assert(
    fc.property(fc.float({ noNaN: true }), value => {
      view.setFloat32(0, value)
      const bits = view.getUint32(0)
      const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
      expect(encodeMinifloat('bfloat16', value)).toBe(rounded)
    }),
  )
})

describe('float8e8m0', () => {
  test('every bit pattern survives, the largest is NaN', () => {
    for (const [pattern, value] of decodeTable('float8e8m0').entries()) {
      expect(value).toBe(pattern === 255 ? Number.NaN : 2 ** (pattern - 127))
      expect(encodeMinifloat('float8e8m0', value)).toBe(pattern)
    }
  })

  test.each([
    ['nearest', 1.4999, 127],
    ['nearest', 1.5, 128],
    ['up', 1, 127],
    ['up', 1.0001, 128],
    ['down', 1.9999, 127],
    ['nearest', 2 ** -127 * 0.75, 0],
    ['up', 2 ** -127 * 0.75, 0],
  ] as readonly [PowerRounding, number, number][])('%s: %f is pattern %i', (rounding, value, pattern) => {
    expect(encodeE8M0(value, rounding, false)).toBe(pattern)
    expect(encodeE8M0(value, rounding, true)).toBe(pattern)
  })

  test.each([
    [0, 0],
    [Number.MIN_VALUE, 0],
    [2 ** 128, 254],
    [1e300, 254],
    [Number.POSITIVE_INFINITY, 254],
    [-1, 255],
    [Number.NEGATIVE_INFINITY, 255],
    [Number.NaN, 255],
  ])('%f saturates to pattern %i, otherwise it is NaN', (value, pattern) => {
    for (const rounding of ['nearest', 'up', 'down'] as const) {
      expect(encodeE8M0(value, rounding, true)).toBe(pattern)
      expect(encodeE8M0(value, rounding, false)).toBe(255)
    }
  })
})

test('isMinifloat knows the formats of this file and nothing else', () => {
  for (const dtype of [...names, 'float8e8m0']) expect(isMinifloat(dtype)).toBe(true)
  for (const name of ['float32', 'int4', 'toString']) expect(isMinifloat(name as Minifloat)).toBe(false)
})

test.each([
  [0.5, 0],
  [1.5, 2],
  [2.5, 2],
  [-0.5, -0],
  [-0.2, -0],
  [-0, -0],
  [-1.5, -2],
  [-2.5, -2],
  [-1.4999999999999998, -1],
  [0.49999999999999994, 0],
  [2 ** 52 - 0.5, 2 ** 52],
  [2 ** 53 + 2, 2 ** 53 + 2],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  [Number.NaN, Number.NaN],
])('roundHalfEven(%f) is %f', (value, expected) => {
  expect(roundHalfEven(value)).toBe(expected)
})

test.each(['float16', 'bfloat16', 'float8e5m2', 'float8e4m3fn', 'float4e2m1'] as const)(
  'encodeMinifloats gives %s the patterns that encodeMinifloat gives, ties and edges included',
  dtype => {
    const values = decodeTable(dtype).filter(value => Number.isFinite(value))
    const middles = values.slice(1).map((value, i) => (value + values[i]!) / 2)
    const near = [...middles].flatMap(value => [value, value * (1 + 2 ** -50), value * (1 - 2 ** -50)])
    fc.assert(
      fc.property(fc.double(), value => {
        const cases = [value, Math.fround(value), 1e5, -1e5, 3.5e38, Number.NaN, -0]
        const out = new Uint16Array(cases.length)
        encodeMinifloats(dtype, cases, out)
        expect([...out]).toEqual(cases.map(item => encodeMinifloat(dtype, item)))
      }),
    )
    const all = [...values, ...near]
    const out = new Uint16Array(all.length)
    encodeMinifloats(dtype, all, out)
    const wrong = all.findIndex((value, i) => out[i] !== encodeMinifloat(dtype, value))
    expect(wrong).toBe(-1)
  },
)
