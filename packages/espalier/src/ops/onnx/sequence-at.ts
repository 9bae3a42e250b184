/** One element of a sequence. */
import type { Op } from '../op.ts'
import { allTypes, sequencesOf } from '../schema.ts'
import { positionIn } from '../support/positions.ts'
import { elementType } from '../support/type-join.ts'

export const SequenceAt: Op = {
  name: 'SequenceAt',
  doc: 'The element at `position`, which counts from the back when negative.',
  versions: {
    11: {
      inputs: ['input_sequence: S', 'position: I'],
      outputs: ['tensor: T'],
      types: { S: sequencesOf(allTypes), T: allTypes, I: ['int32', 'int64'] },
    },
  },
  infer: c => [elementType(c.inputs[0])],
  evaluate(c) {
    const sequence = c.sequence(0)
    return [sequence[positionIn(c.tensor(1), sequence.length, sequence.length - 1)]!]
  },
}
