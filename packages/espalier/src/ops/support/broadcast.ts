/** Broadcasting one operand to the shape of another (ONNX "unidirectional"). */
import { EspalierError } from '../../errors.ts'
import { bigints, numbers } from '../../tensor/elements.ts'
import {
  broadcastStrides,
  forEachIndex,
  formatShape,
  type Shape,
  sameShape,
  sizeOf,
} from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Elements of `source` as if it had `shape`. `what` names it in the error, `bad-shape`, when it does not fit. */
export function numbersAs(source: Tensor, shape: Shape, what: string): Float64Array {
  const values = numbers(source)
  if (sameShape(source.shape, shape)) return values
  const result = new Float64Array(sizeOf(shape))
  forEachIndex(shape, [stridesAs(source.shape, shape, what)], (index, [position]) => {
    result[index] = values[position!]!
  })
  return result
}

/** The same in 64-bit integers. */
export function bigintsAs(source: Tensor, shape: Shape, what: string): BigInt64Array | BigUint64Array {
  const values = bigints(source)
  if (sameShape(source.shape, shape)) return values
  const result = new BigInt64Array(sizeOf(shape))
  forEachIndex(shape, [stridesAs(source.shape, shape, what)], (index, [position]) => {
    result[index] = values[position!]!
  })
  return result
}

function stridesAs(from: Shape, to: Shape, what: string): number[] {
  const lead = to.length - from.length
  if (lead >= 0 && from.every((extent, axis) => extent === 1 || extent === to[lead + axis]))
    return broadcastStrides(from, to)
  throw new EspalierError('bad-shape', `${what} does not broadcast to the shape it is applied to`, {
    expected: formatShape(to),
    got: formatShape(from),
  })
}
