/** Layer normalisation over the trailing axes. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Attributes, Op } from '../op.ts'
import { float, floats, int } from '../schema.ts'
import { numbersAs } from '../support/broadcast.ts'
import { typed } from '../support/infer.ts'
import { linesAlong } from '../support/lines.ts'
import { lowerTrailing } from '../support/lower-normalize.ts'
import { momentsOf, trailingAxes } from '../support/normalize.ts'
import { readDtype } from '../support/precision.ts'

const statistics: readonly DType[] = ['float32', 'bfloat16']

export const LayerNormalization: Op = {
  name: 'LayerNormalization',
  doc: 'Normalises the axes from `axis` on by their mean and variance, then scales and shifts them.',
  versions: {
    17: {
      inputs: ['X: T', 'Scale: T', 'B?: T'],
      outputs: ['Y: T', 'Mean?: U', 'InvStdDev?: U'],
      types: { T: floats, U: statistics },
      attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
    },
  },
  infer(c) {
    const shape = c.shape(0)
    const statistic = typed(statisticsType(c.attributes), shape && statisticsShape(shape, c.attributes))
    return [c.inputs[0], statistic, statistic].slice(0, c.outputCount)
  },
  lower: c => lowerTrailing(c, 'layer', c.attributes.int('axis'), { scale: 1, bias: 2, mean: 1, inverse: 2 }),
  evaluate(c) {
    const X = c.tensor(0)
    const epsilon = c.attributes.float('epsilon')
    const { starts, steps } = linesAlong(X.shape, trailingAxes(c.attributes.int('axis'), X.shape.length))
    const scale = numbersAs(c.tensor(1), X.shape, 'the scale')
    const shift = c.optionalTensor(2)
    const bias = shift && numbersAs(shift, X.shape, 'the bias')
    const x = numbers(X)
    const y = new Float64Array(x.length)
    const means = new Float64Array(starts.length)
    const inverses = new Float64Array(starts.length)
    for (const [line, start] of starts.entries()) {
      const { mean, variance } = momentsOf(x, start, steps)
      const inverse = 1 / Math.sqrt(variance + epsilon)
      means[line] = mean
      inverses[line] = inverse
      for (const step of steps) {
        const at = start + step
        y[at] = (x[at]! - mean) * inverse * scale[at]! + (bias === undefined ? 0 : bias[at]!)
      }
    }
    const [dtype, shape] = [statisticsType(c.attributes), statisticsShape(X.shape, c.attributes)]
    return [
      fromNumbers(X.dtype, X.shape, y),
      fromNumbers(dtype, shape, means),
      fromNumbers(dtype, shape, inverses),
    ].slice(0, c.outputCount)
  },
}

function statisticsType(attributes: Attributes): DType {
  const dtype = readDtype(attributes, 'stash_type', statistics)
  if (dtype !== undefined) return dtype
  throw new EspalierError('invalid-graph', 'the attribute "stash_type" has no value')
}

function statisticsShape<D extends Dim>(shape: readonly D[], attributes: Attributes): (D | 1)[] {
  const axes = trailingAxes(attributes.int('axis'), shape.length)
  return shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
}
