/**
 * QLinearMatMul with what comes behind it: saturate(round(act((x - x_zero) (w - w_zero) + bias) * x_scale * w_scale) /
 * y_scale) + y_zero), the bias in units of the sums. Weights have one scale and zero point, or one for each column.
 */
import { numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { activationAttributes, activationOf } from '../support/activation.ts'
import { espalierDomain } from '../support/channels-last.ts'
import { readBias } from '../support/convolution.ts'
import { typed } from '../support/infer.ts'
import { lowerProduct } from '../support/lower-quantized.ts'
import { inferMatMul, matMulMacs, matMulNumbers, matMulWeights } from '../support/matmul.ts'
import { spreadOverColumns } from '../support/quantization.ts'
import { quantizedInputs, quantizedPlaces, quantizedTypes, requantized } from '../support/quantized-sums.ts'
import { single } from '../support/scalars.ts'

export const QuantizedMatMul: Op = {
  name: 'QuantizedMatMul',
  domain: espalierDomain,
  doc: 'Matrix product of quantised tensors with bias and activation, as a quantised tensor.',
  versions: {
    1: {
      inputs: quantizedInputs,
      outputs: ['y: T3'],
      types: quantizedTypes,
      attributes: activationAttributes,
    },
  },
  infer: c => [typed(c.dtype(7), inferMatMul(c.shape(0), c.shape(3)))],
  macs: c => matMulMacs(c.shape(0), c.shape(3)),
  weights: c =>
    matMulWeights(c.shape(0), c.shape(3))
      .filter(({ input }) => input === 1)
      .map(use => ({ ...use, input: 3, zeroPoint: 5 })),
  evaluate(c) {
    const [x, w] = [c.tensor(0), c.tensor(3)]
    const xZero = single(c.tensor(2), 'x_zero_point')
    const wZeros = spreadOverColumns(c.tensor(5), w.shape, 'w_zero_point')
    const { shape, values } = matMulNumbers(
      numbers(x).map(value => value - xZero),
      x.shape,
      numbers(w).map((value, i) => value - wZeros[i]!),
      w.shape,
    )
    const columns = shape.at(-1) ?? 1
    const bias = readBias(c.optionalTensor(8), columns)
    return [requantized(c, shape, bias ? values.map((sum, i) => sum + bias[i % columns]!) : values)]
  },
  lower: c => lowerProduct(c, quantizedPlaces, activationOf(c.attributes)),
}
