/**
 * One update of Adam (Kingma and Ba, arXiv 1412.6980), with weight decay as a penalty before or a shrinkage
 * after it.
 */
import type { Op } from '../op.ts'
import { float } from '../schema.ts'
import { optimizer } from '../support/optimizer.ts'

export const Adam: Op = optimizer(
  {
    name: 'Adam',
    doc: 'One update of Adam, for any number of tensors at once.',
    states: 2,
    attributes: {
      alpha: float(0.9),
      beta: float(0.999),
      epsilon: float(0),
      norm_coefficient: float(0),
      norm_coefficient_post: float(0),
    },
  },
  (attributes, rate, count) => {
    const alpha = attributes.float('alpha')
    const beta = attributes.float('beta')
    const epsilon = attributes.float('epsilon')
    const penalty = attributes.float('norm_coefficient')
    const shrinkage = 1 - attributes.float('norm_coefficient_post')
    const adjusted = count > 0 ? (rate * Math.sqrt(1 - beta ** count)) / (1 - alpha ** count) : rate
    return (value, gradient, mean, square) => {
      const slope = penalty * value + gradient
      const newMean = alpha * mean! + (1 - alpha) * slope
      const newSquare = beta * square! + (1 - beta) * slope * slope
      const newValue = value - (adjusted * newMean) / (Math.sqrt(newSquare) + epsilon)
      return [shrinkage * newValue, newMean, newSquare]
    }
  },
)
