/** Axes of extent 1 taken away. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, normalizeAxes } from '../../tensor/shape.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { InferContext, Op } from '../op.ts'
import { allTypes, optional, type Schema } from '../schema.ts'
import { contentOf } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { allNumbers, givenList, inferredList } from '../support/integers.ts'
import { lowerAlias } from '../support/lower-movement.ts'
import { since21, upTo13, versionsOf } from '../support/versions.ts'

const withAttribute: Schema = {
  inputs: ['data: T'],
  outputs: ['squeezed: T'],
  types: { T: allTypes },
  attributes: { axes: optional('ints') },
}

export const Squeeze: Op = {
  name: 'Squeeze',
  doc: 'The input without the axes `axes`, which have extent 1; without any such axis when they are left out.',
  versions: {
    1: withAttribute,
    11: withAttribute,
    ...versionsOf({ ...upTo13, ...since21 }, T => ({
      inputs: ['data: T', 'axes?: int64'],
      outputs: ['squeezed: T'],
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
    return [reshape(data, squeezed(data.shape, givenList(c, 'axes', 1)) as readonly number[])]
  },
  lower: lowerAlias,
}

function inferredShape(c: InferContext): readonly Dim[] | undefined {
  const shape = c.shape(0)
  const given = inferredList(c, 'axes', 1)
  const axes = allNumbers(given)
  if (shape === undefined || (given !== undefined && axes === undefined)) return undefined
  // Without axes, an extent that is not known may or may not go.
  if (axes === undefined && shape.some(extent => typeof extent !== 'number')) return undefined
  return squeezed(shape, axes)
}

function squeezed(shape: readonly Dim[], axes: readonly number[] | undefined): readonly Dim[] {
  if (axes === undefined) return shape.filter(extent => extent !== 1)
  const gone = new Set(normalizeAxes(axes, shape.length))
  return shape.filter((extent, axis) => {
    if (!gone.has(axis)) return true
    if (typeof extent === 'number' && extent !== 1)
      throw new EspalierError('bad-shape', `axis ${axis} of ${formatShape(shape)} cannot be squeezed`, {
        expected: 'extent 1',
        got: `${extent}`,
      })
    return false
  })
}
