/** Positions in sequences. */
import { EspalierError } from '../../errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { single } from './scalars.ts'

/**
 * The index that a position tensor means, negative ones counted from `length`; `end` is the largest allowed
 * index. Throws `bad-argument` outside of it.
 */
export function positionIn(position: Tensor, length: number, end: number): number {
  const value = single(position, 'the position')
  const index = value < 0 ? value + length : value
  if (index >= 0 && index <= end) return index
  throw new EspalierError('bad-argument', `position ${value} is outside a sequence of ${length} elements`, {
    expected: length === 0 && end < 0 ? 'no position' : `${-length} to ${end}`,
  })
}
