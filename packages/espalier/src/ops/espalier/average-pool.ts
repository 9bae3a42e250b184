/** Average over sliding windows, channels last. */
import { AveragePool as onnx } from '../onnx/average-pool.ts'
import type { Op } from '../op.ts'
import { floats, int, optional, required, string } from '../schema.ts'
import { withChannelsLast } from '../support/channels-last.ts'
import { lowerPool } from '../support/lower-pool.ts'

export const AveragePool: Op = withChannelsLast(onnx, {
  doc: 'Average over sliding windows, channels last; padding counts or not.',
  schema: {
    inputs: ['x: T'],
    outputs: ['y: T'],
    types: { T: floats },
    attributes: {
      auto_pad: string('NOTSET'),
      kernel_shape: required('ints'),
      strides: optional('ints'),
      pads: optional('ints'),
      dilations: optional('ints'),
      ceil_mode: int(0),
      count_include_pad: int(0),
    },
  },
  lower: c => lowerPool(c, 'average'),
})
