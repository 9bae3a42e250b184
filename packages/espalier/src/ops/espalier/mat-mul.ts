/**
 * Product of matrices, and what usually comes behind it: a scale, a bias, a residual connection, an activation. The
 * second matrix can be stored transposed, as fully connected layers store their weights.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, stridesOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { InferContext, Op } from '../op.ts'
import { float, floats, int } from '../schema.ts'
import { activationAttributes, activationFunction, activationOf } from '../support/activation.ts'
import { numbersAs } from '../support/broadcast.ts'
import { typed } from '../support/infer.ts'
import { lowerProduct } from '../support/lower-gemm.ts'
import { inferMatMul, matMulMacs, matMulNumbers, matMulWeights } from '../support/matmul.ts'
import { copyStrided } from '../support/movement.ts'

export const MatMul: Op = {
  name: 'MatMul',
  domain: 'espalier',
  doc: 'Product of matrices: activation(alpha_scale * a * b + bias + residual).',
  versions: {
    1: {
      inputs: ['a: T', 'b: T', 'bias?: T', 'residual?: T'],
      outputs: ['y: T'],
      types: { T: floats },
      attributes: { transB: int(0), alpha_scale: float(1), ...activationAttributes },
    },
  },
  infer(c) {
    const shape = inferMatMul(c.shape(0), secondShape(c))
    const residual = c.shape(3)
    if (shape && residual) checkResidual(shape, residual)
    return [typed(c.dtype(0), shape)]
  },
  macs: c => matMulMacs(c.shape(0), secondShape(c)),
  weights(c) {
    const uses = matMulWeights(c.shape(0), secondShape(c))
    if (c.attributes.int('transB') === 0) return uses
    // The rows of a transposed matrix are its columns as it lies there.
    const rank = c.shape(1)?.length ?? 2
    const stored = (axis: number): number => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)
    return uses.map(use =>
      use.input === 1 ? { ...use, rows: use.rows.map(stored), columns: use.columns.map(stored) } : use,
    )
  },
  evaluate(c) {
    const [a, b] = [c.tensor(0), c.attributes.int('transB') === 0 ? c.tensor(1) : transposed(c.tensor(1))]
    const { shape, values } = matMulNumbers(numbers(a), a.shape, numbers(b), b.shape)
    const [bias, residual] = [c.optionalTensor(2), c.optionalTensor(3)]
    if (residual) checkResidual(shape, residual.shape)
    const scale = c.attributes.float('alpha_scale')
    const addend = bias && numbersAs(bias, shape, 'the bias')
    const second = residual && numbers(residual)
    const activation = activationFunction(activationOf(c.attributes))
    for (let i = 0; i < values.length; i++)
      values[i] = activation(scale * values[i]! + (addend?.[i] ?? 0) + (second?.[i] ?? 0))
    return [fromNumbers(a.dtype, shape, values)]
  },
  lower: c =>
    lowerProduct(c, {
      transB: c.attributes.int('transB') !== 0,
      scale: c.attributes.float('alpha_scale'),
      bias: 2,
      residual: 3,
      activation: activationOf(c.attributes),
    }),
}

function secondShape(c: InferContext): readonly Dim[] | undefined {
  const shape = c.shape(1)
  if (shape === undefined || c.attributes.int('transB') === 0) return shape
  checkMatrix(shape)
  return swapped(shape)
}

function swapped<D extends Dim>(shape: readonly D[]): D[] {
  return [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!]
}

/** The same matrices with rows and columns exchanged. */
function transposed(source: Tensor): Tensor {
  checkMatrix(source.shape)
  return copyStrided(source, swapped(source.shape), swapped(stridesOf(source.shape)))
}

function checkMatrix(shape: readonly Dim[]): void {
  if (shape.length >= 2) return
  throw new EspalierError('bad-shape', 'b is no matrix that could be transposed', {
    expected: 'rank 2 or more',
    got: formatShape(shape),
  })
}

function checkResidual(output: readonly Dim[], residual: readonly Dim[]): void {
  if (output.length === residual.length && !output.some((dim, axis) => differentDims(dim, residual[axis]!)))
    return
  throw new EspalierError('bad-shape', 'the residual does not have the shape of the output', {
    expected: formatShape(output),
    got: formatShape(residual),
  })
}
