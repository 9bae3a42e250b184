import { expect, test } from 'vitest'
import { fromNumbers } from '../tensor/elements.ts'
import { float32, tensor } from '../tensor/tensor.ts'
import { summarize } from './summary.ts'

test('figures are those of the finite numbers', () => {
  const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
  expect(summarize(float32([1, nan, 3, -infinity, infinity]))).toEqual({
    count: 5,
    min: 1,
    max: 3,
    mean: 2,
    std: 1,
    nans: 1,
    infinities: 2,
  })
  expect(summarize(fromNumbers('complex64', [1], [3, -4]))).toMatchObject({ count: 2, min: -4, max: 3 })
})

test('there may be none', () => {
  const none = { min: Number.NaN, max: Number.NaN, mean: Number.NaN, std: Number.NaN }
  expect(summarize(float32([]))).toMatchObject({ count: 0, ...none })
  expect(summarize(float32([Number.NaN]))).toMatchObject({ count: 1, nans: 1, ...none })
  expect(summarize(tensor('string', [1], ['a']))).toBeUndefined()
})
