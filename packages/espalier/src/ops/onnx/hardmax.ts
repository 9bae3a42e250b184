/** Indicator of the largest element. */
import type { Op } from '../op.ts'
import { softmaxLike } from '../support/softmax.ts'

export const Hardmax: Op = softmaxLike(
  { name: 'Hardmax', doc: '1 at the first largest element along an axis, 0 elsewhere.' },
  'hardmax',
  (x, y, start, steps) => {
    let best = steps[0]!
    for (const step of steps) {
      const [value, largest] = [x[start + step]!, x[start + best]!]
      if (value > largest || (Number.isNaN(value) && !Number.isNaN(largest))) best = step
    }
    y[start + best] = 1
  },
)
