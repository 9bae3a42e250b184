/** Average over all spatial axes, channels last: [N, ...spatial, C] to [N, 1..., C]. */
import { GlobalAveragePool as onnx } from '../onnx/global-average-pool.ts'
import type { Op } from '../op.ts'
import { floats } from '../schema.ts'
import { withChannelsLast } from '../support/channels-last.ts'
import { lowerGlobalPool } from '../support/lower-pool.ts'

export const GlobalAveragePool: Op = withChannelsLast(onnx, {
  doc: 'Average over all spatial axes, channels last.',
  schema: { inputs: ['x: T'], outputs: ['y: T'], types: { T: floats } },
  lower: c => lowerGlobalPool(c, 'average'),
})
