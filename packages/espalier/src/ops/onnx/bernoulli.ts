/** Random zeros and ones. */
import { EspalierError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { floats, floats16, numeric, optional, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { readDtype } from '../support/precision.ts'
import { randomOf } from '../support/random-values.ts'

const results: readonly DType[] = [...numeric, 'bool']
const version = (T1: readonly TypeName[]): Schema => ({
  inputs: ['input: T1'],
  outputs: ['output: T2'],
  types: { T1, T2: results },
  attributes: { dtype: optional('int'), seed: optional('float') },
})

export const Bernoulli: Op = {
  name: 'Bernoulli',
  doc: 'Random zeros and ones: each is one with the probability that the input says.',
  versions: { 15: version(floats16), 22: version(floats) },
  impure: true,
  infer: c => [typed(readDtype(c.attributes, 'dtype', results) ?? c.dtype(0), c.shape(0))],
  evaluate(c) {
    const input = c.tensor(0)
    const random = randomOf(c)
    const drawn = numbers(input).map(probability => {
      if (probability >= 0 && probability <= 1) return random() < probability ? 1 : 0
      throw new EspalierError('bad-argument', 'not a probability', {
        expected: '0 to 1',
        got: `${probability}`,
      })
    })
    return [fromNumbers(readDtype(c.attributes, 'dtype', results) ?? input.dtype, input.shape, drawn)]
  },
}
