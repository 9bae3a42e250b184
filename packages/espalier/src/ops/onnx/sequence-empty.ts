/** A sequence without elements. */
import { dtypeOfNumber } from '../../formats/onnx/tensor-proto.ts'
import { tensorType } from '../../graph/graph.ts'
import type { Op } from '../op.ts'
import { allTypes, optional, sequencesOf } from '../schema.ts'
import { sequenceOf } from '../support/type-join.ts'

export const SequenceEmpty: Op = {
  name: 'SequenceEmpty',
  doc: 'An empty sequence of tensors of type `dtype`, float32 when left out.',
  versions: {
    11: {
      inputs: [],
      outputs: ['output: S'],
      types: { S: sequencesOf(allTypes) },
      attributes: { dtype: optional('int') },
    },
  },
  infer: c => [sequenceOf(tensorType(dtypeOfNumber(c.attributes.optionalInt('dtype') ?? 1)))],
  evaluate: () => [[]],
}
