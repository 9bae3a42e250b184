/**
 * The product of batches of matrices as `numpy.matmul` has it: how the shapes fit, symbolic or not, and the product
 * itself, in float64 or exactly in 64-bit integers. The loops go row, inner, column, so that the innermost one is
 * `y[j] += a * b[j]` over rows that lie contiguously. Not the fast path: kernels are elsewhere.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims, multiplyDims, productOfDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import {
  broadcastShapes,
  broadcastStrides,
  forEachIndex,
  formatShape,
  type Shape,
  sizeOf,
} from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { WeightUse } from '../op.ts'
import { broadcastDims } from './infer.ts'
import { outputSize } from './movement.ts'

type Numbers = Float64Array
type Integers = BigInt64Array | BigUint64Array

/** A product of matrices [m, k] and [k, n], repeated over batch axes. */
interface Product<D extends Dim> {
  readonly batchA: readonly D[]
  readonly batchB: readonly D[]
  readonly m: D
  readonly k: D
  readonly n: D
  /** Whether `A` (`B`) is a vector, so that `m` (`n`) is no axis of the result. */
  readonly vectorA: boolean
  readonly vectorB: boolean
}

function fit<D extends Dim>(a: readonly D[], b: readonly D[]): Product<D> {
  const one = 1 as D
  if (a.length === 0 || b.length === 0)
    throw new EspalierError('bad-shape', 'a scalar is no matrix', {
      expected: 'two tensors of rank 1 or more',
      got: `${formatShape(a)} and ${formatShape(b)}`,
    })
  const [vectorA, vectorB] = [a.length === 1, b.length === 1]
  const [k, kb] = [a.at(-1)!, vectorB ? b[0]! : b.at(-2)!]
  if (differentDims(k, kb))
    throw new EspalierError('bad-shape', `matrices ${formatShape(a)} and ${formatShape(b)} do not multiply`, {
      expected: `${k} rows in the second`,
      got: `${kb}`,
    })
  return {
    batchA: a.slice(0, -2),
    batchB: b.slice(0, -2),
    m: vectorA ? one : a.at(-2)!,
    k: k ?? kb,
    n: vectorB ? one : b.at(-1)!,
    vectorA,
    vectorB,
  }
}

function resultShape<D extends Dim>(batch: readonly D[], { m, n, vectorA, vectorB }: Product<D>): D[] {
  return [...batch, ...(vectorA ? [] : [m]), ...(vectorB ? [] : [n])]
}

/** The shape of the product; `undefined` when a rank is unknown. Throws `bad-shape` on a sure misfit. */
export function inferMatMul(
  a: readonly Dim[] | undefined,
  b: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  if (a === undefined || b === undefined) return undefined
  const product = fit(a, b)
  const batch = broadcastDims(product.batchA, product.batchB)
  return batch && resultShape(batch, product)
}

/** Multiply-accumulates of the product. */
export function matMulMacs(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): Dim {
  if (a === undefined || b === undefined) return null
  const product = fit(a, b)
  const batch = broadcastDims(product.batchA, product.batchB)
  if (batch === undefined) return null
  return multiplyDims(productOfDims(batch), productOfDims([product.m, product.k, product.n]))
}

/** How the second operand of a product, and the first, act as weights: all axes but the inner one number outputs. */
export function matMulWeights(
  a: readonly Dim[] | undefined,
  b: readonly Dim[] | undefined,
): readonly WeightUse[] {
  const use = (input: number, rank: number | undefined, inner: number): WeightUse[] => {
    if (rank === undefined || rank === 0) return []
    const column = rank === 1 ? 0 : rank + inner
    const rows = Array.from({ length: rank }, (_, axis) => axis).filter(axis => axis !== column)
    return [{ input, rows, columns: [column] }]
  }
  return [...use(1, b?.length, -2), ...use(0, a?.length, -1)]
}

/** A product and its shape. */
interface Result<T> {
  readonly shape: number[]
  readonly values: T
}

/** The product of `a` and `b` in float64. Throws `bad-shape`, `too-large`. */
export function matMulNumbers(a: Numbers, shapeA: Shape, b: Numbers, shapeB: Shape): Result<Numbers> {
  const product = fit(shapeA, shapeB)
  const batch = broadcastShapes(product.batchA, product.batchB)
  const shape = resultShape(batch, product)
  const values = allocate('float64', outputSize('float64', shape))
  eachMatrix(product, batch, (atA, atB, at) => multiply(a, atA, b, atB, values, at, product))
  return { shape, values }
}

/** The product of `a` and `b` in integers modulo 2^64. Throws `bad-shape`, `too-large`. */
export function matMulIntegers(
  a: Integers,
  shapeA: Shape,
  b: Integers,
  shapeB: Shape,
): Result<BigInt64Array> {
  const product = fit(shapeA, shapeB)
  const batch = broadcastShapes(product.batchA, product.batchB)
  const shape = resultShape(batch, product)
  const values = allocate('int64', outputSize('int64', shape))
  eachMatrix(product, batch, (atA, atB, at) => multiplyExactly(a, atA, b, atB, values, at, product))
  return { shape, values }
}

/** Calls `visit` with the positions of each pair of matrices and of their product. */
function eachMatrix(
  { batchA, batchB, m, k, n }: Product<number>,
  batch: Shape,
  visit: (atA: number, atB: number, at: number) => void,
): void {
  if (sizeOf([m, n]) === 0) return
  forEachIndex(
    batch,
    [broadcastStrides(batchA, batch), broadcastStrides(batchB, batch)],
    (index, [matrixA, matrixB]) => visit(matrixA! * m * k, matrixB! * k * n, index * m * n),
  )
}

interface Extents {
  readonly m: number
  readonly k: number
  readonly n: number
}

/** y += a * b for one pair of matrices, each from its own position on; four rows of b a pass, to touch y less often. */
function multiply(
  a: Numbers,
  atA: number,
  b: Numbers,
  atB: number,
  y: Numbers,
  at: number,
  { m, k, n }: Extents,
): void {
  for (let i = 0; i < m; i++) {
    const row = at + i * n
    const rowA = atA + i * k
    let inner = 0
    for (; inner + 4 <= k; inner += 4) {
      const [p, q, r, s] = [
        a[rowA + inner]!,
        a[rowA + inner + 1]!,
        a[rowA + inner + 2]!,
        a[rowA + inner + 3]!,
      ]
      const b0 = atB + inner * n
      const [b1, b2, b3] = [b0 + n, b0 + 2 * n, b0 + 3 * n]
      for (let j = 0; j < n; j++)
        y[row + j]! += p * b[b0 + j]! + q * b[b1 + j]! + r * b[b2 + j]! + s * b[b3 + j]!
    }
    for (; inner < k; inner++) {
      const factor = a[rowA + inner]!
      const b0 = atB + inner * n
      for (let j = 0; j < n; j++) y[row + j]! += factor * b[b0 + j]!
    }
  }
}

/** The same in 64-bit integers. */
function multiplyExactly(
  a: Integers,
  atA: number,
  b: Integers,
  atB: number,
  y: BigInt64Array,
  at: number,
  { m, k, n }: Extents,
): void {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0n
      for (let inner = 0; inner < k; inner++) sum += a[atA + i * k + inner]! * b[atB + inner * n + j]!
      y[at + i * n + j] = sum
    }
}
