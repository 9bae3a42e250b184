/**
 * QLinearConv with channels last, and the activation behind it. The weight keeps ONNX's order [O, C/group, ...kernel],
 * the bias is in units of the sums.
 */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { int, optional } from '../schema.ts'
import { activationAttributes, activationOf } from '../support/activation.ts'
import {
  channelsFirst,
  channelsFirstContext,
  channelsLast,
  channelsLastShape,
  espalierDomain,
} from '../support/channels-last.ts'
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
import { minusZeroPoint, readPerChannel } from '../support/quantization.ts'
import { quantizedInputs, quantizedPlaces, quantizedTypes, requantized } from '../support/quantized-sums.ts'
import { single } from '../support/scalars.ts'

export const QuantizedConv: Op = {
  name: 'QuantizedConv',
  domain: espalierDomain,
  doc: 'Convolves quantised tensors, channels last, with bias and activation, into a quantised tensor.',
  versions: {
    1: {
      inputs: quantizedInputs,
      outputs: ['y: T3'],
      types: quantizedTypes,
      attributes: {
        strides: optional('ints'),
        pads: optional('ints'),
        dilations: optional('ints'),
        group: int(1),
        ...activationAttributes,
      },
    },
  },
  infer(c) {
    const shape = convolutionShape(channelsFirstContext(c), 0, 3)
    return [typed(c.dtype(7), shape && channelsLastShape(shape))]
  },
  macs: c => convolutionMacs(channelsFirstContext(c), 0, 3),
  weights: c => convolutionWeights(c, 3).map(use => ({ ...use, zeroPoint: 5 })),
  evaluate(c) {
    const [x, w] = [channelsFirst(c.tensor(0)), c.tensor(3)]
    const convolution = readConvolution(c.attributes, x.shape, w.shape)
    const { outputs } = convolution
    const sums = convolve(
      convolution,
      minusZeroPoint(numbers(x), [single(c.tensor(2), 'x_zero_point')]),
      minusZeroPoint(numbers(w), readPerChannel(c.tensor(5), 'w_zero_point', outputs)),
      readBias(c.optionalTensor(8), outputs),
    )
    const last = channelsLast(fromNumbers('float64', outputShape(convolution), sums))
    return [requantized(c, last.shape, numbers(last))]
  },
  lower: c => lowerConvolutionI8(c, quantizedPlaces, 'last', activationOf(c.attributes)),
}
