/** Part of a tensor: a range with a step along each of some axes. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { normalizeAxis, type Shape, stridesOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes, allTypes13, optional, required, type Schema, type TypeName } from '../schema.ts'
import { contentOf } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { allNumbers, givenList, inferredList } from '../support/integers.ts'
import { lowerView, type Steering, steeredInRun, steering } from '../support/lower-movement.ts'
import { copyStrided } from '../support/movement.ts'
import { slicedExtent, sliceOf } from '../support/slicing.ts'

const withInputs = (T: readonly TypeName[]): Schema => ({
  inputs: ['data: T', 'starts: Tind', 'ends: Tind', 'axes?: Tind', 'steps?: Tind'],
  outputs: ['output: T'],
  types: { T, Tind: ['int32', 'int64'] },
})

export const Slice: Op = {
  name: 'Slice',
  doc: 'The part of the input between `starts` and `ends` along `axes`, in steps of `steps`.',
  versions: {
    1: {
      inputs: ['data: T'],
      outputs: ['output: T'],
      types: { T: allTypes },
      attributes: { axes: optional('ints'), ends: required('ints'), starts: required('ints') },
    },
    10: withInputs(allTypes),
    11: withInputs(allTypes),
    13: withInputs(allTypes13),
  },
  infer(c) {
    const shape = c.shape(0)
    const starts = inferredList(c, 'starts', 1)
    const ends = inferredList(c, 'ends', 2)
    const axes = inferredList(c, 'axes', 3)
    const steps = inferredList(c, 'steps', 4)
    const known = allNumbers(axes === undefined ? shape?.map((_, axis) => axis) : axes)
    if (shape === undefined || known === undefined)
      return [
        typed(
          c.dtype(0),
          shape?.map(() => null),
        ),
      ]
    const result: Dim[] = [...shape]
    const stated = c.shape(1)?.[0]
    const count = starts?.length ?? ends?.length ?? (typeof stated === 'number' ? stated : undefined)
    for (const [i, axis] of known.slice(0, count).entries()) {
      const at = normalizeAxis(axis, shape.length)
      const step = steps === undefined ? 1 : (steps?.[i] ?? null)
      if (step === 0) throw zeroStep()
      result[at] = slicedExtent(shape[at]!, starts?.[i] ?? null, ends?.[i] ?? null, step)
    }
    return [typed(c.dtype(0), result)]
  },
  contents(c) {
    const data = contentOf(c, 0)
    const start = allNumbers(inferredList(c, 'starts', 1))?.[0]
    const end = allNumbers(inferredList(c, 'ends', 2))?.[0]
    const steps = inferredList(c, 'steps', 4)
    const step = steps === undefined ? 1 : allNumbers(steps)?.[0]
    if (data === undefined || start === undefined || end === undefined || !step) return [undefined]
    const { first, count } = sliceOf(data.length, start, end, step)
    return [Array.from({ length: count }, (_, i) => data[first + i * step]!)]
  },
  evaluate(c) {
    const data = c.tensor(0)
    const { shape, strides, offset } = slicedView(c, data.shape)
    return [copyStrided(data, shape, strides, offset)]
  },
  lower(c) {
    const steered = steering(c, 1, 2, 3, 4)
    return steered === undefined ? steeredInRun : lowerView(c, slicedView(steered, c.type(0).shape))
  },
}

/** What the operator takes of data of shape `data`: extents, strides and offset in elements. */
function slicedView(c: Steering, data: Shape): { shape: Shape; strides: readonly number[]; offset: number } {
  const starts = givenList(c, 'starts', 1) ?? []
  const ends = givenList(c, 'ends', 2) ?? []
  const axes = givenList(c, 'axes', 3) ?? starts.map((_, axis) => axis)
  const steps = givenList(c, 'steps', 4) ?? starts.map(() => 1)
  if (new Set([starts.length, ends.length, axes.length, steps.length]).size > 1)
    throw new EspalierError('bad-shape', 'starts, ends, axes and steps do not have one length', {
      got: `${starts.length}, ${ends.length}, ${axes.length} and ${steps.length}`,
    })
  const shape = [...data]
  const strides = stridesOf(data)
  let offset = 0
  const sliced = new Set<number>()
  for (let i = 0; i < axes.length; i++) {
    const axis = normalizeAxis(axes[i]!, data.length)
    if (sliced.has(axis)) throw new EspalierError('bad-argument', `axis ${axis} is sliced twice`)
    sliced.add(axis)
    if (steps[i] === 0) throw zeroStep()
    const { first, step, count } = sliceOf(data[axis]!, starts[i]!, ends[i]!, steps[i]!)
    offset += first * strides[axis]!
    strides[axis]! *= step
    shape[axis] = count
  }
  return { shape, strides, offset }
}

function zeroStep(): EspalierError {
  return new EspalierError('bad-argument', 'a slice cannot have a step of 0', { where: { field: 'steps' } })
}
