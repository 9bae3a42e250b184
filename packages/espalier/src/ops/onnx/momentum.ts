/** One update of gradient descent with momentum, Polyak's or Nesterov's. */
import { EspalierError } from '../../errors.ts'
import type { Op } from '../op.ts'
import { required } from '../schema.ts'
import { optimizer } from '../support/optimizer.ts'

export const Momentum: Op = optimizer(
  {
    name: 'Momentum',
    doc: 'One update of stochastic gradient descent with momentum, for any number of tensors at once.',
    states: 1,
    attributes: {
      alpha: required('float'),
      beta: required('float'),
      mode: required('string', ['nesterov', 'standard']),
      norm_coefficient: required('float'),
    },
  },
  (attributes, rate, count) => {
    const alpha = attributes.float('alpha')
    const beta = count > 0 ? attributes.float('beta') : 1
    const penalty = attributes.float('norm_coefficient')
    const mode = attributes.string('mode')
    if (mode !== 'standard' && mode !== 'nesterov')
      throw new EspalierError('bad-argument', 'unknown kind of momentum', {
        where: { field: 'mode' },
        expected: 'standard or nesterov',
        got: mode,
      })
    return (value, gradient, momentum) => {
      const slope = penalty * value + gradient
      const newMomentum = alpha * momentum! + beta * slope
      const direction = mode === 'standard' ? newMomentum : slope + alpha * newMomentum
      return [value - rate * direction, newMomentum]
    }
  },
)
