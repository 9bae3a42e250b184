/** A sequence with one more element. */
import { EspalierError } from '../../errors.ts'
import { isTensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, sequencesOf } from '../schema.ts'
import { positionIn } from '../support/positions.ts'
import { elementType, joinTypes, sequenceOf } from '../support/type-join.ts'

export const SequenceInsert: Op = {
  name: 'SequenceInsert',
  doc: 'The sequence with `tensor` put in before `position`, at the end when left out.',
  versions: {
    11: {
      inputs: ['input_sequence: S', 'tensor: T', 'position?: I'],
      outputs: ['output_sequence: S'],
      types: { T: allTypes, S: sequencesOf(allTypes), I: ['int32', 'int64'] },
    },
  },
  infer: c => [sequenceOf(joinTypes(elementType(c.inputs[0]), c.inputs[1]))],
  evaluate(c) {
    const sequence = c.sequence(0)
    const element = c.tensor(1)
    const [first] = sequence
    if (isTensor(first) && first.dtype !== element.dtype)
      throw new EspalierError('bad-dtype', 'the elements of a sequence have one data type', {
        expected: first.dtype,
        got: element.dtype,
      })
    const { length } = sequence
    const position = c.optionalTensor(2)
    return [sequence.toSpliced(position ? positionIn(position, length, length) : length, 0, element)]
  },
}
