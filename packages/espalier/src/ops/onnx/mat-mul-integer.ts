/**
 * Matrix product of 8-bit integers less their zero points, summed in 32 bits: exact, wrapping modulo 2^32 at
 * the end.
 */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { typed } from '../support/infer.ts'
import { lowerProduct } from '../support/lower-quantized.ts'
import { inferMatMul, matMulMacs, matMulNumbers, matMulWeights } from '../support/matmul.ts'
import { spreadOverColumns, spreadOverRows } from '../support/quantization.ts'

export const MatMulInteger: Op = {
  name: 'MatMulInteger',
  doc: 'Matrix product of 8-bit integers, less their zero points, in 32-bit integers.',
  versions: {
    10: {
      inputs: ['A: T1', 'B: T2', 'a_zero_point?: T1', 'b_zero_point?: T2'],
      outputs: ['Y: T3'],
      types: { T1: ['int8', 'uint8'], T2: ['int8', 'uint8'], T3: ['int32'] },
    },
  },
  infer: c => [typed('int32', inferMatMul(c.shape(0), c.shape(1)))],
  macs: c => matMulMacs(c.shape(0), c.shape(1)),
  weights: c =>
    matMulWeights(c.shape(0), c.shape(1)).map(use => ({ ...use, zeroPoint: use.input === 1 ? 3 : 2 })),
  lower: c => lowerProduct(c, { x: 0, w: 1, xZero: 2, wZero: 3 }),
  evaluate(c) {
    const [a, b] = [c.tensor(0), c.tensor(1)]
    const [aZero, bZero] = [c.optionalTensor(2), c.optionalTensor(3)]
    const { shape, values } = matMulNumbers(
      difference(a, aZero && spreadOverRows(aZero, a.shape, 'a_zero_point')),
      a.shape,
      difference(b, bZero && spreadOverColumns(bZero, b.shape, 'b_zero_point')),
      b.shape,
    )
    return [fromNumbers('int32', shape, values)]
  },
}

function difference(source: Tensor, zeroPoints: Float64Array | undefined): Float64Array {
  const values = numbers(source)
  return zeroPoints === undefined ? values : values.map((value, i) => value - zeroPoints[i]!)
}
