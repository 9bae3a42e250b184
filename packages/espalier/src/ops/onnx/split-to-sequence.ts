/** A tensor cut along an axis into a sequence of tensors. */
import { EspalierError } from '../../errors.ts'
import { type Dim, tensorType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape, normalizeAxis } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { InferContext, Op } from '../op.ts'
import { allTypes, allTypes13, int, type Schema, sequencesOf } from '../schema.ts'
import { sliceAt, sliceAxis } from '../support/pieces.ts'
import { sequenceOf } from '../support/type-join.ts'

const version = (T: readonly DType[]): Schema => ({
  inputs: ['input: T', 'split?: I'],
  outputs: ['output_sequence: S'],
  types: { T, I: ['int32', 'int64'], S: sequencesOf(T) },
  attributes: { axis: int(0), keepdims: int(1) },
})

export const SplitToSequence: Op = {
  name: 'SplitToSequence',
  doc: 'Parts of a tensor along `axis`: single slices, chunks of one length, or parts of the lengths given.',
  versions: { 11: version(allTypes), 24: version(allTypes13) },
  infer(c) {
    const type = c.tensor(0)
    if (type?.shape === undefined) return [sequenceOf(type)]
    const axis = normalizeAxis(c.attributes.int('axis'), type.shape.length)
    const single = !c.hasInput(1)
    const shape =
      single && c.attributes.int('keepdims') === 0
        ? type.shape.toSpliced(axis, 1)
        : type.shape.with(axis, single ? 1 : partExtent(c, type.shape[axis]!))
    return [sequenceOf(tensorType(type.dtype, shape))]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const split = c.optionalTensor(1)
    const axis = normalizeAxis(c.attributes.int('axis'), input.shape.length)
    const extent = input.shape[axis]!
    if (split === undefined && c.attributes.int('keepdims') === 0) {
      checkCount(extent)
      return [Array.from({ length: extent }, (_, index) => sliceAt(input, axis, index))]
    }
    let start = 0
    return [
      partLengths(split, extent).map(length => {
        start += length
        return sliceAxis(input, axis, start - length, start)
      }),
    ]
  },
}

/** Most parts. An axis without elements behind it may be of any extent and take no memory itself. */
const MOST_PARTS = 2 ** 20

function checkCount(parts: number): void {
  if (parts > MOST_PARTS)
    throw new EspalierError('too-large', `a sequence of ${parts} tensors`, {
      expected: `at most ${MOST_PARTS}`,
    })
}

/** Lengths of the parts of an axis of `extent`. */
function partLengths(split: Tensor | undefined, extent: number): number[] {
  const values = split === undefined ? [1] : Array.from(numbers(split))
  if (split === undefined || split.shape.length === 0) {
    const length = partLength(values)
    const count = Math.ceil(extent / length)
    checkCount(count)
    return Array.from({ length: count }, (_, index) => Math.min(length, extent - index * length))
  }
  if (split.shape.length !== 1)
    throw new EspalierError('bad-shape', 'the split is neither a scalar nor a list', {
      got: `shape ${formatShape(split.shape)}`,
    })
  if (values.some(length => length < 0) || values.reduce((sum, length) => sum + length, 0) !== extent)
    throw new EspalierError('bad-argument', 'the lengths of the parts do not add up', {
      expected: `non-negative lengths of sum ${extent}`,
      got: `[${values.join(', ')}]`,
    })
  return values
}

/** The length of all parts but the last. */
function partLength([length = 0]: readonly number[]): number {
  if (length > 0) return length
  throw new EspalierError('bad-argument', 'parts must have a positive length', { got: `${length}` })
}

/** The extent that all parts have, `null` where they differ or are not known. */
function partExtent(c: InferContext, extent: Dim): Dim {
  const split = c.constant(1)
  if (split === undefined || typeof extent !== 'number') return null
  if (split.shape.length === 0) {
    const length = partLength([...numbers(split)])
    if (extent <= length) return extent === 0 ? null : extent
    return extent % length === 0 ? length : null
  }
  const lengths = partLengths(split, extent)
  return lengths.every(length => length === lengths[0]) ? (lengths[0] ?? null) : null
}
