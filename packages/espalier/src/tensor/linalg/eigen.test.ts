import { describe, expect, test } from 'vitest'
import { symmetricEigen } from './eigen.ts'
import {
  diagonalMatrix,
  expectClose,
  expectOrthonormalColumns,
  failure,
  hilbert,
  mapMatrix,
  matrixFrom,
  norm,
  product,
  randomMatrix,
  sizes,
  spoilUpper,
  symmetric,
} from './matrices.suite.ts'
import { identity, type Matrix, matrix, transpose } from './matrix.ts'
import { qr } from './qr.ts'

/** Checks A V = V diag(w) with orthonormal V and ascending w; gives w. */
function eigenvalues(a: Matrix): Float64Array {
  const { values, vectors } = symmetricEigen(a)
  expectOrthonormalColumns(vectors)
  expectClose(product(a, vectors), product(vectors, diagonalMatrix(values)), norm(a))
  expect(values).toEqual(values.toSorted())
  return values
}

/** Expects eigenvalues to be right within roundoff of the largest. */
function expectValues(got: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expectClose(
    matrix(1, got.length, Float64Array.from(got)),
    matrix(1, wanted.length, Float64Array.from(wanted)),
  )
}

/** Symmetric, with eigenvalues that are known. */
function withEigenvalues(values: readonly number[]): Matrix {
  const { q } = qr(randomMatrix(values.length, values.length, 5))
  return product(product(q, diagonalMatrix(values)), transpose(q))
}

test.each(sizes)('random, %i rows', size => {
  const a = symmetric(size)
  const values = eigenvalues(a)
  const trace = matrixFrom(1, size, (_, i) => a.data[i * size + i]!).data.reduce((x, y) => x + y, 0)
  expect(values.reduce((x, y) => x + y, 0)).toBeCloseTo(trace, 9)
})

test('only the lower triangle is read, and nothing is written', () => {
  const a = symmetric(20)
  expect(symmetricEigen(spoilUpper(a))).toEqual(symmetricEigen(a))
  expect(a).toEqual(symmetric(20))
})

describe('known eigenvalues', () => {
  test('of a diagonal', () => {
    expect([...eigenvalues(diagonalMatrix([3, -1, 2, 0]))]).toEqual([-1, 0, 2, 3])
  })

  test('of a 2 x 2', () => {
    expectValues(eigenvalues(matrix(2, 2, Float64Array.of(2, 1, 1, 2))), [1, 3])
    expectValues(eigenvalues(matrix(2, 2, Float64Array.of(0, 1, 1, 0))), [-1, 1])
  })

  test('of the second difference', () => {
    const size = 70
    const a = matrixFrom(size, size, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0))
    const wanted = Array.from({ length: size }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (size + 1)))
    expectValues(eigenvalues(a), wanted)
  })

  test('of Hilbert, 5 rows', () => {
    const wanted = [
      3.287928772171e-6, 3.058980401512e-4, 1.140749162342e-2, 0.2085342186110133, 1.567050691098231,
    ]
    const got = eigenvalues(hilbert(5))
    for (const [i, value] of wanted.entries()) expect(got[i]! / value).toBeCloseTo(1, 10)
  })
})

describe('repeated and close eigenvalues', () => {
  test.each([
    ['zero', matrix(5, 5), [0, 0, 0, 0, 0]],
    ['identity', identity(5), [1, 1, 1, 1, 1]],
    ['all ones', matrixFrom(66, 66, () => 1), [...new Array(65).fill(0), 66]],
    ['a projection', withEigenvalues([0, 0, 0, 1, 1, 1, 1]), [0, 0, 0, 1, 1, 1, 1]],
    ['opposite pairs', withEigenvalues([-2, -2, 2, 2]), [-2, -2, 2, 2]],
  ])('%s', (_, a, wanted) => {
    expectValues(eigenvalues(a), wanted)
  })

  test('Wilkinson, whose largest two agree to 14 digits', () => {
    const a = matrixFrom(21, 21, (i, j) => (i === j ? Math.abs(i - 10) : Math.abs(i - j) === 1 ? 1 : 0))
    const values = eigenvalues(a)
    expect(values[20]).toBeCloseTo(10.746194182903393, 12)
    expect(values[19]).toBeCloseTo(10.746194182903322, 12)
    expect(values[0]).toBeCloseTo(-1.125441522119985, 12)
  })
})

describe('badly scaled', () => {
  test.each([1e200, 1e-200, 1e-310])('numbers of about %f', scale => {
    const a = mapMatrix(symmetric(9), value => value * scale)
    const unit = mapMatrix(a, value => value / scale)
    const values = symmetricEigen(a).values.map(value => value / scale)
    if (scale > 1e-300) expectValues(values, symmetricEigen(unit).values)
    else expect(values[8]! / symmetricEigen(unit).values[8]!).toBeCloseTo(1, 12)
    expectOrthonormalColumns(symmetricEigen(a).vectors)
  })

  test.each([1, -1])('graded by powers of ten, direction %i', direction => {
    const size = 20
    const grade = (i: number) => 10 ** (direction * i * 8)
    eigenvalues(
      mapMatrix(symmetric(size), (value, i, j) => value * grade(i - size / 2) * grade(j - size / 2)),
    )
  })

  test('Hilbert, condition 1e16', () => {
    expect(eigenvalues(hilbert(12))[0]).toBeCloseTo(0, 14)
  })
})

describe('wrong calls', () => {
  test('are refused', () => {
    expect(() => symmetricEigen(matrix(2, 3))).toThrow(failure('bad-shape', '2x3'))
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const a = mapMatrix(identity(3), (x, i, j) => (i === 2 && j === 1 ? value : x))
      expect(() => symmetricEigen(a)).toThrow(failure('bad-argument', `${value} in row 2, column 1`))
    }
  })
})
