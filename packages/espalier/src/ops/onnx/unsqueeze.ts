/** Axes of extent 1 put in. */
import type { Dim } from '../../graph/graph.ts'
import { normalizeAxes } from '../../tensor/shape.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { InferContext, Op } from '../op.ts'
import { allTypes, required, type Schema } from '../schema.ts'
import { contentOf } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { allNumbers, givenList, inferredList } from '../support/integers.ts'
import { mostContents } from '../support/known-lengths.ts'
import { lowerAlias } from '../support/lower-movement.ts'
import { since21, upTo13, versionsOf } from '../support/versions.ts'

const withAttribute: Schema = {
  inputs: ['data: T'],
  outputs: ['expanded: T'],
  types: { T: allTypes },
  attributes: { axes: required('ints') },
}

export const Unsqueeze: Op = {
  name: 'Unsqueeze',
  doc: 'The input with axes of extent 1 at the places `axes` of the output.',
  versions: {
    1: withAttribute,
    11: withAttribute,
    ...versionsOf({ ...upTo13, ...since21 }, T => ({
      inputs: ['data: T', 'axes: int64'],
      outputs: ['expanded: T'],
      types: { T },
    })),
  },
  infer(c) {
    return [typed(c.dtype(0), inferredShape(c))]
  },
  contents(c) {
    const shape = inferredShape(c)
    return [shape !== undefined && shape.length <= 1 ? contentOf(c, 0) : undefined]
  },
  evaluate(c) {
    const data = c.tensor(0)
    return [reshape(data, unsqueezed(data.shape, givenList(c, 'axes', 1) ?? []) as readonly number[])]
  },
  lower: lowerAlias,
}

function inferredShape(c: InferContext): readonly Dim[] | undefined {
  const shape = c.shape(0)
  const given = inferredList(c, 'axes', 1)
  const axes = allNumbers(given)
  if (shape !== undefined && axes !== undefined) return unsqueezed(shape, axes)
  const count = given?.length ?? c.shape(1)?.[0]
  if (shape === undefined || typeof count !== 'number' || count > mostContents) return undefined
  return new Array<Dim>(shape.length + count).fill(null)
}

function unsqueezed(shape: readonly Dim[], axes: readonly number[]): readonly Dim[] {
  const result = [...shape]
  for (const axis of normalizeAxes(axes, shape.length + axes.length)) result.splice(axis, 0, 1)
  return result
}
