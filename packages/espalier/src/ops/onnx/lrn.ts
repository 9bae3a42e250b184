/** Local response normalisation (Krizhevsky et al. 2012): across neighbouring channels. */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { float, floats, floats16, required, type Schema } from '../schema.ts'
import { lowerLocalResponse } from '../support/lower-normalize.ts'
import { channelView, inferChannels } from '../support/normalize.ts'

const schema: Schema = {
  inputs: ['X: T'],
  outputs: ['Y: T'],
  attributes: { alpha: float(1e-4), beta: float(0.75), bias: float(1), size: required('int') },
}

export const LRN: Op = {
  name: 'LRN',
  doc: 'Divides by a power of the sum of squares over neighbouring channels.',
  versions: { 1: { ...schema, types: { T: floats16 } }, 13: { ...schema, types: { T: floats } } },
  infer: c => inferChannels(c, []),
  lower: lowerLocalResponse,
  evaluate(c) {
    const X = c.tensor(0)
    const { batch, channels, inner } = channelView(X.shape)
    const size = c.attributes.int('size')
    if (size < 1)
      throw new EspalierError('bad-argument', 'no channels to normalise over', {
        where: { field: 'size' },
        expected: '1 or more',
        got: `${size}`,
      })
    const [alpha, beta, bias] = [
      c.attributes.float('alpha'),
      c.attributes.float('beta'),
      c.attributes.float('bias'),
    ]
    const x = numbers(X)
    const y = new Float64Array(x.length)
    const squares = new Float64Array(inner)
    for (let n = 0; n < batch; n++)
      for (let channel = 0; channel < channels; channel++) {
        const first = Math.max(0, channel - Math.floor((size - 1) / 2))
        const last = Math.min(channels - 1, channel + Math.ceil((size - 1) / 2))
        squares.fill(0)
        for (let other = first; other <= last; other++) {
          const from = (n * channels + other) * inner
          for (let i = 0; i < inner; i++) squares[i]! += x[from + i]! ** 2
        }
        const at = (n * channels + channel) * inner
        for (let i = 0; i < inner; i++) y[at + i] = x[at + i]! / (bias + (alpha / size) * squares[i]!) ** beta
      }
    return [fromNumbers(X.dtype, X.shape, y)]
  },
}
