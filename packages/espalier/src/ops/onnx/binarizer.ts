/** Comparison with a threshold (ai.onnx.ml). */
import type { Op } from '../op.ts'
import { float } from '../schema.ts'
import { unary } from '../support/elementwise.ts'

export const Binarizer: Op = {
  ...unary(
    {
      name: 'Binarizer',
      doc: '1 where the input is above `threshold`, otherwise 0.',
      versions: {
        1: {
          inputs: ['X: T'],
          outputs: ['Y: T'],
          types: { T: ['float32', 'float64', 'int64', 'int32'] },
          attributes: { threshold: float(0) },
        },
      },
    },
    c => {
      const threshold = c.attributes.float('threshold')
      return x => (x > threshold ? 1 : 0)
    },
  ),
  domain: 'ai.onnx.ml',
}
