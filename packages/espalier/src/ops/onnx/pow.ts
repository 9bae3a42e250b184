/**
 * Power of two tensors that may differ in data type: the result has the type of the base. A float base
 * follows C's `pow`. An integer base to an integer power is exact and wraps; to a negative power it is the
 * truncated reciprocal, and an error for base zero. An integer base to a float power is computed in float64
 * and truncated.
 */
import { EspalierError } from '../../errors.ts'
import { isFloat, isInteger } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import type { InferContext, Op } from '../op.ts'
import { floats16, numeric, numeric16, type Schema } from '../schema.ts'
import { commonDType, zipBigInts, zipNumbers } from '../support/elementwise.ts'
import { broadcastAll } from '../support/infer.ts'
import {
  apply,
  convert,
  decline,
  inputValue,
  isFloatStorage,
  lowerTo,
  type Value,
} from '../support/lower-elementwise.ts'

const mixed: Schema = { inputs: ['X: T', 'Y: T1'], outputs: ['Z: T'] }

export const Pow: Op = {
  name: 'Pow',
  doc: 'Element-wise power, with broadcasting.',
  lower: lowerTo(lowerPower),
  versions: {
    7: { inputs: ['X: T', 'Y: T'], outputs: ['Z: T'], types: { T: floats16 } },
    12: { ...mixed, types: { T: ['int32', 'int64', ...floats16], T1: numeric16 } },
    13: { ...mixed, types: { T: ['int32', 'int64', 'bfloat16', ...floats16], T1: numeric16 } },
    15: { ...mixed, types: { T: ['int32', 'int64', 'bfloat16', ...floats16], T1: numeric } },
  },
  infer(c: InferContext) {
    if (c.version < 12) commonDType([c.dtype(0), c.dtype(1)])
    return broadcastAll(c)
  },
  evaluate(c) {
    const [x, y] = [c.tensor(0), c.tensor(1)]
    if (c.version < 12) commonDType([x.dtype, y.dtype])
    if (isFloat(x.dtype)) return [zipNumbers(x, y, power)]
    if (isInteger(y.dtype)) return [zipBigInts(x, y, integerPower)]
    return [zipNumbers(x, y, (base, exponent) => Math.trunc(power(base, exponent)))]
  },
}

/** C's `pow`: unlike JavaScript's, 1 to any power is 1, and so is -1 to an infinite one. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY)) return 1
  return base ** exponent
}

/** By repeated squaring, modulo 2^64. */
function integerPower(base: bigint, exponent: bigint): bigint {
  if (exponent < 0n) return reciprocalPower(base, exponent)
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * square)
    square = BigInt.asIntN(64, square * square)
  }
  return result
}

function reciprocalPower(base: bigint, exponent: bigint): bigint {
  if (base === 0n)
    throw new EspalierError('bad-argument', 'integer zero to a negative power', {
      expected: 'powers that are not negative, or a floating-point base',
      got: `0 to the power of ${exponent}`,
    })
  if (base === 1n) return 1n
  if (base === -1n) return exponent % 2n === 0n ? 1n : -1n
  return 0n
}

/** Powers that are common are products and roots; others of floats go through the logarithm. */
function lowerPower(c: LowerContext): Value {
  const x = inputValue(c, 0)
  const known = c.constant(1)
  const exponent = known && sizeOf(known.shape) === 1 ? numbers(known)[0] : undefined
  if (exponent === 1) return x
  if (exponent === 2) return apply('mul', x, x)
  if (exponent === 3) return apply('mul', apply('mul', x, x), x)
  if (!isFloatStorage(x.dtype)) decline(`no kernel for powers of ${x.dtype}`)
  if (exponent === -1) return apply('reciprocal', x)
  return apply('pow', x, convert(inputValue(c, 1), x.dtype))
}
