/** Convolution over any number of spatial axes, in groups. The loops are in support/convolution.ts. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { floats, floats16, int, optional, type Schema, string, type TypeName } from '../schema.ts'
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

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['X: T', 'W: T', 'B?: T'],
  outputs: ['Y: T'],
  types: { T },
  attributes: {
    auto_pad: string('NOTSET'),
    dilations: optional('ints'),
    group: int(1),
    kernel_shape: optional('ints'),
    pads: optional('ints'),
    strides: optional('ints'),
  },
})

export const Conv: Op = {
  name: 'Conv',
  doc: 'Convolves the input with a bank of filters.',
  versions: { 1: version(floats16), 11: version(floats16), 22: version(floats) },
  infer: c => [typed(c.dtype(0), convolutionShape(c, 0, 1))],
  macs: c => convolutionMacs(c, 0, 1),
  weights: c => convolutionWeights(c, 1),
  evaluate(c) {
    const [x, w] = [c.tensor(0), c.tensor(1)]
    const convolution = readConvolution(c.attributes, x.shape, w.shape)
    const bias = readBias(c.optionalTensor(2), convolution.outputs)
    const y = convolve(convolution, numbers(x), numbers(w), bias)
    return [fromNumbers(x.dtype, outputShape(convolution), y)]
  },
}
