/** Transposed convolution with channels last, and an activation. The weight keeps ONNX's order [C, O/group, ...kernel]. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { ConvTranspose as onnx } from '../onnx/conv-transpose.ts'
import type { Op } from '../op.ts'
import { floats, int, optional, string } from '../schema.ts'
import { activationAttributes, activationFunction, activationOf } from '../support/activation.ts'
import {
  channelsFirst,
  channelsFirstContext,
  channelsLast,
  channelsLastShape,
  espalierDomain,
} from '../support/channels-last.ts'
import { lowerTransposedConvolution } from '../support/lower-convolution.ts'

export const ConvTranspose: Op = {
  name: 'ConvTranspose',
  domain: espalierDomain,
  doc: 'Transposed convolution with channels last: activation(convTranspose(x, w) + bias).',
  versions: {
    1: {
      inputs: ['x: T', 'w: T', 'bias?: T'],
      outputs: ['y: T'],
      types: { T: floats },
      attributes: {
        auto_pad: string('NOTSET'),
        strides: optional('ints'),
        pads: optional('ints'),
        dilations: optional('ints'),
        output_padding: optional('ints'),
        output_shape: optional('ints'),
        group: int(1),
        ...activationAttributes,
      },
    },
  },
  infer: c =>
    onnx
      .infer(channelsFirstContext(c))
      .map(type =>
        type?.kind === 'tensor' && type.shape ? { ...type, shape: channelsLastShape(type.shape) } : type,
      ),
  macs: c => onnx.macs!(channelsFirstContext(c)),
  weights: c => onnx.weights!(c),
  evaluate(c) {
    const x = channelsFirst(c.tensor(0))
    const [y] = onnx.evaluate({ ...c, tensor: index => (index === 0 ? x : c.tensor(index)) })
    const result = channelsLast(y as typeof x)
    const { name, ...rest } = activationOf(c.attributes)
    if (name === 'none') return [result]
    const values = numbers(result).map(activationFunction({ name, ...rest }))
    return [fromNumbers(result.dtype, result.shape, values)]
  },
  lower: lowerTransposedConvolution,
}
