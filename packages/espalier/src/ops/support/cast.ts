/**
 * Conversion of tensors between data types, as `Cast` has it. Floats are rounded once, to nearest even;
 * integers wrap; floats lose their fraction on the way to integers. Where ONNX leaves the result undefined (a
 * float beyond the range of an integer type) it wraps too, NaN gives 0 and infinities the ends of int64.
 */
import { EspalierError } from '../../errors.ts'
import { type DType, dtypeInfo, isBigInt, isFloat } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import { decodeMinifloat, encodeE8M0, encodeMinifloat, type PowerRounding } from '../../tensor/minifloat.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Attributes } from '../op.ts'
import { float8s } from '../schema.ts'
import { formatFloat, parseBoolText, parseFloatText, parseIntegerText } from './number-text.ts'

export interface CastOptions {
  /** For 8-bit floats: numbers beyond the range become its end, instead of infinity or NaN. */
  readonly saturate: boolean
  /** For float8e8m0: which power of two is taken for a number between two. */
  readonly rounding: PowerRounding
}

/** `saturate` and `round_mode` of a node; what its version does not have yet is as it became by default. */
export function castOptions(attributes: Attributes): CastOptions {
  return {
    saturate: (attributes.optionalInt('saturate') ?? 1) !== 0,
    rounding: (attributes.optionalString('round_mode') ?? 'up') as PowerRounding,
  }
}

/** The elements of `source` as data type `to`. Complex numbers are not converted: `bad-dtype`. */
export function cast(source: Tensor, to: DType, options: CastOptions): Tensor {
  for (const dtype of [source.dtype, to])
    if (dtypeInfo(dtype).kind === 'complex')
      throw new EspalierError('bad-dtype', 'complex numbers cannot be cast', {
        got: `${source.dtype} to ${to}`,
      })
  if (source.dtype === to) return source
  if (to === 'string') return tensor('string', source.shape, format(source))
  if (source.dtype === 'string') return parse(source, to, options)
  if (isBigInt(source.dtype)) return castBigInts(source, to, options)
  return castNumbers(source, numbers(source), to, options)
}

function castNumbers(source: Tensor, values: Float64Array, to: DType, options: CastOptions): Tensor {
  const { shape } = source
  if (to === 'float8e8m0')
    return tensor(
      to,
      shape,
      Uint8Array.from(values, value => powerOfTwo(value, options)),
    )
  if (options.saturate && isFloat8(to))
    return tensor(
      to,
      shape,
      Uint8Array.from(values, value => encodeMinifloat(to, value, true)),
    )
  return fromNumbers(to, shape, values)
}

function castBigInts(source: Tensor, to: DType, options: CastOptions): Tensor {
  const values = bigints(source)
  if (!isFloat(to)) return fromBigInts(to, source.shape, values)
  const convert = to === 'float64' ? Number : roundToOdd
  return castNumbers(source, Float64Array.from(values, convert), to, options)
}

/**
 * A 64-bit integer as a float64 that a narrower float type rounds as it would have rounded the integer
 * itself: what float64 cannot hold leaves its trace in the last bit, so that no false tie arises.
 */
function roundToOdd(value: bigint): number {
  if (BigInt.asIntN(53, value) === value) return Number(value)
  const kept = value >> 11n
  return Number((value & 0x7ffn) === 0n ? kept : kept | 1n) * 2 ** 11
}

/** A pattern of float8e8m0. Powers outside the format are its ends or NaN before any rounding. */
function powerOfTwo(value: number, { saturate, rounding }: CastOptions): number {
  const [least, greatest] = [decodeMinifloat('float8e8m0', 0), decodeMinifloat('float8e8m0', 0xfe)]
  if (value >= 0 && (value < least || value > greatest))
    return encodeE8M0(saturate ? Math.min(Math.max(value, least), greatest) : Number.NaN, rounding, saturate)
  return encodeE8M0(value, rounding, saturate)
}

function isFloat8(
  dtype: DType,
): dtype is 'float8e4m3fn' | 'float8e4m3fnuz' | 'float8e5m2' | 'float8e5m2fnuz' {
  return float8s.includes(dtype)
}

function format(source: Tensor): string[] {
  const { dtype } = source
  if (dtype === 'bool') return Array.from(numbers(source), value => (value === 0 ? 'False' : 'True'))
  if (isFloat(dtype)) return Array.from(numbers(source), value => formatFloat(value, dtype))
  return Array.from<bigint | number, string>(isBigInt(dtype) ? bigints(source) : numbers(source), String)
}

function parse(source: Tensor<'string'>, to: DType, options: CastOptions): Tensor {
  if (to === 'bool')
    return fromNumbers(
      to,
      source.shape,
      source.data.map(text => Number(parseBoolText(text))),
    )
  if (!isFloat(to)) return fromBigInts(to, source.shape, source.data.map(parseIntegerText))
  return castNumbers(source, Float64Array.from(source.data, parseFloatText), to, options)
}
