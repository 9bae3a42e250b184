/**
 * When outputs count as equal: every element within 1e-4 of the wanted one, relative to it, plus 1e-5 of the largest
 * magnitude in the tensor. The second part is for elements that are small because large ones cancel: float32 sums of
 * a thousand terms of size s are off by about 1e-6 s whatever they come to. Integers and bools must be equal.
 */

import type { Values } from '../../src/runtime/executor.ts'
import { dtypeInfo } from '../../src/tensor/dtype.ts'
import { numbers } from '../../src/tensor/elements.ts'
import { formatShape } from '../../src/tensor/shape.ts'
import { isTensor, type Tensor } from '../../src/tensor/tensor.ts'
import { firstDifference } from '../../src/tensor/testing.ts'

export const RELATIVE = 1e-4
export const OF_SCALE = 1e-5

/** Where outputs differ, in words; empty when they agree. */
export function differences(got: Values, wanted: Values): string[] {
  return [...wanted].flatMap(([name, value]) => {
    const own = got.get(name)
    if (!isTensor(value) || !isTensor(own)) return [`${name}: not a tensor`]
    const difference = difference1(own, value)
    return difference === undefined ? [] : [`${name}: ${difference}`]
  })
}

function difference1(got: Tensor, wanted: Tensor): string | undefined {
  const types = [got, wanted].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`)
  if (types[0] !== types[1]) return `got ${types[0]}, wanted ${types[1]}`
  const exact = dtypeInfo(wanted.dtype).kind !== 'float'
  const absolute = exact ? 0 : OF_SCALE * largest(numbers(wanted))
  return firstDifference(got, wanted, { relative: RELATIVE, absolute })
}

/** The largest finite magnitude. */
export function largest(values: Float64Array): number {
  let result = 0
  for (const value of values) if (Number.isFinite(value) && Math.abs(value) > result) result = Math.abs(value)
  return result
}
