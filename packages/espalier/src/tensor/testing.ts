/** Comparing tensors in tests. */
import { dtypeInfo, isBigInt } from './dtype.ts'
import { numbers } from './elements.ts'
import type { Tensor } from './tensor.ts'

export interface Tolerance {
  readonly relative: number
  readonly absolute: number
}

/**
 * The first element of `got` that is not `wanted` within |got - wanted| <= absolute + relative * |wanted|, in words;
 * `undefined` when all agree. Integers, bools and strings must be equal; NaN equals NaN.
 */
export function firstDifference(
  got: Tensor,
  wanted: Tensor,
  { relative, absolute }: Tolerance,
): string | undefined {
  const exact = dtypeInfo(wanted.dtype).kind !== 'float' && dtypeInfo(wanted.dtype).kind !== 'complex'
  if (wanted.dtype === 'string' || isBigInt(wanted.dtype)) {
    const [x, y] = [got.data as ArrayLike<unknown>, wanted.data as ArrayLike<unknown>]
    for (let i = 0; i < y.length; i++) if (x[i] !== y[i]) return `element ${i}: got ${x[i]}, wanted ${y[i]}`
    return undefined
  }
  const [x, y] = [numbers(got), numbers(wanted)]
  for (let i = 0; i < y.length; i++) {
    const [a, b] = [x[i]!, y[i]!]
    const close =
      Object.is(a, b) || a === b || (!exact && Math.abs(a - b) <= absolute + relative * Math.abs(b))
    if (!close) return `element ${i}: got ${a}, wanted ${b}`
  }
  return undefined
}
