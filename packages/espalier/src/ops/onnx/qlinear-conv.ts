/**
 * Quantised convolution. The sum over the window is exact in integers (bias included); the result is
 * saturate(round(sum * x_scale * w_scale / y_scale) + y_zero_point), rounded half to even.
 */
import { numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { int, optional, string } from '../schema.ts'
import {
  convolutionMacs,
  convolutionShape,
  convolutionWeights,
  convolve,
  outputShape,
  readBias,
  readConvolution,
} from '../support/convolution.ts'
import { typed } from '../support/infer.ts'
import { lowerConvolutionI8 } from '../support/lower-quantized.ts'
import { minusZeroPoint, quantizeNumbers, readPerChannel, requantization } from '../support/quantization.ts'
import { single } from '../support/scalars.ts'

export const QLinearConv: Op = {
  name: 'QLinearConv',
  doc: 'Convolves quantised tensors into a quantised tensor.',
  versions: {
    10: {
      inputs: [
        'x: T1',
        'x_scale: float32',
        'x_zero_point: T1',
        'w: T2',
        'w_scale: float32',
        'w_zero_point: T2',
        'y_scale: float32',
        'y_zero_point: T3',
        'B?: T4',
      ],
      outputs: ['y: T3'],
      types: {
        T1: ['int8', 'uint8'],
        T2: ['int8', 'uint8'],
        T3: ['int8', 'uint8'],
        T4: ['int32'],
      },
      attributes: {
        auto_pad: string('NOTSET'),
        dilations: optional('ints'),
        group: int(1),
        kernel_shape: optional('ints'),
        pads: optional('ints'),
        strides: optional('ints'),
      },
    },
  },
  infer: c => [typed(c.dtype(7), convolutionShape(c, 0, 3))],
  macs: c => convolutionMacs(c, 0, 3),
  weights: c => convolutionWeights(c, 3).map(use => ({ ...use, zeroPoint: 5 })),
  lower: c =>
    lowerConvolutionI8(
      c,
      { x: 0, xScale: 1, xZero: 2, w: 3, wScale: 4, wZero: 5, yScale: 6, yZero: 7, bias: 8 },
      'first',
    ),
  evaluate(c) {
    const [x, w] = [c.tensor(0), c.tensor(3)]
    const convolution = readConvolution(c.attributes, x.shape, w.shape)
    const channels = convolution.outputs
    const sums = convolve(
      convolution,
      minusZeroPoint(numbers(x), [single(c.tensor(2), 'x_zero_point')]),
      minusZeroPoint(numbers(w), readPerChannel(c.tensor(5), 'w_zero_point', channels)),
      readBias(c.optionalTensor(8), channels),
    )
    const xScale = single(c.tensor(1), 'x_scale')
    const wScale = readPerChannel(c.tensor(4), 'w_scale', channels)
    const yScale = single(c.tensor(6), 'y_scale')
    const zero = single(c.tensor(7), 'y_zero_point')
    const shape = outputShape(convolution)
    const plane = sums.length / (shape[0]! * channels)
    const scaled = sums.map((sum, index) => {
      const channel = Math.floor(index / plane) % channels
      return sum * requantization(xScale, wScale[channel % wScale.length]!, yScale)
    })
    return [quantizeNumbers(c.tensor(7).dtype, shape, scaled, () => zero)]
  },
}
