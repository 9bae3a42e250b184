/**
 * Operators that do one thing to every line along an axis, as steps: softmax and its relatives, positions of extrema,
 * the largest k, running sums. Kernels see a tensor as [outer, length, inner].
 */
import { softmaxModes } from '../../plan/steps/softmax.ts'
import { normalizeAxis, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { integersOf } from './integers.ts'

export interface AxisView {
  readonly outer: number
  readonly length: number
  readonly inner: number
}

/** A tensor as what lies before an axis, the axis, and what lies behind. */
export function viewAlong(shape: Shape, axis: number): AxisView {
  return { outer: sizeOf(shape.slice(0, axis)), length: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) }
}

/** Lowers `Softmax` and its relatives; up to operator set 12 all axes from `axis` on are one. */
export function lowerSoftmax(c: LowerContext, mode: keyof typeof softmaxModes): string | undefined {
  const { dtype, shape } = c.type(0)
  if (dtype !== 'float32') return `there is no kernel for ${dtype}`
  const axis = normalizeAxis(c.attributes.int('axis'), shape.length)
  const view =
    c.version >= 13
      ? viewAlong(shape, axis)
      : { outer: sizeOf(shape.slice(0, axis)), length: sizeOf(shape.slice(axis)), inner: 1 }
  c.emit('softmax_f32', { x: c.input(0), y: c.output(0), ...view, mode: softmaxModes[mode] })
  return undefined
}

/** Lowers `ArgMax` and `ArgMin`. */
export function lowerArgExtremum(c: LowerContext, smallest: boolean): string | undefined {
  const { dtype, shape } = c.type(0)
  if (dtype !== 'float32') return `there is no kernel for ${dtype}`
  const view = viewAlong(shape, normalizeAxis(c.attributes.int('axis'), shape.length))
  if (view.length === 0) return 'there are no elements along the axis'
  c.emit('arg_f32', {
    x: c.input(0),
    y: c.output(0),
    ...view,
    smallest: Number(smallest),
    last: Number((c.attributes.optionalInt('select_last_index') ?? 0) !== 0),
  })
  return undefined
}

/** Lowers `TopK`. */
export function lowerTopK(c: LowerContext): string | undefined {
  const { dtype, shape } = c.type(0)
  if (dtype !== 'float32') return `there is no kernel for ${dtype}`
  const axis = normalizeAxis(c.attributes.int('axis'), shape.length)
  const view = viewAlong(shape, axis)
  const k = c.outputType(c.hasOutput(0) ? 0 : 1).shape[axis]!
  if (k > view.length) return `there are not ${k} elements along axis ${axis}`
  c.emit('top_k_f32', {
    x: c.input(0),
    values: c.hasOutput(0) ? c.output(0) : c.scratch(4 * k * view.outer * view.inner),
    indices: c.hasOutput(1) ? c.output(1) : undefined,
    heap: c.scratch(8 * k * c.target.threads),
    ...view,
    k,
    smallest: Number((c.attributes.optionalInt('largest') ?? 1) === 0),
  })
  return undefined
}

/** Lowers `CumSum`. */
export function lowerCumulativeSum(c: LowerContext): string | undefined {
  const { dtype, shape } = c.type(0)
  const given = c.constant(1)
  if (given === undefined) return 'the axis is not constant'
  const axis = integersOf(given)[0]
  if (axis === undefined) return 'the axis is not given'
  const values = {
    x: c.input(0),
    y: c.output(0),
    ...viewAlong(shape, normalizeAxis(axis, shape.length)),
    exclusive: Number(c.attributes.int('exclusive') !== 0),
    reverse: Number(c.attributes.int('reverse') !== 0),
  }
  if (dtype === 'float32') c.emit('cumulate_f32', values)
  else if (dtype === 'int32' || dtype === 'uint32') c.emit('cumulate_integer', { ...values, size: 4 })
  else if (dtype === 'int64' || dtype === 'uint64') c.emit('cumulate_integer', { ...values, size: 8 })
  else return `there is no kernel for ${dtype}`
  return undefined
}
