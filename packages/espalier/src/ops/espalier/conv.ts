/**
 * Convolution with channels last, and what usually comes behind it: bias, a residual connection, an activation. The
 * weight keeps ONNX's order [O, C/group, ...kernel]; kernels pack it anyway.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { floats, int, optional, string } from '../schema.ts'
import { activationAttributes, activationFunction, activationOf } from '../support/activation.ts'
import {
  channelsFirst,
  channelsFirstContext,
  channelsFirstShape,
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
import { lowerConvolution } from '../support/lower-convolution.ts'

export const Conv: Op = {
  name: 'Conv',
  domain: espalierDomain,
  doc: 'Convolution with channels last: activation(conv(x, w) + bias + residual).',
  versions: {
    1: {
      inputs: ['x: T', 'w: T', 'bias?: T', 'residual?: T'],
      outputs: ['y: T'],
      types: { T: floats },
      attributes: {
        auto_pad: string('NOTSET'),
        strides: optional('ints'),
        pads: optional('ints'),
        dilations: optional('ints'),
        group: int(1),
        ...activationAttributes,
      },
    },
  },
  infer(c) {
    const shape = convolutionShape(channelsFirstContext(c), 0, 1)
    const last = shape && channelsLastShape(shape)
    const residual = c.shape(3)
    if (last && residual) checkResidual(last, residual)
    return [typed(c.dtype(0), last)]
  },
  macs: c => convolutionMacs(channelsFirstContext(c), 0, 1),
  weights: c => convolutionWeights(c, 1),
  evaluate(c) {
    const [x, w] = [c.tensor(0), c.tensor(1)]
    const convolution = readConvolution(c.attributes, channelsFirstShape(x.shape), w.shape)
    const bias = readBias(c.optionalTensor(2), convolution.outputs)
    const y = convolve(convolution, numbers(channelsFirst(x)), numbers(w), bias)
    const shape = outputShape(convolution)
    const residual = c.optionalTensor(3)
    if (residual) {
      checkResidual(channelsLastShape(shape), residual.shape)
      const addend = numbers(channelsFirst(residual))
      for (let i = 0; i < y.length; i++) y[i]! += addend[i]!
    }
    const activation = activationFunction(activationOf(c.attributes))
    return [channelsLast(fromNumbers(x.dtype, shape, y.map(activation)))]
  },
  lower: lowerConvolution,
}

function checkResidual(output: readonly Dim[], residual: readonly Dim[]): void {
  if (output.length === residual.length && !output.some((dim, axis) => differentDims(dim, residual[axis]!)))
    return
  throw new EspalierError('bad-shape', 'the residual does not have the shape of the output', {
    expected: formatShape(output),
    got: formatShape(residual),
  })
}
