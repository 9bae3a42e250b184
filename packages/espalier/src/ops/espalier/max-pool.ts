/** Largest element of sliding windows, channels last. ONNX's second output, the positions, is left to ONNX's operator. */
import { MaxPool as onnx } from '../onnx/max-pool.ts'
import type { Op } from '../op.ts'
import { floats, int, optional, required, string } from '../schema.ts'
import { withChannelsLast } from '../support/channels-last.ts'
import { lowerPool } from '../support/lower-pool.ts'

export const MaxPool: Op = withChannelsLast(onnx, {
  doc: 'The largest element of sliding windows, channels last.',
  schema: {
    inputs: ['x: T'],
    outputs: ['y: T'],
    types: { T: [...floats, 'int8', 'uint8'] },
    attributes: {
      auto_pad: string('NOTSET'),
      kernel_shape: required('ints'),
      strides: optional('ints'),
      pads: optional('ints'),
      dilations: optional('ints'),
      ceil_mode: int(0),
    },
  },
  lower: c => lowerPool(c, 'max'),
})
