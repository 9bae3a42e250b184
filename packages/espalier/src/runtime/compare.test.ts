import { expect, test } from 'vitest'
import { float32, int64, type RuntimeValue, tensor } from '../tensor/tensor.ts'
import { largestDifference } from './compare.ts'

const between = (a: RuntimeValue, b: RuntimeValue): number => largestDifference({ y: a }, { y: b }).difference

test('differences are relative to the largest number of an output; the worst output is named', () => {
  expect(between(float32([0, 4]), float32([1, 4]))).toBe(0.25)
  expect(between(float32([0, -0]), float32([-0, 0]))).toBe(0)
  expect(between(int64([5]), int64([4]))).toBe(0.25)
  expect(
    largestDifference({ a: float32([1]), b: float32([3]), more: null }, { a: float32([1]), b: float32([2]) }),
  ).toEqual({ difference: 0.5, output: 'b' })
  expect(largestDifference({}, {})).toEqual({ difference: 0, output: '' })
  expect(largestDifference({}, { a: null })).toEqual({ difference: Number.POSITIVE_INFINITY, output: 'a' })
})

test('what is not finite must be the same', () => {
  const [nan, infinity] = [float32([Number.NaN, 1]), float32([Number.POSITIVE_INFINITY, 1])]
  expect([between(nan, nan), between(infinity, infinity)]).toEqual([0, 0])
  for (const [a, b] of [
    [nan, infinity],
    [nan, float32([0, 1])],
    [float32([0, 1]), infinity],
  ] as const)
    expect(between(a, b)).toBe(Number.POSITIVE_INFINITY)
})

test('values of another kind', () => {
  const text = (...texts: string[]) => tensor('string', [texts.length], texts)
  expect([between(text('a'), text('a')), between(null, null)]).toEqual([0, 0])
  expect(between([float32([1]), null], [float32([2]), null])).toBe(0.5)
  for (const [a, b] of [
    [text('a'), text('b')],
    [float32([1]), float32([1], [1, 1])],
    [float32([1]), int64([1])],
    [null, float32([1])],
    [[], null],
    [[null], []],
  ] as const)
    expect(between(a, b)).toBe(Number.POSITIVE_INFINITY)
})
