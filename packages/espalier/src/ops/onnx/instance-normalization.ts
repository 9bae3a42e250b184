/** Instance normalisation: each channel of each instance by its own mean and variance. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { float, floats, floats16, type Schema } from '../schema.ts'
import { linesAlong } from '../support/lines.ts'
import { lowerGroups } from '../support/lower-normalize.ts'
import { channelView, inferChannels, momentsOf, vectorOf } from '../support/normalize.ts'

const schema: Schema = {
  inputs: ['input: T', 'scale: T', 'B: T'],
  outputs: ['output: T'],
  attributes: { epsilon: float(1e-5) },
}

export const InstanceNormalization: Op = {
  name: 'InstanceNormalization',
  doc: 'Normalises each channel of each instance by its own mean and variance, then scales and shifts it.',
  versions: { 6: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  infer: c => inferChannels(c, [1, 2]),
  lower(c) {
    const channels = c.type(0).shape[1] ?? 0
    return lowerGroups(c, channels, channels)
  },
  evaluate(c) {
    const input = c.tensor(0)
    const { batch, channels, inner } = channelView(input.shape)
    const scale = vectorOf(c.tensor(1), channels, 'the scale')
    const bias = vectorOf(c.tensor(2), channels, 'the bias')
    const epsilon = c.attributes.float('epsilon')
    const x = numbers(input)
    const y = new Float64Array(x.length)
    const { starts, steps } = linesAlong([batch, channels, inner], [2])
    for (const [line, start] of starts.entries()) {
      const { mean, variance } = momentsOf(x, start, steps)
      const factor = scale[line % channels]! / Math.sqrt(variance + epsilon)
      const offset = bias[line % channels]!
      for (const step of steps) y[start + step] = (x[start + step]! - mean) * factor + offset
    }
    return [fromNumbers(input.dtype, input.shape, y)]
  },
}
