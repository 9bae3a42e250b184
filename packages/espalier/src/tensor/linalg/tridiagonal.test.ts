import { expect, test } from 'vitest'
import {
  diagonalMatrix,
  expectClose,
  expectOrthonormalColumns,
  failure,
  matrixFrom,
  norm,
  product,
} from './matrices.suite.ts'
import { identity, type Matrix, transpose } from './matrix.ts'
import { diagonalizeTridiagonal } from './tridiagonal.ts'

const tridiagonal = (d: readonly number[], e: readonly number[]): Matrix =>
  matrixFrom(d.length, d.length, (i, j) => (i === j ? d[i]! : Math.abs(i - j) === 1 ? e[Math.min(i, j)]! : 0))

test.each([
  ['empty', [], []],
  ['single', [3], []],
  ['no diagonal', [0, 0, 0, 0], [1, 1, 1]],
  ['already diagonal', [3, 1, 2], [0, 0]],
  ['in two parts', [1, 2, 3, 4], [0.5, 0, 0.5]],
  ['couplings that all but vanish', [1, 1, 1], [1e-160, 1e-300]],
  ['a coupling that dwarfs the diagonal', [1e-30, 0, 1e-30], [1, 1e-20]],
])('%s', (_, d, e) => {
  const diagonal = Float64Array.from(d)
  const rows = identity(d.length)
  diagonalizeTridiagonal(diagonal, Float64Array.from([...e, 0]).subarray(0, d.length), rows)
  const a = tridiagonal(d, e)
  const vectors = transpose(rows)
  expectOrthonormalColumns(vectors)
  expectClose(product(a, vectors), product(vectors, diagonalMatrix(diagonal)), norm(a))
})

test('too few sweeps are an error', () => {
  const run = (sweeps: number) =>
    diagonalizeTridiagonal(Float64Array.of(1, 2, 3), Float64Array.of(1, 1, 0), identity(3), sweeps)
  expect(() => run(0)).toThrow(failure('no-convergence', '0 sweeps'))
  expect(() => run(10)).not.toThrow()
})
