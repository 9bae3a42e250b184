import { describe, expect, test } from 'vitest'
import { cholesky, choleskyInverse, choleskyOfInverse, choleskySolve } from './cholesky.ts'
import {
  diagonalMatrix,
  expectClose,
  failure,
  hilbert,
  integerMatrix,
  isTriangular,
  mapMatrix,
  matrixFrom,
  norm,
  positiveDefinite,
  product,
  randomMatrix,
  sizes,
  spoilUpper,
} from './matrices.suite.ts'
import { copyMatrix, identity, type Matrix, matrix, transpose } from './matrix.ts'

const squareOf = (l: Matrix) => product(l, transpose(l))

describe.each(sizes)('%i rows', size => {
  const a = positiveDefinite(size)
  const l = cholesky(a)

  test('L L^T is A, L is lower triangular with a positive diagonal', () => {
    expectClose(squareOf(l), a)
    expect(isTriangular(l, 'lower')).toBe(true)
    for (let i = 0; i < size; i++) expect(l.data[i * size + i]).toBeGreaterThan(0)
  })

  test('only the lower triangle is read', () => {
    expect(cholesky(spoilUpper(a))).toEqual(l)
    expect(choleskyOfInverse(spoilUpper(a))).toEqual(choleskyOfInverse(a))
  })

  test('systems are solved', () => {
    const b = randomMatrix(size, 5, 2)
    const x = choleskySolve(l, b)
    expectClose(product(a, x), b, norm(a) * norm(x))
    expect(choleskySolve(l, b.data.slice(0, size))).toBeInstanceOf(Float64Array)
  })

  test('the inverse is symmetric and inverts', () => {
    const inverse = choleskyInverse(l)
    expect(inverse).toEqual(transpose(inverse))
    expectClose(product(a, inverse), identity(size), norm(a) * norm(inverse))
  })

  test('the upper factor of the inverse', () => {
    const u = choleskyOfInverse(a)
    expect(isTriangular(u, 'upper')).toBe(true)
    expectClose(product(product(transpose(u), u), a), identity(size), norm(a) * norm(u) ** 2)
    expectClose(u, transpose(cholesky(choleskyInverse(l))), norm(a) * norm(u))
  })
})

test('rows of the upper factor are those of the inverses of what is left of A', () => {
  const size = 9
  const a = positiveDefinite(size)
  const u = choleskyOfInverse(a)
  for (let k = 0; k < size; k++) {
    const rest = matrixFrom(size - k, size - k, (i, j) => a.data[(i + k) * size + j + k]!)
    const { data } = choleskyInverse(cholesky(rest))
    for (let j = k; j < size; j++)
      expect(u.data[k * size + j]).toBeCloseTo(data[j - k]! / Math.sqrt(data[0]!), 12)
  }
})

test('integer factors are found exactly', () => {
  const l = mapMatrix(integerMatrix(70, 70), (value, i, j) =>
    i === j ? 1 + Math.abs(value) : j < i ? value : 0,
  )
  expect(cholesky(squareOf(l))).toEqual(l)
})

test('in place, the factor takes the storage of A', () => {
  const a = positiveDefinite(5)
  const wanted = cholesky(a)
  const work = copyMatrix(a)
  expect(cholesky(work, { inPlace: true })).toBe(work)
  expect(work).toEqual(wanted)
})

describe('ill-conditioned', () => {
  test('Hilbert, condition 1e16', () => {
    expectClose(squareOf(cholesky(hilbert(12))), hilbert(12))
  })

  test('scaling rows and columns by powers of two scales the rows of the factor, over 800 powers', () => {
    const base = positiveDefinite(70)
    const grade = (i: number) => 2 ** (-6 * i)
    const graded = mapMatrix(base, (value, i, j) => value * grade(i) * grade(j))
    expect(cholesky(graded)).toEqual(mapMatrix(cholesky(base), (value, i) => value * grade(i)))
  })
})

describe('not positive definite', () => {
  test.each([0, 3, 63, 64, 70, 99])('the bad pivot is named: row %i', row => {
    const a = diagonalMatrix(Array.from({ length: 100 }, (_, i) => (i === row ? -2 : 1)))
    const wanted = failure('not-positive-definite', `pivot ${row} is -2`)
    expect(() => cholesky(a)).toThrow(wanted)
    expect(() => choleskyOfInverse(a)).toThrow(wanted)
    expect(() => cholesky(a)).toThrow(/damping/)
  })

  test('singular', () => {
    expect(() => cholesky(matrixFrom(3, 3, () => 1))).toThrow(
      failure('not-positive-definite', 'pivot 1 is 0'),
    )
    expect(() => cholesky(matrix(2, 2))).toThrow(failure('not-positive-definite', 'pivot 0 is 0'))
  })

  test('overflow on the way is no success', () => {
    const a = matrix(2, 2, Float64Array.of(1e-300, 1e300, 1e300, 1))
    expect(() => cholesky(a)).toThrow(failure('not-positive-definite', 'pivot 1 is -Infinity'))
  })
})

describe('wrong calls', () => {
  test.each([cholesky, choleskyOfInverse, choleskyInverse])('%o takes square matrices', take => {
    expect(() => take(matrix(2, 3))).toThrow(failure('bad-shape', '2x3'))
    expect(() => take({ rows: 2, columns: 2, data: new Float64Array(3) })).toThrow(failure('bad-shape'))
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%f is refused', value => {
    const a = mapMatrix(identity(3), (x, i, j) => (i === 2 && j === 1 ? value : x))
    const wanted = failure('bad-argument', `${value} in row 2, column 1`)
    for (const take of [cholesky, choleskyOfInverse, choleskyInverse]) expect(() => take(a)).toThrow(wanted)
    expect(() => choleskySolve(a, matrix(3, 1))).toThrow(wanted)
  })

  test('a factor with a zero on its diagonal is singular', () => {
    expect(() => choleskySolve(matrix(2, 2), matrix(2, 1))).toThrow(failure('singular'))
    expect(() => choleskyInverse(matrix(2, 2))).toThrow(failure('singular'))
  })

  test('right-hand sides must fit', () => {
    expect(() => choleskySolve(identity(2), matrix(3, 1))).toThrow(failure('bad-shape', '2 rows'))
  })
})
