/** Products of matrices: every combination of ranks, transposition, exact integers, equations, costs and weights. */
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { bigints, fromBigInts, fromNumbers } from '../../tensor/elements.ts'
import { float32, type Tensor, zeros } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import {
  evaluateNumbers,
  evaluateOp,
  inferContextOf,
  inferOp,
  type PlainAttributes,
} from '../support/testing.ts'
import { Det } from './det.ts'
import { Einsum } from './einsum.ts'
import { Gemm } from './gemm.ts'
import { MatMul } from './mat-mul.ts'

const a = float32([1, 2, 3, 4, 5, 6], [2, 3])
const b = float32([1, 0, 0, 1, 1, 1], [3, 2])
const long = (shape: number[], ...values: bigint[]): Tensor => fromBigInts('int64', shape, values)
const exact = (op: Op, inputs: Tensor[], plain: PlainAttributes = {}): bigint[] =>
  Array.from(bigints(evaluateOp(op, inputs, plain)[0] as Tensor))

describe('MatMul', () => {
  test('matrices, vectors, batches', () => {
    expect(evaluateNumbers(MatMul, [a, b])).toEqual([4, 5, 10, 11])
    expect(evaluateNumbers(MatMul, [float32([1, 1]), a])).toEqual([5, 7, 9])
    expect(evaluateNumbers(MatMul, [a, float32([1, 0, 1])])).toEqual([4, 10])
    const [dot] = evaluateOp(MatMul, [float32([1, 2]), float32([3, 4])])
    expect(dot).toEqual(float32([11], []))
    const batch = float32([1, 2, 3, 4], [2, 1, 1, 2])
    const columns = float32([1, 0, 0, 1, 1, 1], [3, 2, 1])
    const [products] = evaluateOp(MatMul, [batch, columns])
    expect(products).toEqual(float32([1, 2, 3, 3, 4, 7], [2, 3, 1, 1]))
  })
  test('an inner extent of zero gives zeros, an outer one nothing', () => {
    expect(evaluateNumbers(MatMul, [zeros('float32', [2, 0]), zeros('float32', [0, 2])])).toEqual([
      0, 0, 0, 0,
    ])
    expect(evaluateNumbers(MatMul, [zeros('float32', [0, 3]), b])).toEqual([])
  })
  test('infinities times zero are not skipped', () => {
    expect(evaluateNumbers(MatMul, [float32([0, 1]), float32([Number.POSITIVE_INFINITY, 1])])).toEqual([
      Number.NaN,
    ])
  })
  test('integers are exact and wrap', () => {
    expect(exact(MatMul, [long([1, 2], 2n ** 53n, 1n), long([2, 1], 1n, 1n)])).toEqual([2n ** 53n + 1n])
    const big = fromNumbers('uint32', [1, 1], [2 ** 32 - 1])
    expect(evaluateNumbers(MatMul, [big, big])).toEqual([1])
  })
  test('misfits', () => {
    expect(() => evaluateOp(MatMul, [a, a])).toThrow('3 rows in the second, got 2')
    expect(() => evaluateOp(MatMul, [a, float32([1], [])])).toThrow('a scalar is no matrix')
    expect(() => evaluateOp(MatMul, [zeros('float32', [2, 1, 1]), zeros('float32', [3, 1, 1])])).toThrow(
      'broadcast',
    )
    expect(() => inferOp(MatMul, [tensorType('float32', ['n', 4]), tensorType('float32', [5, 2])])).toThrow(
      '5',
    )
  })
  test('types, cost, weights', () => {
    const inputs = [tensorType('float32', ['batch', 'n', 64]), tensorType('float32', [64, 10])]
    expect(inferOp(MatMul, inputs)).toEqual([tensorType('float32', ['batch', 'n', 10])])
    const context = inferContextOf(MatMul, inputs)
    expect(MatMul.macs!(context)).toBe('640*batch*n')
    expect(MatMul.weights!(context)[0]).toEqual({ input: 1, rows: [1], columns: [0] })
    expect(MatMul.weights!(context)[1]).toEqual({ input: 0, rows: [0, 1], columns: [2] })
    expect(inferOp(MatMul, [tensorType('float16'), undefined])).toEqual([tensorType('float16')])
    expect(inferOp(MatMul, [tensorType('float32', [null, null]), inputs[1]])).toEqual([
      tensorType('float32', [null, 10]),
    ])
  })
})

