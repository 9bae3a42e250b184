/** Negative log-likelihood loss of log-probabilities. */
import { numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { floats, floats16, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { lossAttributes, lossShape, negativeLogLikelihood } from '../support/nll-loss.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['input: T', 'target: Tind', 'weight?: T'],
  outputs: ['loss: T'],
  types: { T, Tind: ['int32', 'int64'] },
  attributes: lossAttributes,
})

export const NegativeLogLikelihoodLoss: Op = {
  name: 'NegativeLogLikelihoodLoss',
  doc: 'Weighted negative log-likelihood of the target classes, for each sample, summed or averaged.',
  versions: { 12: version(floats16), 13: version(floats16), 22: version(floats) },
  infer(c) {
    const scores = c.shape(0)
    return [typed(c.dtype(0), scores && lossShape(c.attributes, scores, c.shape(1)))]
  },
  evaluate: c => [negativeLogLikelihood(c, numbers(c.tensor(0)), c.tensor(0))],
}
