/** Number of elements of a sequence. */
import { tensorType } from '../../graph/graph.ts'
import { int64 } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, sequencesOf } from '../schema.ts'

export const SequenceLength: Op = {
  name: 'SequenceLength',
  doc: 'The number of elements of a sequence, as a scalar.',
  versions: {
    11: {
      inputs: ['input_sequence: S'],
      outputs: ['length: I'],
      types: { S: sequencesOf(allTypes), I: ['int64'] },
    },
  },
  infer: () => [tensorType('int64', [])],
  evaluate: c => [int64(c.sequence(0).length)],
}
