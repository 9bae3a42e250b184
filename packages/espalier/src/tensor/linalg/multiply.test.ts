import { describe, expect, test } from 'vitest'
import { failure, integerMatrix, mapMatrix, product, sizes } from './matrices.suite.ts'
import { copyMatrix, type Matrix, matrix, transpose } from './matrix.ts'
import { gram, multiply } from './multiply.ts'

const plus = (a: Matrix, b: Matrix, scale: number) =>
  mapMatrix(a, (x, i, j) => x + scale * b.data[i * b.columns + j]!)

describe('multiply', () => {
  const cases: readonly (readonly [number, number, number])[] = [
    ...sizes.map(size => [size, size, size] as const),
    [0, 3, 2],
    [2, 0, 3],
    [1, 300, 1],
    [5, 257, 4],
    [66, 3, 261],
    [130, 513, 9],
  ]

  test.each(cases)('%i x %i times %i, with every transpose, is exact on integers', (rows, depth, columns) => {
    const a = integerMatrix(rows, depth, 1)
    const b = integerMatrix(depth, columns, 2)
    const wanted = product(a, b)
    expect(multiply(a, b)).toEqual(wanted)
    expect(multiply(transpose(a), b, { transposeA: true })).toEqual(wanted)
    expect(multiply(a, transpose(b), { transposeB: true })).toEqual(wanted)
    expect(multiply(transpose(a), transpose(b), { transposeA: true, transposeB: true })).toEqual(wanted)
  })

  test('adds a multiple of the product in place', () => {
    const [a, b, c] = [integerMatrix(5, 7, 1), integerMatrix(7, 6, 2), integerMatrix(5, 6, 3)]
    const wanted = plus(c, product(a, b), -2)
    expect(multiply(a, b, { scale: -2, into: c })).toBe(c)
    expect(c).toEqual(wanted)
  })

  test('NaN reaches the row it is in and no other', () => {
    const a = integerMatrix(6, 5)
    a.data[2 * 5 + 3] = Number.NaN
    const { data } = multiply(a, integerMatrix(5, 3))
    expect([...data].map(Number.isNaN)).toEqual(
      Array.from({ length: 18 }, (_, at) => Math.floor(at / 3) === 2),
    )
  })

  test('sizes that do not fit are refused', () => {
    expect(() => multiply(matrix(2, 3), matrix(2, 3))).toThrow(failure('bad-shape', '2x3 times 2x3'))
    expect(() => multiply(matrix(2, 3), matrix(3, 2), { into: matrix(3, 3) })).toThrow(
      failure('bad-shape', '2x2'),
    )
    expect(() => multiply({ ...matrix(2, 3), rows: 3 }, matrix(3, 2))).toThrow(failure('bad-shape'))
  })
})

describe('gram', () => {
  const cases: readonly (readonly [number, number])[] = [
    ...sizes.map(size => [size, size] as const),
    [0, 3],
    [3, 0],
    [300, 5],
    [7, 270],
  ]

  test.each(cases)('%i x %i is exact on integers', (rows, columns) => {
    const a = integerMatrix(rows, columns)
    expect(gram(a)).toEqual(product(transpose(a), a))
  })

  test.each([3, 70])('adds a multiple in place, trusting the lower triangle: %i columns', size => {
    const a = integerMatrix(9, size)
    const c = gram(integerMatrix(4, size, 2))
    const wanted = plus(c, product(transpose(a), a), 3)
    const into = copyMatrix(c)
    for (let i = 0; i < size; i++) into.data.fill(Number.NaN, i * size + i + 1, (i + 1) * size)
    expect(gram(a, { scale: 3, into })).toBe(into)
    expect(into).toEqual(wanted)
  })

  test('sizes that do not fit are refused', () => {
    expect(() => gram(matrix(2, 3), { into: matrix(2, 2) })).toThrow(failure('bad-shape', '3x3'))
  })
})
