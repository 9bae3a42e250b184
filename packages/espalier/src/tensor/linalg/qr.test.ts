import { describe, expect, test } from 'vitest'
import {
  expectClose,
  expectOrthonormalColumns,
  failure,
  hilbert,
  isTriangular,
  mapMatrix,
  matrixFrom,
  product,
  randomMatrix,
} from './matrices.suite.ts'
import { identity, type Matrix, matrix } from './matrix.ts'
import { qr } from './qr.ts'

function check(a: Matrix): void {
  const { rows, columns } = a
  for (const mode of ['thin', 'full'] as const) {
    const { q, r } = qr(a, { mode })
    const inner = mode === 'thin' ? Math.min(rows, columns) : rows
    expect([q.rows, q.columns, r.rows, r.columns]).toEqual([rows, inner, inner, columns])
    expectOrthonormalColumns(q)
    expectClose(product(q, r), a)
    expect(isTriangular(r, 'upper')).toBe(true)
    for (let i = 0; i < Math.min(inner, columns); i++)
      expect(r.data[i * columns + i]).toBeGreaterThanOrEqual(0)
  }
}

test.each([
  [0, 0],
  [0, 3],
  [3, 0],
  [1, 1],
  [1, 4],
  [4, 1],
  [5, 3],
  [3, 5],
  [64, 64],
  [131, 65],
  [65, 131],
])('%i x %i', (rows, columns) => {
  check(randomMatrix(rows, columns))
})

test.each([
  ['zero', matrix(4, 3)],
  ['a zero column', mapMatrix(randomMatrix(5, 3), (value, _, j) => (j === 1 ? 0 : value))],
  ['rank one', matrixFrom(6, 4, (i, j) => (i + 1) * (j - 2))],
  ['repeated columns', mapMatrix(randomMatrix(7, 7), (value, i) => value * (i % 2))],
  ['Hilbert', hilbert(12)],
  ['graded', mapMatrix(randomMatrix(9, 9), (value, i) => value * 10 ** (-5 * i))],
  ['graded the other way', mapMatrix(randomMatrix(9, 9), (value, i) => value * 10 ** (5 * i))],
])('degenerate: %s', (_, a) => check(a))

test.each([1e300, 1e-300, 2 ** -1060])('numbers of about %f neither overflow nor vanish', scale => {
  const a = mapMatrix(randomMatrix(5, 3), value => value * scale)
  const { q, r } = qr(a)
  expectOrthonormalColumns(q)
  if (scale < 2 ** -1022) return // so few bits are left that only the orthogonality is sharp
  const back = product(
    q,
    mapMatrix(r, value => value / scale),
  )
  expectClose(
    back,
    mapMatrix(a, value => value / scale),
  )
})

test('known: a rotation and its triangle', () => {
  const { q, r } = qr(matrix(2, 2, Float64Array.of(3, 1, 4, 2)))
  expectClose(q, matrix(2, 2, Float64Array.of(0.6, -0.8, 0.8, 0.6)))
  expectClose(r, matrix(2, 2, Float64Array.of(5, 2.2, 0, 0.4)))
})

test('the identity is its own Q and R', () => {
  expect(qr(identity(4))).toEqual({ q: identity(4), r: identity(4) })
})

test('a is not written to, and thin is the default', () => {
  const a = randomMatrix(4, 2)
  expect(qr(a)).toEqual(qr(a, { mode: 'thin' }))
  expect(a).toEqual(randomMatrix(4, 2))
})

describe('wrong calls', () => {
  test('are refused', () => {
    expect(() => qr({ rows: 2, columns: 2, data: new Float64Array(3) })).toThrow(failure('bad-shape'))
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY])
      expect(() => qr(matrix(1, 2, Float64Array.of(0, value)))).toThrow(
        failure('bad-argument', `${value} in row 0, column 1`),
      )
  })
})
