/**
 * Floating-point formats that JavaScript has no number for: binary16, bfloat16, the four float8 formats of
 * "FP8 Formats for Deep Learning" (arXiv 2209.05433) and "8-bit Numerical Formats for Deep Neural Networks"
 * (arXiv 2206.02915), the OCP microscaling formats E8M0 and E2M1. Conversion goes through float64 and rounds
 * once, to nearest, ties to even.
 */
import { EspalierError } from '../errors.ts'

interface Format {
  readonly exponentBits: number
  readonly mantissaBits: number
  readonly bias: number
  /** `ieee`: infinities and NaNs in the top exponent. `fn`: NaN is all ones. `fnuz`: NaN is minus zero. `finite`: neither. */
  readonly special: 'ieee' | 'fn' | 'fnuz' | 'finite'
}

/** The formats handled here. */
export type Minifloat =
  | 'float16'
  | 'bfloat16'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float4e2m1'

const formats: Readonly<Record<Exclude<Minifloat, 'float8e8m0'>, Format>> = {
  float16: { exponentBits: 5, mantissaBits: 10, bias: 15, special: 'ieee' },
  bfloat16: { exponentBits: 8, mantissaBits: 7, bias: 127, special: 'ieee' },
  float8e4m3fn: { exponentBits: 4, mantissaBits: 3, bias: 7, special: 'fn' },
  float8e4m3fnuz: { exponentBits: 4, mantissaBits: 3, bias: 8, special: 'fnuz' },
  float8e5m2: { exponentBits: 5, mantissaBits: 2, bias: 15, special: 'ieee' },
  float8e5m2fnuz: { exponentBits: 5, mantissaBits: 2, bias: 16, special: 'fnuz' },
  float4e2m1: { exponentBits: 2, mantissaBits: 1, bias: 1, special: 'finite' },
}

export function isMinifloat(dtype: string): dtype is Minifloat {
  return dtype === 'float8e8m0' || Object.hasOwn(formats, dtype)
}

const maxima = new Map<Format, number>()

/** Largest finite value of a format. */
function maximumOf(format: Format): number {
  let maximum = maxima.get(format)
  if (maximum === undefined) {
    const { exponentBits, mantissaBits, bias, special } = format
    const top = 2 ** exponentBits - 1 - (special === 'ieee' ? 1 : 0)
    const mantissa = 2 ** mantissaBits - 1 - (special === 'fn' ? 1 : 0)
    maximum = (1 + mantissa / 2 ** mantissaBits) * 2 ** (top - bias)
    maxima.set(format, maximum)
  }
  return maximum
}

/** The number that the bit pattern `bits` stands for. */
export function decodeMinifloat(dtype: Minifloat, bits: number): number {
  if (dtype === 'float8e8m0') return bits === 0xff ? Number.NaN : 2 ** (bits - 127)
  const format = formats[dtype]
  const { exponentBits, mantissaBits, bias, special } = format
  const signBit = 2 ** (exponentBits + mantissaBits)
  const magnitude = bits % signBit
  const sign = bits >= signBit ? -1 : 1
  const exponent = Math.floor(magnitude / 2 ** mantissaBits)
  const mantissa = magnitude % 2 ** mantissaBits
  const topExponent = 2 ** exponentBits - 1
  if (special === 'ieee' && exponent === topExponent)
    return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (special === 'fn' && magnitude === signBit - 1) return Number.NaN
  if (special === 'fnuz' && bits === signBit) return Number.NaN
  return exponent === 0
    ? sign * mantissa * 2 ** (1 - bias - mantissaBits)
    : sign * (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias)
}

/**
 * The bit pattern nearest to `value`. Beyond the largest finite value: with `saturate` that value (infinities
 * too), otherwise infinity where the format has one and NaN where it has not. `float4e2m1` always saturates.
 */
export function encodeMinifloat(dtype: Minifloat, value: number, saturate = false): number {
  if (dtype === 'float8e8m0') return encodeE8M0(value, 'nearest', saturate)
  const format = formats[dtype]
  const { exponentBits, mantissaBits, bias, special } = format
  const signBit = 2 ** (exponentBits + mantissaBits)
  const sign = value < 0 || Object.is(value, -0) ? signBit : 0
  const infinity = (2 ** exponentBits - 1) * 2 ** mantissaBits
  if (Number.isNaN(value)) {
    if (special === 'ieee') return infinity + 2 ** (mantissaBits - 1)
    if (special === 'fn') return signBit - 1
    return signBit // fnuz: the NaN; finite: minus zero, as there is no NaN
  }
  const magnitude = Math.abs(value)
  const exponent = magnitude === 0 ? 1 - bias : Math.max(exponentOf(magnitude), 1 - bias)
  const quantum = 2 ** (exponent - mantissaBits)
  const rounded =
    magnitude === Number.POSITIVE_INFINITY ? magnitude : roundHalfEven(magnitude / quantum) * quantum
  const maximum = maximumOf(format)
  if (rounded > maximum) {
    if (saturate || special === 'finite') return sign + encodeMinifloat(dtype, maximum)
    if (special === 'ieee') return sign + infinity
    return special === 'fn' ? sign + signBit - 1 : signBit
  }
  if (rounded === 0) return special === 'fnuz' ? 0 : sign
  const normal = Math.max(exponentOf(rounded), 1 - bias)
  const steps = rounded / 2 ** (normal - mantissaBits)
  const field = steps < 2 ** mantissaBits ? 0 : normal + bias // subnormals have exponent field 0
  return sign + field * 2 ** mantissaBits + (field === 0 ? steps : steps - 2 ** mantissaBits)
}

