/**
 * Linear quantisation: q = saturate(round(x / scale) + zero point), rounded half to even, and which scale an
 * element has. Shared by QuantizeLinear, DequantizeLinear and the QLinear and Integer operators. Source: ONNX
 * Operators.md.
 */
import { EspalierError } from '../../errors.ts'
import { type DType, isInteger } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { roundHalfEven } from '../../tensor/minifloat.ts'
import { formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import { elementCount, reshape, type Tensor, tensor } from '../../tensor/tensor.ts'
import { numbersAs } from './broadcast.ts'
import { cast } from './cast.ts'
import { integerRange } from './integer-range.ts'

/**
 * A tensor of the quantised type `dtype` from numbers already divided by their scale. Integers are rounded
 * half to even before the zero point is added, and saturate (NaN becomes the smallest); floats are rounded
 * after, and saturate when `saturate` is set and otherwise overflow to infinity or NaN.
 */
export function quantizeNumbers(
  dtype: DType,
  shape: Shape,
  scaled: Float64Array,
  zeroPoint: (element: number) => number,
  saturate = true,
): Tensor {
  if (isInteger(dtype)) {
    const range = integerRange(dtype)
    const [least, most] = [Number(range.least), Number(range.greatest)]
    const values = scaled.map((value, i) =>
      Number.isNaN(value) ? least : Math.min(Math.max(roundHalfEven(value) + zeroPoint(i), least), most),
    )
    return fromNumbers(dtype, shape, values)
  }
  const values = scaled.map((value, i) => value + zeroPoint(i))
  return cast(tensor('float64', shape, values), dtype, { saturate, rounding: 'nearest' })
}

/**
 * The position in `scale` of each element's scale: one for all; one for each place on `axis`; or, with a
 * positive `blockSize`, one for each block along `axis`. Throws `bad-shape` or `bad-argument` where the
 * shapes do not fit.
 */
export function scaleIndex(
  x: Shape,
  scale: Shape,
  axis: number,
  blockSize: number,
): (element: number) => number {
  if (sizeOf(scale) === 1) return () => 0
  const at = normalizeAxis(axis, x.length)
  const extent = x[at]!
  const inner = sizeOf(x.slice(at + 1))
  if (blockSize === 0) {
    requireScale(scale, [extent])
    return element => Math.floor(element / inner) % extent
  }
  if (blockSize < 0)
    throw new EspalierError('bad-argument', 'not a block size', {
      where: { field: 'block_size' },
      expected: 'a positive number',
      got: `${blockSize}`,
    })
  const blocks = Math.ceil(extent / blockSize)
  requireScale(scale, x.with(at, blocks))
  return element => {
    const row = Math.floor(element / inner)
    const block = Math.floor((row % extent) / blockSize)
    return (Math.floor(row / extent) * blocks + block) * inner + (element % inner)
  }
}

function requireScale(got: Shape, expected: Shape): void {
  if (sameShape(got, expected)) return
  throw new EspalierError('bad-shape', 'the scale does not fit the input', {
    expected: `one element or ${formatShape(expected)}`,
    got: formatShape(got),
    ...(got.length > 1 && { hint: 'A scale for each block needs the attribute "block_size".' }),
  })
}

/** The zero points that go with `scale`, element by element of it; zeros where there are none. */
export function readZeroPoints(zeroPoint: Tensor | undefined, scale: Tensor): Float64Array {
  const count = elementCount(scale)
  if (zeroPoint === undefined) return new Float64Array(count)
  if (sameShape(zeroPoint.shape, scale.shape) || (count === 1 && elementCount(zeroPoint) === 1))
    return numbers(zeroPoint)
  throw new EspalierError('bad-shape', 'the zero point does not have the shape of the scale', {
    expected: formatShape(scale.shape),
    got: formatShape(zeroPoint.shape),
  })
}

/**
 * What a sum of products of quantised numbers is multiplied with: a * b / y, rounded to float32 as it is wherever these
 * operators run. It decides ties.
 */
export function requantization(aScale: number, bScale: number, yScale: number): number {
  return Math.fround(Math.fround(aScale * bScale) / yScale)
}

/** One number, or one for each of `channels`. */
export function readPerChannel(source: Tensor, name: string, channels: number): Float64Array {
  if (elementCount(source) === 1 || sameShape(source.shape, [channels])) return numbers(source)
  throw new EspalierError('bad-shape', `"${name}" fits neither the tensor nor its channels`, {
    expected: `a scalar or ${channels} elements`,
    got: formatShape(source.shape),
  })
}

/**
 * `values` less their zero points: one for all, or one for each part when the values are cut into equal
 * parts.
 */
export function minusZeroPoint(values: Float64Array, zeroPoints: ArrayLike<number>): Float64Array {
  const part = values.length / zeroPoints.length
  return values.map((value, i) => value - zeroPoints[Math.floor(i / part)]!)
}

/**
 * Scales or zero points of the left operand of a matrix product, spread over `shape`: one for all, a list
 * with one for each row, or a tensor [..., rows, 1]. Throws `bad-shape`.
 */
export function spreadOverRows(source: Tensor, shape: Shape, name: string): Float64Array {
  const rows = source.shape.length === 1 && elementCount(source) > 1 ? [...source.shape, 1] : source.shape
  if (rows.length > 0 && rows.at(-1) !== 1)
    refuseSpread(source, name, 'one for each row: [rows] or [..., rows, 1]')
  return numbersAs(reshape(source, rows), shape, `"${name}"`)
}

/**
 * The same of the right operand: one for all, a list with one for each column, or a tensor [..., 1, columns].
 */
export function spreadOverColumns(source: Tensor, shape: Shape, name: string): Float64Array {
  const { shape: own } = source
  if (own.length > 1 && own.at(-2) !== 1)
    refuseSpread(source, name, 'one for each column: [columns] or [..., 1, columns]')
  return numbersAs(source, shape, `"${name}"`)
}

function refuseSpread(source: Tensor, name: string, expected: string): never {
  throw new EspalierError('bad-shape', `"${name}" does not go with a matrix`, {
    expected: `one element, or ${expected}`,
    got: formatShape(source.shape),
  })
}
