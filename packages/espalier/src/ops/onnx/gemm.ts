/** General matrix product with a summand. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { isFloat } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, Op } from '../op.ts'
import { float, floats, floats16, int, type Schema, type TypeName } from '../schema.ts'
import { bigintsAs, numbersAs } from '../support/broadcast.ts'
import { typed } from '../support/infer.ts'
import { lowerProduct } from '../support/lower-gemm.ts'
import { inferMatMul, matMulIntegers, matMulMacs, matMulNumbers } from '../support/matmul.ts'
import { copyStrided } from '../support/movement.ts'

const integers = ['uint32', 'uint64', 'int32', 'int64'] as const
const version = (T: readonly TypeName[], summand = 'C?: T'): Schema => ({
  inputs: ['A: T', 'B: T', summand],
  outputs: ['Y: T'],
  types: { T },
  attributes: { alpha: float(1), beta: float(1), transA: int(0), transB: int(0) },
})

export const Gemm: Op = {
  name: 'Gemm',
  doc: 'alpha * A * B + beta * C for two matrices, either of them transposed on request, and a broadcast C.',
  versions: {
    7: version(floats16, 'C: T'),
    9: version([...floats16, ...integers], 'C: T'),
    11: version([...floats16, ...integers]),
    13: version([...floats, ...integers]),
  },
  infer(c) {
    const [a, b] = operandShapes(c.attributes, c.shape(0), c.shape(1))
    return [typed(c.dtype(0), inferMatMul(a, b))]
  },
  macs: c => matMulMacs(...operandShapes(c.attributes, c.shape(0), c.shape(1))),
  weights(c) {
    const [rowB, rowA] = [c.attributes.int('transB') ? 0 : 1, c.attributes.int('transA') ? 1 : 0]
    return [
      { input: 1, rows: [rowB], columns: [1 - rowB] },
      { input: 0, rows: [rowA], columns: [1 - rowA] },
    ]
  },
  evaluate(c) {
    const a = operand(c.tensor(0), 'A', c.attributes.int('transA'))
    const b = operand(c.tensor(1), 'B', c.attributes.int('transB'))
    const [alpha, beta] = [c.attributes.float('alpha'), c.attributes.float('beta')]
    const exact = !isFloat(a.dtype) && Number.isSafeInteger(alpha) && Number.isSafeInteger(beta)
    return [exact ? multiplyExactly(c, a, b, BigInt(alpha), BigInt(beta)) : multiply(c, a, b, alpha, beta)]
  },
  lower(c) {
    const beta = c.attributes.float('beta')
    return lowerProduct(c, {
      transA: c.attributes.int('transA') !== 0,
      transB: c.attributes.int('transB') !== 0,
      scale: c.attributes.float('alpha'),
      biasScale: beta,
      ...(beta === 0 ? {} : { bias: 2 }),
    })
  },
}

/** Integers are computed as numbers too when a factor is fractional, and truncated in the end. */
function multiply(c: EvaluateContext, a: Tensor, b: Tensor, alpha: number, beta: number): Tensor {
  const { shape, values } = matMulNumbers(numbers(a), a.shape, numbers(b), b.shape)
  const summand = c.optionalTensor(2)
  const addend = summand && numbersAs(summand, shape, 'C')
  for (let i = 0; i < values.length; i++) {
    values[i]! *= alpha
    if (addend !== undefined && beta !== 0) values[i]! += beta * addend[i]!
  }
  return fromNumbers(a.dtype, shape, values)
}

function multiplyExactly(c: EvaluateContext, a: Tensor, b: Tensor, alpha: bigint, beta: bigint): Tensor {
  const { shape, values } = matMulIntegers(bigints(a), a.shape, bigints(b), b.shape)
  const summand = c.optionalTensor(2)
  const addend = summand && bigintsAs(summand, shape, 'C')
  for (let i = 0; i < values.length; i++) {
    values[i]! *= alpha
    if (addend !== undefined) values[i]! += beta * addend[i]!
  }
  return fromBigInts(a.dtype, shape, values)
}

/** A matrix, transposed when asked. */
function operand(source: Tensor, what: string, transposed: number): Tensor {
  const [rows, columns] = matrixShape(source.shape, what)
  return transposed ? copyStrided(source, [columns, rows], [1, columns]) : source
}

function operandShapes(
  attributes: Attributes,
  a: readonly Dim[] | undefined,
  b: readonly Dim[] | undefined,
): [readonly Dim[] | undefined, readonly Dim[] | undefined] {
  const turned = (
    shape: readonly Dim[] | undefined,
    what: string,
    name: string,
  ): readonly Dim[] | undefined => {
    if (shape === undefined) return undefined
    const matrix = matrixShape(shape, what)
    return attributes.int(name) ? matrix.toReversed() : matrix
  }
  return [turned(a, 'A', 'transA'), turned(b, 'B', 'transB')]
}

function matrixShape<D extends Dim>(shape: readonly D[], what: string): [D, D] {
  if (shape.length === 2) return [shape[0]!, shape[1]!]
  throw new EspalierError('bad-shape', `${what} is no matrix`, {
    expected: 'rank 2',
    got: formatShape(shape),
  })
}
