/** The largest elements along the last axis: what a classifier says, in the order in which it believes it. */
import { EspalierError } from '../errors.ts'
import { numbers } from '../tensor/elements.ts'
import type { Tensor } from '../tensor/tensor.ts'

export interface Ranked {
  /** Position along the last axis. */
  readonly index: number
  readonly value: number
}

/**
 * For every row along the last axis (up to `rows` of them), its `count` largest elements, largest first and, among
 * equals, first index first; NaN comes last. Throws `bad-dtype` for strings and complex numbers.
 */
export function topOf(tensor: Tensor, count: number, rows: number = Number.POSITIVE_INFINITY): Ranked[][] {
  if (tensor.dtype === 'string' || tensor.dtype.startsWith('complex'))
    throw new EspalierError('bad-dtype', `${tensor.dtype} elements have no order`)
  const values = numbers(tensor)
  const width = tensor.shape.at(-1) ?? 1
  const found: Ranked[][] = []
  for (let start = 0; start < values.length && found.length < rows; start += width) {
    const row = Array.from(values.subarray(start, start + width), (value, index) => ({ index, value }))
    const rank = ({ value }: Ranked): number => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value)
    row.sort((a, b) => (rank(b) > rank(a) ? 1 : rank(b) < rank(a) ? -1 : a.index - b.index))
    found.push(row.slice(0, count))
  }
  return found
}
