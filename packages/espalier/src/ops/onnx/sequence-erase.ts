/** A sequence without one of its elements. */
import { EspalierError } from '../../errors.ts'
import type { Op } from '../op.ts'
import { allTypes, sequencesOf } from '../schema.ts'
import { sameAsFirst } from '../support/infer.ts'
import { positionIn } from '../support/positions.ts'

export const SequenceErase: Op = {
  name: 'SequenceErase',
  doc: 'The sequence without the element at `position`, the last one when left out.',
  versions: {
    11: {
      inputs: ['input_sequence: S', 'position?: I'],
      outputs: ['output_sequence: S'],
      types: { S: sequencesOf(allTypes), I: ['int32', 'int64'] },
    },
  },
  infer: sameAsFirst,
  evaluate(c) {
    const sequence = c.sequence(0)
    const { length } = sequence
    if (length === 0) throw new EspalierError('bad-argument', 'an empty sequence has nothing to erase')
    const position = c.optionalTensor(1)
    return [sequence.toSpliced(position ? positionIn(position, length, length - 1) : length - 1, 1)]
  },
}
