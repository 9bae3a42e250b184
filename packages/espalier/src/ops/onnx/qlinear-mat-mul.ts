/**
 * Quantised matrix product. The sums are exact in integers; the result is
 * saturate(round(sum * a_scale * b_scale / y_scale) + y_zero_point), rounded half to even.
 */
import { numbers } from '../../tensor/elements.ts'
import type { Shape } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { float8s, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { lowerProduct } from '../support/lower-quantized.ts'
import { inferMatMul, matMulMacs, matMulNumbers, matMulWeights } from '../support/matmul.ts'
import {
  quantizeNumbers,
  requantization,
  spreadOverColumns,
  spreadOverRows,
} from '../support/quantization.ts'
import { single } from '../support/scalars.ts'

const version = (scale: string, T: readonly TypeName[], TS: Schema['types'] = {}): Schema => ({
  inputs: [
    'a: T1',
    `a_scale: ${scale}`,
    'a_zero_point: T1',
    'b: T2',
    `b_scale: ${scale}`,
    'b_zero_point: T2',
    `y_scale: ${scale}`,
    'y_zero_point: T3',
  ],
  outputs: ['y: T3'],
  types: { ...TS, T1: T, T2: T, T3: T },
})

export const QLinearMatMul: Op = {
  name: 'QLinearMatMul',
  doc: 'Matrix product of quantised tensors, as a quantised tensor.',
  versions: {
    10: version('float32', ['int8', 'uint8']),
    21: version('TS', ['int8', 'uint8', ...float8s], { TS: ['float32', 'float16', 'bfloat16'] }),
  },
  infer: c => [typed(c.dtype(7), inferMatMul(c.shape(0), c.shape(3)))],
  macs: c => matMulMacs(c.shape(0), c.shape(3)),
  weights: c =>
    matMulWeights(c.shape(0), c.shape(3)).map(use => ({
      ...use,
      ...(use.input === 1 ? { input: 3, zeroPoint: 5 } : { zeroPoint: 2 }),
    })),
  lower: c => lowerProduct(c, { x: 0, xScale: 1, xZero: 2, w: 3, wScale: 4, wZero: 5, yScale: 6, yZero: 7 }),
  evaluate(c) {
    const [a, b] = [c.tensor(0), c.tensor(3)]
    const aZeros = spreadOverRows(c.tensor(2), a.shape, 'a_zero_point')
    const bZeros = spreadOverColumns(c.tensor(5), b.shape, 'b_zero_point')
    const { shape, values } = matMulNumbers(
      numbers(a).map((value, i) => value - aZeros[i]!),
      a.shape,
      numbers(b).map((value, i) => value - bZeros[i]!),
      b.shape,
    )
    const matrices = withVectorAxes(shape, a.shape.length === 1, b.shape.length === 1)
    const aScales = spreadOverRows(c.tensor(1), matrices, 'a_scale')
    const bScales = spreadOverColumns(c.tensor(4), matrices, 'b_scale')
    const yScale = single(c.tensor(6), 'y_scale')
    const yZero = single(c.tensor(7), 'y_zero_point')
    const scaled = values.map((sum, i) => sum * requantization(aScales[i]!, bScales[i]!, yScale))
    return [quantizeNumbers(c.tensor(7).dtype, shape, scaled, () => yZero)]
  },
}

/** The shape of a product with the axes of extent 1 that a vector operand leaves out. */
function withVectorAxes(shape: Shape, vectorA: boolean, vectorB: boolean): Shape {
  const columns = vectorB ? [...shape, 1] : shape
  return vectorA ? columns.toSpliced(-1, 0, 1) : columns
}
