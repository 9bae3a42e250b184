/**
 * Quantisation to uint8 with a scale and zero point taken from the data. Each step is done in float32, as the
 * specification's formulas are. Where every element is zero the scale is zero, and so are the results.
 */
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, full, numbers } from '../../tensor/elements.ts'
import { roundHalfEven } from '../../tensor/minifloat.ts'
import type { Op } from '../op.ts'
import { typed } from '../support/infer.ts'
import { lowerDynamicQuantize } from '../support/lower-quantize.ts'
import { quantizeNumbers } from '../support/quantization.ts'

export const DynamicQuantizeLinear: Op = {
  name: 'DynamicQuantizeLinear',
  doc: 'Quantises to uint8 over the range of the data; gives the scale and zero point as well.',
  versions: {
    11: {
      inputs: ['x: T1'],
      outputs: ['y: T2', 'y_scale: float32', 'y_zero_point: T2'],
      types: { T1: ['float32'], T2: ['uint8'] },
    },
  },
  infer: c => [typed('uint8', c.shape(0)), tensorType('float32', []), tensorType('uint8', [])],
  lower: lowerDynamicQuantize,
  evaluate(c) {
    const x = c.tensor(0)
    const values = numbers(x)
    const least = values.reduce((a, b) => Math.min(a, b), 0)
    const most = values.reduce((a, b) => Math.max(a, b), 0)
    const { fround } = Math
    const scale = fround(fround(most - least) / 255)
    const zeroPoint = scale === 0 ? 0 : roundHalfEven(Math.min(Math.max(fround(-least / scale), 0), 255))
    const quotients = values.map(value => (scale === 0 ? 0 : fround(value / scale)))
    return [
      quantizeNumbers('uint8', x.shape, quotients, () => zeroPoint),
      fromNumbers('float32', [], [scale]),
      full('uint8', [], zeroPoint),
    ]
  },
}
