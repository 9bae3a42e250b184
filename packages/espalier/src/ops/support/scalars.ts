/**
 * Inputs that stand for a single number: a position, a count, a condition. One element of any rank is taken.
 */
import { EspalierError } from '../../errors.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** The only element of `source`, as a number. `what` names it in the error, `bad-shape`. */
export function single(source: Tensor, what: string): number {
  if (sizeOf(source.shape) === 1) return numbers(source)[0]!
  throw new EspalierError('bad-shape', `${what} is not a single value`, {
    expected: 'one element',
    got: `shape ${formatShape(source.shape)}`,
  })
}
