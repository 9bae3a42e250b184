/** The tensors of a sequence joined into one. */
import { EspalierError } from '../../errors.ts'
import { type Dim, tensorType } from '../../graph/graph.ts'
import { normalizeAxis } from '../../tensor/shape.ts'
import { isTensor, type Tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, int, required, sequencesOf } from '../schema.ts'
import { concatenate, stack } from '../support/pieces.ts'
import { elementType } from '../support/type-join.ts'

export const ConcatFromSequence: Op = {
  name: 'ConcatFromSequence',
  doc: 'The elements of a sequence one after the other along `axis`, which `new_axis` makes a new one.',
  versions: {
    11: {
      inputs: ['input_sequence: S'],
      outputs: ['concat_result: T'],
      types: { S: sequencesOf(allTypes), T: allTypes },
      attributes: { axis: required('int'), new_axis: int(0) },
    },
  },
  infer(c) {
    const element = elementType(c.inputs[0])
    if (element?.kind !== 'tensor') return [undefined]
    if (element.shape === undefined) return [element]
    const stacked = c.attributes.int('new_axis') !== 0
    const axis = normalizeAxis(c.attributes.int('axis'), element.shape.length + (stacked ? 1 : 0))
    const shape: Dim[] = stacked ? element.shape.toSpliced(axis, 0, null) : element.shape.with(axis, null)
    return [tensorType(element.dtype, shape)]
  },
  evaluate(c) {
    const parts = c.sequence(0).filter(isTensor) as Tensor[]
    if (parts.length === 0)
      throw new EspalierError('bad-argument', 'the elements of an empty sequence cannot be joined')
    const axis = c.attributes.int('axis')
    return [c.attributes.int('new_axis') !== 0 ? stack(parts, axis) : concatenate(parts, axis)]
  },
}
