/**
 * Remainder of a division. Without `fmod` the result has the sign of the divisor (Python's `%`, integers
 * only), with it the sign of the dividend (C's `fmod`).
 */
import { EspalierError } from '../../errors.ts'
import { floorDivideDims, multiplyDims, subtractDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { type DType, isBigInt, isFloat } from '../../tensor/dtype.ts'
import type { Attributes, Op } from '../op.ts'
import { int, numeric, numeric16, type Schema } from '../schema.ts'
import { zipContents } from '../support/contents.ts'
import { commonDType, inferBroadcast, zipBigInts, zipNumbers } from '../support/elementwise.ts'
import { bigModulus, bigRemainder, modulus, remainder } from '../support/integer-division.ts'
import { lowerDivision } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['A: T', 'B: T'], outputs: ['C: T'], attributes: { fmod: int(0) } }

export const Mod: Op = {
  name: 'Mod',
  doc: 'Element-wise remainder, with broadcasting.',
  lower: lowerDivision('fmod', c => (c.attributes.int('fmod') !== 0 ? 'rem' : 'mod')),
  versions: { 10: { ...schema, types: { T: numeric16 } }, 13: { ...schema, types: { T: numeric } } },
  infer(c) {
    requireSign(c.attributes, c.dtype(0))
    return inferBroadcast(c)
  },
  contents: c => zipContents(c.attributes.int('fmod') !== 0 ? remainderOfNumbers : modulusOfDims)(c),
  evaluate(c) {
    const [a, b] = [c.tensor(0), c.tensor(1)]
    const dtype = commonDType([a.dtype, b.dtype])!
    const truncated = requireSign(c.attributes, dtype)
    if (isFloat(dtype)) return [zipNumbers(a, b, (x, y) => x % y)]
    if (isBigInt(dtype)) return [zipBigInts(a, b, truncated ? bigRemainder : bigModulus)]
    return [zipNumbers(a, b, truncated ? remainder : modulus)]
  },
}

/** Whether `fmod` is set, as it must be for floats. */
function requireSign(attributes: Attributes, dtype: DType | undefined): boolean {
  const fmod = attributes.int('fmod')
  if (fmod !== 0 && fmod !== 1)
    throw new EspalierError('bad-argument', 'the attribute "fmod" is not a truth value', {
      expected: '0 or 1',
      got: `${fmod}`,
    })
  if (fmod === 0 && dtype !== undefined && isFloat(dtype))
    throw new EspalierError('bad-dtype', 'the modulus with the sign of the divisor is for integers only', {
      expected: 'an integer type, or fmod = 1',
      got: dtype,
    })
  return fmod === 1
}

/** Rounding down gives the sign of the divisor: a - b * floor(a / b). */
function modulusOfDims(a: Dim, b: Dim): Dim {
  return subtractDims(a, multiplyDims(b, floorDivideDims(a, b)))
}

function remainderOfNumbers(a: Dim, b: Dim): Dim {
  return typeof a === 'number' && typeof b === 'number' && b !== 0 ? (a % b) + 0 : null // no -0
}
