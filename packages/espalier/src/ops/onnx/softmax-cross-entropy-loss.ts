/** Cross entropy between the softmax of scores and labels. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { floats, floats16, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { linesAlong } from '../support/lines.ts'
import { exponentialsOf } from '../support/log-sum-exp.ts'
import { labelShape, lossAttributes, lossShape, negativeLogLikelihood } from '../support/nll-loss.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['scores: T', 'labels: Tind', 'weights?: T'],
  outputs: ['output: T', 'log_prob?: T'],
  types: { T, Tind: ['int32', 'int64'] },
  attributes: lossAttributes,
})

export const SoftmaxCrossEntropyLoss: Op = {
  name: 'SoftmaxCrossEntropyLoss',
  doc: 'Weighted negative log-likelihood of the labels under the softmax of the scores over axis 1.',
  versions: { 12: version(floats16), 13: version(floats) },
  infer(c) {
    const scores = c.shape(0)
    const loss = typed(c.dtype(0), scores && lossShape(c.attributes, scores, c.shape(1)))
    return [loss, c.inputs[0]].slice(0, c.outputCount)
  },
  evaluate(c) {
    const scores = c.tensor(0)
    labelShape(scores.shape, c.tensor(1).shape)
    const x = numbers(scores)
    const logProbabilities = new Float64Array(x.length)
    const { starts, steps } = linesAlong(scores.shape, [1])
    for (const start of starts) {
      const { largest, sum } = exponentialsOf(x, start, steps)
      const logSum = Math.log(sum)
      for (const step of steps) logProbabilities[start + step] = x[start + step]! - largest - logSum
    }
    return [
      negativeLogLikelihood(c, logProbabilities, scores),
      fromNumbers(scores.dtype, scores.shape, logProbabilities),
    ].slice(0, c.outputCount)
  },
}
