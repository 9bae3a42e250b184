/** One update of Adagrad (Duchi, Hazan, Singer 2011): the step shrinks with the squared gradients so far. */

import type { Op } from '../op.ts'
import { float } from '../schema.ts'
import { optimizer } from '../support/optimizer.ts'

export const Adagrad: Op = optimizer(
  {
    name: 'Adagrad',
    doc: 'One update of Adagrad, for any number of tensors at once.',
    states: 1,
    attributes: { decay_factor: float(0), epsilon: float(0), norm_coefficient: float(0) },
  },
  (attributes, initialRate, count) => {
    const penalty = attributes.float('norm_coefficient')
    const epsilon = attributes.float('epsilon')
    const rate = initialRate / (1 + count * attributes.float('decay_factor'))
    return (value, gradient, squares) => {
      const slope = penalty * value + gradient
      const newSquares = squares! + slope * slope
      return [value - (rate * slope) / (Math.sqrt(newSquares) + epsilon), newSquares]
    }
  },
)
