/** Root-mean-square normalisation over the trailing axes. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { float, floats, int } from '../schema.ts'
import { numbersAs } from '../support/broadcast.ts'
import { typed } from '../support/infer.ts'
import { linesAlong } from '../support/lines.ts'
import { lowerTrailing } from '../support/lower-normalize.ts'
import { trailingAxes } from '../support/normalize.ts'

export const RMSNormalization: Op = {
  name: 'RMSNormalization',
  doc: 'Divides the axes from `axis` on by their root mean square, then scales them.',
  versions: {
    23: {
      inputs: ['X: T', 'scale: V'],
      outputs: ['Y: V'],
      types: { T: floats, V: floats },
      attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
    },
  },
  infer: c => [typed(c.dtype(1), c.shape(0))],
  lower: c => lowerTrailing(c, 'rms', c.attributes.int('axis'), { scale: 1 }),
  evaluate(c) {
    const [X, Scale] = [c.tensor(0), c.tensor(1)]
    const epsilon = c.attributes.float('epsilon')
    const { starts, steps } = linesAlong(X.shape, trailingAxes(c.attributes.int('axis'), X.shape.length))
    const scale = numbersAs(Scale, X.shape, 'the scale')
    const x = numbers(X)
    const y = new Float64Array(x.length)
    for (const start of starts) {
      let squares = 0
      for (const step of steps) squares += x[start + step]! ** 2
      const inverse = 1 / Math.sqrt(squares / steps.length + epsilon)
      for (const step of steps) y[start + step] = x[start + step]! * inverse * scale[start + step]!
    }
    return [fromNumbers(Scale.dtype, X.shape, y)]
  },
}
