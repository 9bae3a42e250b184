/** Tensors joined along an axis. */
import { EspalierError } from '../../errors.ts'
import { addDims, differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, normalizeAxis } from '../../tensor/shape.ts'
import type { InferContext, Op } from '../op.ts'
import { allTypes, allTypes13, required, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { contentOrUnknown } from '../support/known-lengths.ts'
import { concatenate } from '../support/pieces.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['inputs...: T'],
  outputs: ['concat_result: T'],
  types: { T },
  attributes: { axis: required('int') },
})

export const Concat: Op = {
  name: 'Concat',
  doc: 'The inputs one after the other along `axis`.',
  versions: { 4: version(allTypes), 11: version(allTypes), 13: version(allTypes13) },
  infer(c) {
    return [typed(c.dtype(0), joinedShape(c))]
  },
  contents(c) {
    const parts: Dim[] = []
    for (const index of c.inputs.keys()) {
      const part = contentOrUnknown(c, index)
      if (part === undefined || c.shape(index)?.length !== 1) return [undefined]
      parts.push(...part)
    }
    return [parts.some(dim => dim !== null) ? parts : undefined]
  },
  evaluate(c) {
    return [
      concatenate(
        c.inputs.map((_, index) => c.tensor(index)),
        c.attributes.int('axis'),
      ),
    ]
  },
}

function joinedShape(c: InferContext): readonly Dim[] | undefined {
  const shapes = c.inputs.map((_, index) => c.shape(index))
  const first = shapes.find(shape => shape !== undefined)
  if (first === undefined) return undefined
  const axis = normalizeAxis(c.attributes.int('axis'), first.length)
  return first.map((_, at) => {
    if (at === axis) return shapes.map(shape => shape?.[at] ?? null).reduce(addDims)
    let merged: Dim = null
    for (const shape of shapes) {
      if (shape === undefined) continue
      if (shape.length !== first.length || differentDims(merged, shape[at]!))
        throw new EspalierError('bad-shape', `shapes do not fit along axis ${axis}`, {
          expected: formatShape(first),
          got: formatShape(shape),
        })
      if (merged === null || typeof shape[at] === 'number') merged = shape[at]!
    }
    return merged
  })
}
