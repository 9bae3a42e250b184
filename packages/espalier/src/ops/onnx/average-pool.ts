/** Average over sliding windows. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { type AttributeSchema, floats, floats16, int, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import {
  poolAttributes,
  poolShape,
  readPool,
  sumWindows,
  withCeilMode,
  withDilations,
} from '../support/pooling.ts'
import { windowCounts } from '../support/window.ts'

const version = (T: readonly TypeName[], attributes: Readonly<Record<string, AttributeSchema>>): Schema => ({
  inputs: ['X: T'],
  outputs: ['Y: T'],
  types: { T },
  attributes: { ...attributes, count_include_pad: int(0) },
})

export const AveragePool: Op = {
  name: 'AveragePool',
  doc: 'Average over sliding windows; padding counts or not.',
  versions: {
    7: version(floats16, poolAttributes),
    10: version(floats16, withCeilMode),
    11: version(floats16, withCeilMode),
    19: version(floats16, withDilations),
    22: version(floats, withDilations),
  },
  infer: c => [typed(c.dtype(0), poolShape(c))],
  evaluate(c) {
    const x = c.tensor(0)
    const pool = readPool(c.attributes, x.shape)
    const counts = windowCounts(pool.axes, c.attributes.int('count_include_pad') !== 0)
    const sums = sumWindows(pool, numbers(x))
    const averages = sums.map((sum, index) => sum / counts[index % pool.outputPlane]!)
    return [fromNumbers(x.dtype, pool.outputShape, averages)]
  },
}
