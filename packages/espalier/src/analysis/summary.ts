/** What the numbers of a tensor look like, in a few figures: for people who print outputs and for warnings about NaN. */
import { numbers } from '../tensor/elements.ts'
import type { Tensor } from '../tensor/tensor.ts'

export interface TensorSummary {
  /** Numbers looked at: the elements, and for complex types real and imaginary parts. */
  readonly count: number
  /** Of the finite ones; NaN when there is none. */
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Population standard deviation. */
  readonly std: number
  readonly nans: number
  readonly infinities: number
}

/** Figures of a tensor in float64; `undefined` for strings, which have none. */
export function summarize(tensor: Tensor): TensorSummary | undefined {
  if (tensor.dtype === 'string') return undefined
  const values = numbers(tensor)
  let [min, max, total, nans, infinities] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0]
  for (const value of values) {
    if (Number.isNaN(value)) nans++
    else if (!Number.isFinite(value)) infinities++
    else {
      if (value < min) min = value
      if (value > max) max = value
      total += value
    }
  }
  const finite = values.length - nans - infinities
  const mean = total / finite
  let squares = 0
  for (const value of values) if (Number.isFinite(value)) squares += (value - mean) ** 2
  const none = finite === 0
  return {
    count: values.length,
    min: none ? Number.NaN : min,
    max: none ? Number.NaN : max,
    mean,
    std: Math.sqrt(squares / finite),
    nans,
    infinities,
  }
}
