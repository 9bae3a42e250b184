/** Normalisation over freely chosen axes, without scale and shift. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { normalizeAxes } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { floats, floats16, ints, type Schema } from '../schema.ts'
import { sameAsFirst } from '../support/infer.ts'
import { linesAlong } from '../support/lines.ts'
import { lowerMeanVariance } from '../support/lower-normalize.ts'
import { momentsOf } from '../support/normalize.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'], attributes: { axes: ints([0, 2, 3]) } }

/** Added to the standard deviation; in ONNX's definition of the operator as a function, not in its formula. */
const epsilon = 1e-9

export const MeanVarianceNormalization: Op = {
  name: 'MeanVarianceNormalization',
  doc: '(x - mean) / standard deviation, over the given axes.',
  versions: { 9: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
  infer: sameAsFirst,
  lower: c => lowerMeanVariance(c, epsilon),
  evaluate(c) {
    const X = c.tensor(0)
    const x = numbers(X)
    const y = new Float64Array(x.length)
    const { starts, steps } = linesAlong(X.shape, normalizeAxes(c.attributes.ints('axes'), X.shape.length))
    for (const start of starts) {
      const { mean, variance } = momentsOf(x, start, steps)
      const deviation = Math.sqrt(variance) + epsilon
      for (const step of steps) y[start + step] = (x[start + step]! - mean) / deviation
    }
    return [fromNumbers(X.dtype, X.shape, y)]
  },
}
