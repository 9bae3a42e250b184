/** Whether strings match a regular expression from end to end. */
import { tensorType } from '../../graph/graph.ts'
import { strings } from '../../tensor/elements.ts'
import { tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { optional } from '../schema.ts'
import { fullMatcher } from '../support/re2.ts'

export const RegexFullMatch: Op = {
  name: 'RegexFullMatch',
  doc: 'Whether each string as a whole matches a regular expression in the syntax of RE2.',
  limits: 'No single bytes (`\\C`); Unicode classes and case folding are those of the JavaScript host.',
  versions: {
    20: {
      inputs: ['X: T1'],
      outputs: ['Y: T2'],
      types: { T1: ['string'], T2: ['bool'] },
      attributes: { pattern: optional('string') },
    },
  },
  infer: c => [tensorType('bool', c.shape(0))],
  evaluate(c) {
    const x = c.tensor(0)
    const { matches } = fullMatcher(c.attributes.string('pattern'))
    return [
      tensor(
        'bool',
        x.shape,
        Uint8Array.from(strings(x), text => (matches(text) ? 1 : 0)),
      ),
    ]
  },
}
