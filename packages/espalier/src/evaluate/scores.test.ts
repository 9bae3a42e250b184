import { describe, expect, test } from 'vitest'
import { fromNumbers } from '../tensor/elements.ts'
import { float32, int64, type Tensor } from '../tensor/tensor.ts'
import { accuracyCount, agreementCount } from './scores.ts'

const NaNs = Number.NaN

/** Scores whose rank-th largest is the label: labels of a row are found by hand. */
function accuracyOf(scores: Tensor, labels: Tensor): object {
  const count = accuracyCount()
  count.add(scores, labels)
  return count.result()
}

describe('accuracy', () => {
  test('counts rows whose label scores highest; the first of equal scores is the highest', () => {
    const scores = float32([0, 2, 1, 5, 5, 0, 5, 5, 0, 1, NaNs, 0], [4, 3])
    expect(accuracyOf(scores, int64([1, 0, 1, 1]))).toEqual({ rows: 4, top1: 0.5 })
    expect(accuracyOf(scores, fromNumbers('uint8', [4, 1], [2, 1, 0, 0]))).toEqual({ rows: 4, top1: 0.5 })
  })

  test('has the five best where there are ten classes, and adds up batches', () => {
    const row = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    const count = accuracyCount()
    count.add(float32([...row, ...row], [2, 10]), int64([0, 4]))
    count.add(float32([...row, ...row], [2, 10]), int64([5, 9]))
    expect(count.result()).toEqual({ rows: 4, top1: 0.25, top5: 0.5 })
  })

  test('tokens have labels of their own, and a negative one is none', () => {
    const scores = float32([0, 1, 1, 0, 0, 1, 1, 0], [2, 2, 2])
    expect(accuracyOf(scores, int64([1, -100, 0, -100]))).toEqual({ rows: 2, top1: 0.5 })
    expect(accuracyOf(scores, int64([-1, -1, -1, -1]))).toEqual({ rows: 0, top1: Number.NaN })
  })

  test.each([
    [float32([1, 2], [2]), int64([2]), /whole numbers below 2/],
    [float32([1, 2], [1, 2]), float32([0.5]), /whole numbers below 2/],
    [float32([1, 2], [1, 2]), fromNumbers('bool', [1], [1]), /bool/],
    [float32([1, 2], [1, 2]), int64([0, 1]), /one label for every row/],
    [float32([1, 2], [2, 1]), int64([0, 0]), /a score for every class/],
    [int64([1, 2]), int64([0]), /a score for every class/],
  ])('refuses what is no label or no score (%#)', (scores, labels, message) => {
    expect(() => accuracyOf(scores, labels)).toThrow(message)
  })
})

describe('agreement', () => {
  test('is the share of rows of one class, and the error in the Euclidean norm over all batches', () => {
    const count = agreementCount()
    const other = float32([3, 4, 0], [1, 3])
    count.add({ y: float32([3, 4, 0], [1, 3]), n: int64([7]) }, { y: other, n: int64([8]) }, 'y')
    count.add({ y: float32([3, 0, 0], [1, 3]) }, { y: other }, 'y')
    expect(count.result()).toEqual({ top1: 0.5, relativeError: { y: Math.sqrt(16 / 50) } })
  })

  test('of equal outputs the error is 0, zeros too; without scores there is no class', () => {
    const count = agreementCount()
    count.add({ y: float32([0, 0]) }, { y: float32([0, 0]) }, undefined)
    expect(count.result()).toEqual({ relativeError: { y: 0 } })
  })

  test('outputs must be alike', () => {
    const expected = { y: float32([1, 2]) }
    for (const got of [{}, { y: float32([1]) }, { y: null }, { y: int64([1, 2]) }])
      expect(() => agreementCount().add(got, expected, undefined)).toThrow(/same outputs/)
  })
})
