import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatFloat, parseFloatText, parseIntegerText } from './number-text.ts'

describe('formatFloat', () => {
  test('plain from 1e-4 up to 1e16, scientific beyond', () => {
    const values = [1e-4, 9.99e-5, 123456, 9999999999999998, 1e16, 1.5e-7, 2.5e100]
    expect(values.map(value => formatFloat(value, 'float64'))).toEqual([
      ...['0.0001', '9.99e-05', '123456.0', '9999999999999998.0', '1e+16', '1.5e-07', '2.5e+100'],
    ])
    expect(formatFloat(123456792, 'float32')).toBe('123456790.0')
    expect(formatFloat(3.140625, 'bfloat16')).toBe('3.14')
  })
  test('reads back as the same number, in every type', () => {
    const types: DType[] = [
      'float64',
      'float32',
      'float16',
      'bfloat16',
      'float8e5m2',
      'float8e4m3fn',
      'float4e2m1',
    ]
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.constantFrom(...types), (value, dtype) => {
        const [held] = numbers(fromNumbers(dtype, [1], [value]))
        const [back] = numbers(fromNumbers(dtype, [1], [parseFloatText(formatFloat(held!, dtype))]))
        expect(back).toBe(held)
      }),
    )
  })
})

test('parseIntegerText is exact as long as any type could hold the number', () => {
  expect(parseIntegerText(' -18446744073709551615 ')).toBe(-(2n ** 64n) + 1n)
  expect(parseIntegerText('1e20')).toBe(10n ** 20n)
  expect(parseIntegerText('-2.718')).toBe(-2n)
})
