/** A sequence of the given tensors. */
import { EspalierError } from '../../errors.ts'
import type { Op } from '../op.ts'
import { allTypes, sequencesOf } from '../schema.ts'
import { joinTypes, sequenceOf } from '../support/type-join.ts'

export const SequenceConstruct: Op = {
  name: 'SequenceConstruct',
  doc: 'The sequence of the inputs, which have one data type.',
  versions: {
    11: {
      inputs: ['inputs...: T'],
      outputs: ['output_sequence: S'],
      types: { T: allTypes, S: sequencesOf(allTypes) },
    },
  },
  infer: c => [sequenceOf(c.inputs.reduce(joinTypes))],
  evaluate(c) {
    const elements = c.inputs.map((_, index) => c.tensor(index))
    const other = elements.find(element => element.dtype !== elements[0]!.dtype)
    if (other !== undefined)
      throw new EspalierError('bad-dtype', 'the elements of a sequence have several data types', {
        expected: elements[0]!.dtype,
        got: other.dtype,
      })
    return [elements]
  },
}
