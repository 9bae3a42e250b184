import { expect, test } from 'vitest'
import { float32, int64, tensor } from '../tensor/tensor.ts'
import { topOf } from './top.ts'

const indices = (rows: ReturnType<typeof topOf>): number[][] => rows.map(row => row.map(({ index }) => index))

test('the largest of every row, first index first among equals, NaN last', () => {
  const x = float32([1, 3, 2, 3, Number.NaN, -1, Number.NEGATIVE_INFINITY, 0], [2, 4])
  expect(indices(topOf(x, 2))).toEqual([
    [1, 3],
    [3, 1],
  ])
  expect(topOf(x, 9, 1)).toEqual([
    [
      { index: 1, value: 3 },
      { index: 3, value: 3 },
      { index: 2, value: 2 },
      { index: 0, value: 1 },
    ],
  ])
  expect(indices(topOf(x, 4))[1]).toEqual([3, 1, 0, 2])
})

test('scalars, nothing, and what has no order', () => {
  expect(topOf(int64(7), 3)).toEqual([[{ index: 0, value: 7 }]])
  expect(topOf(float32([], [0, 4]), 3)).toEqual([])
  expect(topOf(float32([], [4, 0]), 3)).toEqual([])
  expect(() => topOf(tensor('string', [1], ['a']), 1)).toThrow('string elements have no order')
})