describe('Gemm', () => {
  const square = float32([1, 2, 3, 4], [2, 2])
  test.each([
    [{ transA: 1 }, [10, 14, 14, 20]],
    [{ transB: 1 }, [5, 11, 11, 25]],
    [{ transA: 1, transB: 1 }, [7, 15, 10, 22]],
    [{ alpha: 0.5 }, [3.5, 5, 7.5, 11]],
  ])('%o', (attributes, values) => {
    expect(evaluateNumbers(Gemm, [square, square], attributes)).toEqual(values)
  })
  test.each([
    [[], [10], [10, 10, 10, 10]],
    [[2], [10, 20], [10, 20, 10, 20]],
    [
      [2, 1],
      [10, 20],
      [10, 10, 20, 20],
    ],
    [
      [1, 2],
      [10, 20],
      [10, 20, 10, 20],
    ],
  ])('a summand of shape %o', (shape, summand, broadcast) => {
    const inputs = [square, square, float32(summand, shape)]
    expect(evaluateNumbers(Gemm, inputs, { alpha: 0 })).toEqual(broadcast)
    const product = [7, 10, 15, 22]
    expect(evaluateNumbers(Gemm, inputs, { beta: 0.5 })).toEqual(
      product.map((value, i) => value + broadcast[i]! / 2),
    )
  })
  test('integers: exact with whole factors, truncated with others', () => {
    const x = long([1, 1], 2n ** 53n + 1n)
    const one = long([1, 1], 1n)
    expect(exact(Gemm, [x, one, one], { beta: 2 })).toEqual([2n ** 53n + 3n])
    expect(exact(Gemm, [long([1, 1], 5n), one, one], { alpha: 0.5 })).toEqual([3n])
  })
  test('misfits', () => {
    expect(() => evaluateOp(Gemm, [zeros('float32', [1, 2, 2]), square])).toThrow('A is no matrix')
    expect(() => evaluateOp(Gemm, [square, square, zeros('float32', [3])])).toThrow('C does not broadcast')
    expect(() => evaluateOp(Gemm, [a, a])).toThrow('do not multiply')
  })
  test('types, cost, weights', () => {
    const inputs = [tensorType('float32', ['n', 64]), tensorType('float32', [10, 64])]
    const context = inferContextOf(Gemm, inputs, { transB: 1 })
    expect(Gemm.infer(context)).toEqual([tensorType('float32', ['n', 10])])
    expect(Gemm.macs!(context)).toBe('640*n')
    expect(Gemm.weights!(context)[0]).toEqual({ input: 1, rows: [0], columns: [1] })
    expect(Gemm.weights!(inferContextOf(Gemm, inputs))[0]).toEqual({ input: 1, rows: [1], columns: [0] })
  })
})

