/**
 * Which positions of an axis a slice takes: the rules of ONNX Slice for negative, out-of-range and missing bounds, once
 * for numbers and once for symbolic extents. Source: ONNX Operators.md, Slice.
 */
import { addDims, ceilDivideDims, minDims, sameDim, subtractDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { atLeast, notNegative } from './bounds.ts'

/** Positions `first`, `first + step`, ... (`count` of them). */
export interface AxisSlice {
  readonly first: number
  readonly step: number
  readonly count: number
}

/** The slice `[start, end)` by `step` (not 0) of an axis. */
export function sliceOf(extent: number, start: number, end: number, step: number): AxisSlice {
  const fromFront = (bound: number): number => (bound < 0 ? bound + extent : bound)
  const clamp = (bound: number, low: number, high: number): number => Math.min(Math.max(bound, low), high)
  const [first, last] =
    step > 0
      ? [clamp(fromFront(start), 0, extent), clamp(fromFront(end), 0, extent)]
      : [clamp(fromFront(start), 0, extent - 1), clamp(fromFront(end), -1, extent - 1)]
  return { first, step, count: Math.max(0, Math.ceil((last - first) / step)) }
}

/** At and beyond this, files mean "to the end": converters write 10^9, or the ends of int32 and int64. */
const toTheEnd = 10 ** 9

/**
 * The extent that a slice leaves. Numbers are clamped to the axis as in {@link sliceOf}; a symbolic bound is taken to
 * lie inside it, as exporters mean it. `null` where nothing can be said.
 */
export function slicedExtent(extent: Dim, start: Dim, end: Dim, step: Dim): Dim {
  if (typeof step !== 'number' || step === 0) return null
  if (typeof extent === 'number' && typeof start === 'number' && typeof end === 'number')
    return sliceOf(extent, start, end, step).count
  if (step < 0) {
    const whole = typeof start === 'number' && typeof end === 'number' && end <= -toTheEnd
    return whole && (start === -1 || start >= toTheEnd) ? ceilDivideDims(extent, -step) : null
  }
  if (typeof start === 'number' && start >= toTheEnd) return 0
  const last = boundWithin(extent, end)
  // Written so that `x[2:]` and `x[:-2]` have the same extent.
  const length =
    typeof start === 'number' && start >= 0 && sameDim(last, extent)
      ? subtractDims(extent, start)
      : subtractDims(last, boundWithin(extent, start))
  return ceilDivideDims(notNegative(length), step)
}

/** A bound of a forward slice, counted from the front and clamped where that is needed. */
function boundWithin(extent: Dim, bound: Dim): Dim {
  if (typeof bound === 'number') {
    if (bound === 0 || bound <= -toTheEnd) return 0
    if (bound < 0) return notNegative(addDims(extent, bound))
    if (bound >= toTheEnd) return extent
    return atLeast(extent, bound) ? bound : minDims(extent, bound)
  }
  const negative = atLeast(subtractDims(0, bound), 1)
  return negative ? addDims(extent, bound) : bound
}