const double = new Float64Array(1)
const doubleWords = new Uint32Array(double.buffer)

/**
 * The bit patterns of `values`, as {@link encodeMinifloat} gives them without saturation. Normal numbers of the
 * formats with infinities are rounded on their bits, which spares the arithmetic; a carry out of the largest one makes
 * the infinity by itself.
 */
export function encodeMinifloats(
  dtype: Minifloat,
  values: ArrayLike<number>,
  out: Uint8Array | Uint16Array,
): void {
  const format = dtype === 'float8e8m0' ? undefined : formats[dtype]
  if (format?.special !== 'ieee') {
    for (let i = 0; i < values.length; i++) out[i] = encodeMinifloat(dtype, values[i]!)
    return
  }
  const { exponentBits, mantissaBits, bias } = format
  const cut = 20 - mantissaBits // bits of the high word's mantissa that are rounded away
  const half = 1 << (cut - 1)
  const largest = 2 ** exponentBits - 2
  for (let i = 0; i < values.length; i++) {
    double[0] = values[i]!
    const high = doubleWords[1]!
    const field = ((high >>> 20) & 0x7ff) - 1023 + bias
    if (field < 1 || field > largest) {
      out[i] = encodeMinifloat(dtype, values[i]!)
      continue
    }
    const mantissa = (high & 0xfffff) >>> cut
    const rest = high & ((1 << cut) - 1)
    const up = rest > half || (rest === half && (doubleWords[0] !== 0 || (mantissa & 1) === 1)) ? 1 : 0
    out[i] = ((high >>> 31) << (exponentBits + mantissaBits)) + (field << mantissaBits) + mantissa + up
  }
}

/** To which power of two a number between two of them goes; `nearest` sends the middle up. */
export type PowerRounding = 'nearest' | 'up' | 'down'

/**
 * The E8M0 bit pattern of `value`. E8M0 has neither sign nor zero nor infinity: with `saturate`, zero and what is
 * rounded below 2^-127 become 2^-127 and what is rounded above 2^127 becomes 2^127; otherwise all of these are NaN,
 * as negative numbers always are.
 */
export function encodeE8M0(value: number, rounding: PowerRounding, saturate: boolean): number {
  if (Number.isNaN(value) || value < 0) return 0xff
  const power =
    value === 0 || value === Number.POSITIVE_INFINITY ? Math.log2(value) : roundedExponent(value, rounding)
  if (power >= -127 && power <= 127) return power + 127
  if (!saturate) return 0xff
  return power < 0 ? 0 : 0xfe
}

function roundedExponent(value: number, rounding: PowerRounding): number {
  const exponent = exponentOf(value)
  const significand = value / 2 ** exponent
  const up = rounding === 'up' ? significand > 1 : rounding === 'nearest' && significand >= 1.5
  return up ? exponent + 1 : exponent
}

const doubleView = new DataView(new ArrayBuffer(8))

/** floor(log2(value)) of a positive finite number, exactly. */
function exponentOf(value: number): number {
  doubleView.setFloat64(0, value)
  const field = (doubleView.getUint16(0) >> 4) & 0x7ff
  if (field !== 0) return field - 1023
  return exponentOf(value * 2 ** 53) - 53
}

/** Nearest integer, ties to even; the sign is kept, so that -0.5 gives -0. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
  if (!up) return floor
  return floor === -1 ? -0 : floor + 1
}

const tables = new Map<Minifloat, Float64Array>()

/** Every value of a format of at most 16 bits, by bit pattern. Built on first use. */
export function decodeTable(dtype: Minifloat): Float64Array {
  let table = tables.get(dtype)
  if (table === undefined) {
    const bits = dtype === 'float8e8m0' ? 8 : 1 + formats[dtype].exponentBits + formats[dtype].mantissaBits
    if (bits > 16) throw new EspalierError('bad-dtype', `${dtype} is too wide for a table`)
    table = Float64Array.from({ length: 2 ** bits }, (_, pattern) => decodeMinifloat(dtype, pattern))
    tables.set(dtype, table)
  }
  return table
}
