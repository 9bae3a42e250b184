/**
 * Integer convolution: 8-bit inputs less their zero points, summed in 32 bits. Padding stands for the zero
 * point and so adds nothing. Sums are exact and wrap modulo 2^32 at the end.
 */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { int, optional, string } from '../schema.ts'
import {
  convolutionMacs,
  convolutionShape,
  convolutionWeights,
  convolve,
  outputShape,
  readConvolution,
} from '../support/convolution.ts'
import { typed } from '../support/infer.ts'
import { lowerConvolutionI8 } from '../support/lower-quantized.ts'
import { minusZeroPoint, readPerChannel } from '../support/quantization.ts'
import { single } from '../support/scalars.ts'

export const ConvInteger: Op = {
  name: 'ConvInteger',
  doc: 'Convolves 8-bit integers, less their zero points, into 32-bit integers.',
  versions: {
    10: {
      inputs: ['x: T1', 'w: T2', 'x_zero_point?: T1', 'w_zero_point?: T2'],
      outputs: ['y: T3'],
      types: { T1: ['int8', 'uint8'], T2: ['int8', 'uint8'], T3: ['int32'] },
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
  infer: c => [typed('int32', convolutionShape(c, 0, 1))],
  macs: c => convolutionMacs(c, 0, 1),
  weights: c => convolutionWeights(c, 1).map(use => ({ ...use, zeroPoint: 3 })),
  lower: c => lowerConvolutionI8(c, { x: 0, w: 1, xZero: 2, wZero: 3 }, 'first'),
  evaluate(c) {
    const [x, w] = [c.tensor(0), c.tensor(1)]
    const convolution = readConvolution(c.attributes, x.shape, w.shape)
    const [xZero, wZero] = [c.optionalTensor(2), c.optionalTensor(3)]
    const y = convolve(
      convolution,
      minusZeroPoint(numbers(x), xZero ? [single(xZero, 'x_zero_point')] : [0]),
      minusZeroPoint(numbers(w), wZero ? readPerChannel(wZero, 'w_zero_point', convolution.outputs) : [0]),
    )
    return [fromNumbers('int32', outputShape(convolution), y)]
  },
}
