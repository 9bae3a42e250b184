/**
 * Rounding to a floating-point type in the middle of a computation, for the few operators whose specification
 * names the precision of a step (`QuantizeLinear`, `Attention`). Everything else is rounded once, at the end.
 */
import { EspalierError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import { decodeTable, encodeMinifloat } from '../../tensor/minifloat.ts'
import type { Attributes } from '../op.ts'
import { dtypeAttribute } from './element-type.ts'

/**
 * The function that rounds a number to `dtype`; types wider than float32, and integers, leave it as it is.
 */
export function roundingTo(dtype: DType): (value: number) => number {
  if (dtype === 'float32') return Math.fround
  if (dtype !== 'float16' && dtype !== 'bfloat16') return value => value
  const table = decodeTable(dtype)
  return value => table[encodeMinifloat(dtype, value)]!
}

/**
 * A data type given as an attribute by its ONNX number; absent or 0 is `undefined`. Throws `bad-argument`.
 */
export function readDtype(
  attributes: Attributes,
  name: string,
  allowed: readonly DType[],
): DType | undefined {
  if ((attributes.optionalInt(name) ?? 0) === 0) return undefined
  const dtype = dtypeAttribute(attributes, name)
  if (allowed.includes(dtype)) return dtype
  throw new EspalierError('bad-argument', 'the data type is not one the operator takes', {
    where: { field: name },
    expected: allowed.join(', '),
    got: dtype,
  })
}