describe('Einsum', () => {
  const square = float32([1, 2, 3, 4], [2, 2])
  const of = (equation: string, ...inputs: Tensor[]): number[] =>
    evaluateNumbers(Einsum, inputs, { equation })
  test.each([
    ['ij,jk->ik', [7, 10, 15, 22]],
    ['ij,jk->ki', [7, 15, 10, 22]],
    ['ij, kj', [5, 11, 11, 25]], // implicit output i, k
    ['ba,bc', [10, 14, 14, 20]], // implicit output in ASCII order
    ['ij,ij->', [30]],
    ['ij,ij->i', [5, 25]],
    ['ii,jj->ij', [1, 4, 4, 16]],
    ['i...,i...->...', [10, 20]],
    ['...j,...j', [5, 25]],
    ['ij,kl->j', [40, 60]],
  ])('%s', (equation, values) => {
    expect(of(equation, square, square)).toEqual(values)
  })
  test('one operand: diagonal, trace, sum, transpose', () => {
    expect(of('ii->i', square)).toEqual([1, 4])
    expect(of('ii', square)).toEqual([5])
    expect(of('ij->', square)).toEqual([10])
    expect(of('Ab->bA', square)).toEqual([1, 3, 2, 4])
    expect(of('...', square)).toEqual([1, 2, 3, 4])
  })
  test('three operands, extents of 1 and 0, scalars', () => {
    expect(of('i,ij,j', float32([1, 1]), square, float32([1, 1]))).toEqual([10])
    expect(of('ij,j->i', square, float32([10], [1]))).toEqual([30, 70])
    expect(of('ij,jk->ik', zeros('float32', [1, 0]), zeros('float32', [0, 2]))).toEqual([0, 0])
    expect(of(',ij->ij', float32([2], []), square)).toEqual([2, 4, 6, 8])
    expect(evaluateOp(Einsum, [zeros('float32', [1, 1])], { equation: 'ij->ji' })[0]).toEqual(
      float32([0], [1, 1]),
    )
  })
  test('integers are exact', () => {
    expect(exact(Einsum, [long([2], 2n ** 53n, 1n), long([2], 1n, 1n)], { equation: 'i,i' })).toEqual([
      2n ** 53n + 1n,
    ])
  })
  test.each([
    ['ij,jk->il', [a, b], 'the output index "l" is in no operand'],
    ['ij,jk->ii', [a, b], 'the output index "i" is repeated'],
    ['ij->i->j', [a], 'more than one "->"'],
    ['i1', [a], '"i1" is no term'],
    ['....i', [a], 'is no term'],
    ['ij,jk', [a], 'expected 2 operands, got 1'],
    ['ijk', [a], 'expected rank 3, got rank 2'],
    ['...ijk', [a], 'does not fit "...ijk"'],
    ['...i,...', [a, float32([1], [])], 'expected rank 1, got rank 0'],
    ['ij,jk', [a, a], 'another extent for the index "j"'],
  ])('refuses %s', (equation, inputs, message) => {
    expect(() => evaluateOp(Einsum, inputs, { equation })).toThrow(message)
    expect(() => inferOp(Einsum, inputs, { equation })).toThrow(message)
  })
  test('types, cost, weights', () => {
    const inputs = [tensorType('float32', ['n', 'q', 64]), tensorType('float32', [8, 64, 32])]
    const context = inferContextOf(Einsum, inputs, { equation: 'nqd,hde->nhqe' })
    expect(Einsum.infer(context)).toEqual([tensorType('float32', ['n', 8, 'q', 32])])
    expect(Einsum.macs!(context)).toBe('16384*n*q')
    expect(Einsum.weights!(context)[1]).toEqual({ input: 1, rows: [0, 2], columns: [1] })
    expect(inferOp(Einsum, [inputs[0], tensorType('float32')], { equation: 'nqd,hde->nhqe' })).toEqual([
      tensorType('float32'),
    ])
    expect(Einsum.macs!(inferContextOf(Einsum, [inputs[0]], { equation: 'nqd->n' }))).toBe(0)
  })
})

describe('Det', () => {
  test('signs of row exchanges, singular and empty matrices, batches', () => {
    expect(evaluateNumbers(Det, [float32([0, 1, 1, 0], [2, 2])])).toEqual([-1])
    expect(evaluateNumbers(Det, [float32([0, 2, 0, 0, 0, 3, 4, 0, 0], [3, 3])])).toEqual([24])
    expect(evaluateNumbers(Det, [float32([1, 2, 2, 4], [2, 2])])).toEqual([0])
    expect(evaluateOp(Det, [zeros('float32', [2, 0, 0])])[0]).toEqual(float32([1, 1]))
    expect(evaluateNumbers(Det, [float32([2, 0, 0, 3, 1, 2, 3, 4], [2, 2, 2])])).toEqual([6, -2])
  })
  test('square matrices only', () => {
    expect(() => evaluateOp(Det, [a])).toThrow('square matrices')
    expect(inferOp(Det, [tensorType('float32', ['n', 'm', 'm'])])).toEqual([tensorType('float32', ['n'])])
  })
})
