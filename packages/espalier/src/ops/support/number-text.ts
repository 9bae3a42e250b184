/**
 * Numbers as text and back, for casts to and from strings: the notation of Python (`1.0`, `1e-05`, `nan`),
 * with as few digits as give the number back in its own data type. What ONNX says of the strings: plain and
 * scientific notation, INF and NaN in any case.
 */
import { EspalierError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import { decodeMinifloat, encodeMinifloat, isMinifloat } from '../../tensor/minifloat.ts'

/** A floating-point number of data type `dtype` as text. Scientific below 1e-4 and from 1e16 on. */
export function formatFloat(value: number, dtype: DType): string {
  if (Number.isNaN(value)) return 'nan'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (!Number.isFinite(value)) return `${sign}inf`
  if (value === 0) return `${sign}0.0`
  const [mantissa, power] = shortest(Math.abs(value), dtype).split('e')
  const digits = mantissa!.replace('.', '')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** The shortest exponential notation that `dtype` reads back as `value`. */
function shortest(value: number, dtype: DType): string {
  for (let digits = 0; digits < 9 && dtype !== 'float64'; digits++) {
    const text = value.toExponential(digits)
    if (roundTo(dtype, Number(text)) === value) return text
  }
  return value.toExponential()
}

function roundTo(dtype: DType, value: number): number {
  if (isMinifloat(dtype)) return decodeMinifloat(dtype, encodeMinifloat(dtype, value))
  return dtype === 'float32' ? Math.fround(value) : value
}

/** The number that `text` stands for. Throws `bad-argument` when it stands for none. */
export function parseFloatText(text: string): number {
  const trimmed = text.trim()
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return Number(trimmed)
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(trimmed)
  if (special === null) throw notNumber(text)
  const size = special[2]!.toLowerCase() === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY
  return special[1] === '-' ? -size : size
}

/**
 * The integer that `text` stands for; a fraction is dropped. Throws `bad-argument` when it stands for none.
 */
export function parseIntegerText(text: string): bigint {
  // Longer numbers fit no integer type; they go through float64, because exact parsing takes quadratic time.
  if (/^\s*[+-]?\d{1,40}\s*$/.test(text)) return BigInt(text.trim())
  const value = parseFloatText(text)
  if (Number.isFinite(value)) return BigInt(Math.trunc(value))
  throw notNumber(text, 'a finite number')
}

/** The truth value that `text` stands for: `true`, `false`, or a number other than zero. */
export function parseBoolText(text: string): boolean {
  const named = /^\s*(true|false)\s*$/i.exec(text)
  return named === null ? parseFloatText(text) !== 0 : named[1]!.toLowerCase() === 'true'
}

function notNumber(text: string, expected = 'a decimal number, INF or NaN'): EspalierError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text
  return new EspalierError('bad-argument', 'a string does not stand for a number', {
    expected,
    got: `"${shown}"`,
  })
}
