import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { erf, erfc } from './error-function.ts'

// erf and erfc from tables, to the precision of float64.
const table = [
  [0.1, 0.1124629160182849, 0.887537083981715],
  [0.5, 0.5204998778130465, 0.4795001221869535],
  [1, 0.8427007929497149, 0.15729920705028513],
  [1.9, 0.9927904292352575, 0.007209570764742524],
  [2, 0.9953222650189527, 0.004677734981047266],
  [3, 0.9999779095030014, 2.209049699858544e-5],
  [5, 0.9999999999984626, 1.5374597944280347e-12],
  [10, 1, 2.088487583762545e-45],
  [26, 1, 5.663192408856143e-296],
] as const

describe('erf and erfc', () => {
  test.each(table)('at %f', (x, value, complement) => {
    expect(Math.abs(erf(x) / value - 1)).toBeLessThan(2e-15)
    expect(Math.abs(erfc(x) / complement - 1)).toBeLessThan(1e-12)
  })
  test('at the ends', () => {
    expect([0, Infinity, -Infinity, NaN].map(erf)).toEqual([0, 1, -1, NaN])
    expect([0, Infinity, -Infinity, NaN].map(erfc)).toEqual([1, 0, 2, NaN])
  })
  test('odd, bounded, and complementary', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), x => {
        expect(erf(-x)).toBe(-erf(x))
        expect(Math.abs(erf(x))).toBeLessThanOrEqual(1)
        expect(erf(x) + erfc(x)).toBeCloseTo(1, 14)
      }),
    )
  })
})
