import { expect, test } from 'vitest'
import { failure, matrixFrom, randomMatrix } from './matrices.suite.ts'
import { copyMatrix, identity, matrix, transpose } from './matrix.ts'

test('a matrix keeps the data it is given, and is zero without', () => {
  const data = Float64Array.of(1, 2, 3, 4, 5, 6)
  expect(matrix(2, 3, data)).toEqual({ rows: 2, columns: 3, data })
  expect(matrix(2, 3, data).data).toBe(data)
  expect(matrix(2, 1)).toEqual({ rows: 2, columns: 1, data: new Float64Array(2) })
  expect(matrix(0, 3).data).toHaveLength(0)
})

test('sizes that do not fit are refused', () => {
  expect(() => matrix(2, 3, new Float64Array(5))).toThrow(failure('bad-shape', '6 numbers'))
  expect(() => matrix(-1, 3)).toThrow(failure('bad-shape'))
  expect(() => matrix(1.5, 2)).toThrow(failure('bad-shape'))
  expect(() => matrix(2 ** 30, 2 ** 20)).toThrow(failure('too-large'))
  expect(() => transpose({ rows: 2, columns: 2, data: new Float64Array(3) })).toThrow(failure('bad-shape'))
})

test('a copy has its own data', () => {
  const a = randomMatrix(2, 2)
  const copy = copyMatrix(a)
  expect(copy).toEqual(a)
  expect(copy.data).not.toBe(a.data)
})

test('identity', () => {
  expect(identity(0).data).toHaveLength(0)
  expect(identity(3)).toEqual(matrixFrom(3, 3, (i, j) => (i === j ? 1 : 0)))
})

test.each([
  [0, 3],
  [1, 1],
  [3, 1],
  [31, 70],
  [64, 33],
])('the transpose of %i by %i', (rows, columns) => {
  const element = (i: number, j: number) => 1000 * i + j
  expect(transpose(matrixFrom(rows, columns, element))).toEqual(
    matrixFrom(columns, rows, (i, j) => element(j, i)),
  )
})
