import { describe, expect, test } from 'vitest'
import {
  expectClose,
  failure,
  isTriangular,
  mapMatrix,
  norm,
  product,
  randomMatrix,
  sizes,
} from './matrices.suite.ts'
import { copyMatrix, identity, type Matrix, matrix, transpose } from './matrix.ts'
import { invertTriangular, solveTriangular, type TriangularOptions } from './triangular.ts'

const kinds = (['lower', 'upper'] as const).flatMap(triangle =>
  [false, true].map(unitDiagonal => ({ triangle, unitDiagonal })),
)

/** A full matrix of which one triangle is meant; the other is NaN, so that reading it would show. */
function stored(size: number, { triangle, unitDiagonal }: TriangularOptions): Matrix {
  return mapMatrix(randomMatrix(size, size), (value, i, j) => {
    if (i === j) return unitDiagonal ? 1e9 : value + 3 * Math.sign(value)
    return i > j === (triangle === 'lower') ? value / Math.sqrt(size) : Number.NaN
  })
}

/** The triangular matrix that `stored` stands for. */
function meant(a: Matrix, { unitDiagonal = false }: TriangularOptions): Matrix {
  return mapMatrix(a, (value, i, j) => (i === j && unitDiagonal ? 1 : Number.isNaN(value) ? 0 : value))
}

describe.each(kinds)('$triangle, unit diagonal: $unitDiagonal', kind => {
  test.each(sizes)('solves with %i rows', size => {
    const t = stored(size, kind)
    for (const columns of [0, 1, 3, 66]) {
      const b = randomMatrix(size, columns, 2)
      const before = copyMatrix(b)
      for (const transposed of [false, true]) {
        const x = solveTriangular(t, b, { ...kind, transpose: transposed })
        const op = transposed ? transpose(meant(t, kind)) : meant(t, kind)
        expectClose(product(op, x), b, norm(op) * norm(x))
      }
      expect(b).toEqual(before)
    }
  })

  test.each(sizes)('inverts %i rows', size => {
    const t = stored(size, kind)
    const inverse = invertTriangular(t, kind)
    expect(isTriangular(inverse, kind.triangle)).toBe(true)
    expectClose(product(meant(t, kind), inverse), identity(size), norm(meant(t, kind)) * norm(inverse))
  })
})

test('a vector is a matrix of one column', () => {
  const t = stored(70, { triangle: 'upper' })
  const b = randomMatrix(70, 1)
  const x = solveTriangular(t, b.data, { triangle: 'upper' })
  expect(x).toBeInstanceOf(Float64Array)
  expect(x).toEqual(solveTriangular(t, b, { triangle: 'upper' }).data)
})

test('in place, the solution takes the storage of the right-hand side', () => {
  const t = stored(5, { triangle: 'lower' })
  const b = randomMatrix(5, 2)
  const wanted = solveTriangular(t, b, { triangle: 'lower' })
  const { data } = b
  expect(solveTriangular(t, b, { triangle: 'lower', inPlace: true }).data).toBe(data)
  expect(b).toEqual(wanted)
  const vector = Float64Array.of(1, 2, 3, 4, 5)
  expect(solveTriangular(t, vector, { triangle: 'lower', inPlace: true })).toBe(vector)
})

test('integers solve exactly', () => {
  const t = matrix(3, 3, Float64Array.of(2, 0, 0, 1, 4, 0, -3, 5, 8))
  expect([...solveTriangular(t, Float64Array.of(2, 9, 31), { triangle: 'lower' })]).toEqual([1, 2, 3])
  const transposed = { triangle: 'lower', transpose: true } as const
  expect([...solveTriangular(t, Float64Array.of(-5, 23, 24), transposed)]).toEqual([1, 2, 3])
})

describe('wrong calls', () => {
  const t = identity(3)

  test('a zero on the diagonal is singular, unless the diagonal is not read', () => {
    const singular = mapMatrix(identity(80), (value, i) => (i === 70 ? 0 : value))
    const wanted = failure('singular', 'row 70')
    expect(() => solveTriangular(singular, new Float64Array(80), { triangle: 'lower' })).toThrow(wanted)
    expect(() => invertTriangular(singular, { triangle: 'upper' })).toThrow(wanted)
    expect(invertTriangular(singular, { triangle: 'upper', unitDiagonal: true })).toEqual(identity(80))
  })

  test('sizes must fit', () => {
    expect(() => solveTriangular(matrix(2, 3), matrix(2, 1), { triangle: 'lower' })).toThrow(
      failure('bad-shape'),
    )
    expect(() => solveTriangular(t, matrix(2, 3), { triangle: 'lower' })).toThrow(
      failure('bad-shape', '3 rows'),
    )
    expect(() => solveTriangular(t, new Float64Array(4), { triangle: 'lower' })).toThrow(failure('bad-shape'))
    expect(() => invertTriangular(matrix(2, 3), { triangle: 'lower' })).toThrow(failure('bad-shape'))
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%f is refused', value => {
    const bad = mapMatrix(t, (x, i, j) => (i === 2 && j === 1 ? value : x))
    const wanted = failure('bad-argument', `${value} in row 2, column 1`)
    expect(() => solveTriangular(bad, matrix(3, 1), { triangle: 'lower' })).toThrow(wanted)
    expect(() => solveTriangular(t, bad, { triangle: 'lower' })).toThrow(wanted)
    expect(() => invertTriangular(bad, { triangle: 'lower' })).toThrow(wanted)
  })
})
