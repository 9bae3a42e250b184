/**
 * How far the outputs of two runs are from each other: the largest difference, relative to the largest number of that
 * output. Element by element, relative differences say nothing of numbers near zero among large ones, which is what
 * networks give.
 */
import { numbers } from '../tensor/elements.ts'
import { sameShape } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../tensor/tensor.ts'

export interface Difference {
  /** The largest one; infinite where types, shapes, texts, infinities or NaNs differ, or an output is missing. */
  readonly difference: number
  /** The output it is in; empty when there is no output. */
  readonly output: string
}

/** The largest difference over the outputs that `expected` has. */
export function largestDifference(
  got: Readonly<Record<string, RuntimeValue>>,
  expected: Readonly<Record<string, RuntimeValue>>,
): Difference {
  let worst: Difference = { difference: 0, output: '' }
  for (const [output, value] of Object.entries(expected)) {
    const difference = differenceOf(got[output], value)
    if (worst.output === '' || difference > worst.difference) worst = { difference, output }
  }
  return worst
}

function differenceOf(got: RuntimeValue | undefined, expected: RuntimeValue): number {
  if (got === undefined) return Number.POSITIVE_INFINITY
  if (isTensor(got) && isTensor(expected)) return tensorDifference(got, expected)
  if (
    got === null ||
    expected === null ||
    isTensor(got) ||
    isTensor(expected) ||
    got.length !== expected.length
  )
    return got === expected ? 0 : Number.POSITIVE_INFINITY
  return Math.max(0, ...got.map((item, index) => differenceOf(item, expected[index]!)))
}

function tensorDifference(got: Tensor, expected: Tensor): number {
  if (got.dtype !== expected.dtype || !sameShape(got.shape, expected.shape)) return Number.POSITIVE_INFINITY
  if (got.dtype === 'string' || expected.dtype === 'string')
    return got.data.every((text, index) => text === expected.data[index]) ? 0 : Number.POSITIVE_INFINITY
  const [a, b] = [numbers(got), numbers(expected)]
  let scale = 0
  let largest = 0
  for (const [index, value] of b.entries()) {
    if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value))
    if (Object.is(a[index], value)) continue
    const difference = Math.abs(a[index]! - value)
    if (!Number.isFinite(difference)) return Number.POSITIVE_INFINITY
    largest = Math.max(largest, difference)
  }
  return largest === 0 ? 0 : largest / Math.max(scale, Number.MIN_VALUE)
}
