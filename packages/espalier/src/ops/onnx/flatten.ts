/** A tensor seen as a matrix. */
import { EspalierError } from '../../errors.ts'
import { productOfDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, floats16, int } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { lowerAlias } from '../support/lower-movement.ts'
import { since21, upTo13, versionsOf } from '../support/versions.ts'

export const Flatten: Op = {
  name: 'Flatten',
  doc: 'The input as a matrix: the axes before `axis` are its rows, the others its columns.',
  versions: versionsOf({ 1: floats16, 9: allTypes, 11: allTypes, ...upTo13, ...since21 }, T => ({
    inputs: ['input: T'],
    outputs: ['output: T'],
    types: { T },
    attributes: { axis: int(1) },
  })),
  infer(c) {
    const shape = c.shape(0)
    return [typed(c.dtype(0), shape ? flattened(shape, c.attributes.int('axis')) : [null, null])]
  },
  evaluate(c) {
    const input = c.tensor(0)
    return [reshape(input, flattened(input.shape, c.attributes.int('axis')) as readonly number[])]
  },
  lower: lowerAlias,
}

function flattened(shape: readonly Dim[], axis: number): readonly Dim[] {
  const rank = shape.length
  const at = axis < 0 ? axis + rank : axis
  if (at < 0 || at > rank)
    throw new EspalierError('bad-argument', `a tensor of rank ${rank} cannot be flattened at axis ${axis}`, {
      where: { field: 'axis' },
      expected: `-${rank} to ${rank}`,
    })
  return [productOfDims(shape.slice(0, at)), productOfDims(shape.slice(at))]
}
