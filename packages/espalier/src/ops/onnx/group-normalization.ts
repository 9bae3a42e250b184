/**
 * Group normalisation. In operator set 18 there is one scale and one bias for each group, from 21 on one for each
 * channel; ONNX has withdrawn the former.
 */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { float, floats, int, required, type Schema } from '../schema.ts'
import { linesAlong } from '../support/lines.ts'
import { lowerGroups } from '../support/lower-normalize.ts'
import { channelView, inferChannels, momentsOf, vectorOf } from '../support/normalize.ts'

const schema: Schema = {
  inputs: ['X: T', 'scale: T', 'bias: T'],
  outputs: ['Y: T'],
  types: { T: floats },
}
const attributes = { epsilon: float(1e-5), num_groups: required('int') }

export const GroupNormalization: Op = {
  name: 'GroupNormalization',
  doc: 'Normalises each group of channels of each instance by its own mean and variance, then scales and shifts it.',
  versions: {
    18: { ...schema, attributes },
    21: { ...schema, attributes: { ...attributes, stash_type: int(1) } },
  },
  infer: c => inferChannels(c, c.version >= 21 ? [1, 2] : []),
  lower(c) {
    const groups = c.attributes.int('num_groups')
    return lowerGroups(c, groups, c.version >= 21 ? (c.type(0).shape[1] ?? 0) : groups)
  },
  evaluate(c) {
    const X = c.tensor(0)
    const { batch, channels, inner } = channelView(X.shape)
    const groups = c.attributes.int('num_groups')
    if (groups < 1 || channels % groups !== 0)
      throw new EspalierError('bad-argument', 'the channels cannot be divided into the groups', {
        where: { field: 'num_groups' },
        expected: `a divisor of ${channels}, the channels of ${formatShape(X.shape)}`,
        got: `${groups}`,
      })
    const perGroup = channels / groups
    const parameters = c.version >= 21 ? channels : groups
    const scale = vectorOf(c.tensor(1), parameters, 'the scale')
    const bias = vectorOf(c.tensor(2), parameters, 'the bias')
    const epsilon = c.attributes.float('epsilon')
    const x = numbers(X)
    const y = new Float64Array(x.length)
    const { starts, steps } = linesAlong([batch, groups, perGroup * inner], [2])
    for (const [line, start] of starts.entries()) {
      const { mean, variance } = momentsOf(x, start, steps)
      const spread = 1 / Math.sqrt(variance + epsilon)
      for (let member = 0; member < perGroup; member++) {
        const group = line % groups
        const parameter = parameters === channels ? group * perGroup + member : group
        const [factor, offset] = [scale[parameter]! * spread, bias[parameter]!]
        const from = start + member * inner
        for (let at = from; at < from + inner; at++) y[at] = (x[at]! - mean) * factor + offset
      }
    }
    return [fromNumbers(X.dtype, X.shape, y)]
  },
}
