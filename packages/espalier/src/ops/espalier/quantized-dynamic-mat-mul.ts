/**
 * The product that dynamic quantisation exports: x is quantised to uint8 over its own range (DynamicQuantizeLinear),
 * multiplied exactly by 8-bit weights (MatMulInteger), scaled back to float32, and ended with bias, residual and activation.
 */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { DynamicQuantizeLinear } from '../onnx/dynamic-quantize-linear.ts'
import type { Op } from '../op.ts'
import { activationAttributes, activationFunction, activationOf } from '../support/activation.ts'
import { espalierDomain } from '../support/channels-last.ts'
import { readBias } from '../support/convolution.ts'
import { typed } from '../support/infer.ts'
import { lowerDynamicProduct } from '../support/lower-quantized.ts'
import { inferMatMul, matMulMacs, matMulNumbers, matMulWeights } from '../support/matmul.ts'
import { readPerChannel, spreadOverColumns } from '../support/quantization.ts'
import { single } from '../support/scalars.ts'

export const DynamicQuantizedMatMul: Op = {
  name: 'DynamicQuantizedMatMul',
  domain: espalierDomain,
  doc: 'activation(x * dequantised w + bias + residual), x quantised over its range and the product summed in integers.',
  versions: {
    1: {
      inputs: [
        'x: float32',
        'w: T',
        'w_scale: float32',
        'w_zero_point?: T',
        'bias?: float32',
        'residual?: float32',
      ],
      outputs: ['y: float32'],
      types: { T: ['int8', 'uint8'] },
      attributes: activationAttributes,
    },
  },
  infer: c => [typed('float32', inferMatMul(c.shape(0), c.shape(1)))],
  macs: c => matMulMacs(c.shape(0), c.shape(1)),
  weights: c =>
    matMulWeights(c.shape(0), c.shape(1))
      .filter(({ input }) => input === 1)
      .map(use => ({ ...use, zeroPoint: 3 })),
  evaluate(c) {
    const [x, w] = [c.tensor(0), c.tensor(1)]
    const [quantized, scale, zeroPoint] = DynamicQuantizeLinear.evaluate(c) as [Tensor, Tensor, Tensor]
    const xZero = single(zeroPoint, 'zero point')
    const wZero = c.optionalTensor(3)
    const wZeros = wZero && spreadOverColumns(wZero, w.shape, 'w_zero_point')
    const { shape, values } = matMulNumbers(
      numbers(quantized).map(value => value - xZero),
      x.shape,
      numbers(w).map((value, i) => value - (wZeros?.[i] ?? 0)),
      w.shape,
    )
    const columns = shape.at(-1) ?? 1
    const scales = readPerChannel(c.tensor(2), 'w_scale', columns).map(own =>
      Math.fround(single(scale, 'scale') * own),
    )
    const bias = readBias(c.optionalTensor(4), columns)
    const residual = c.optionalTensor(5)
    const added = residual && numbers(residual)
    const activate = activationFunction(activationOf(c.attributes))
    const results = values.map((sum, i) =>
      activate(sum * scales[(i % columns) % scales.length]! + (bias?.[i % columns] ?? 0) + (added?.[i] ?? 0)),
    )
    return [fromNumbers('float32', shape, results)]
  },
  lower: c =>
    lowerDynamicProduct(
      c,
      { x: 0, w: 1, wScale: 2, wZero: 3, bias: 4, residual: 5 },
      activationOf(c.attributes),
    ),
}
