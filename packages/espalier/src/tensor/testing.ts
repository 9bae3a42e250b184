/** Comparing tensors in tests. */
import { dtypeInfo, isBigInt } from './dtype.ts'
import { numbers } from './elements.ts'
import { formatShape } from './shape.ts'
import { isTensor, type RuntimeValue, sameTensor, type Tensor } from './tensor.ts'

export interface Tolerance {
  readonly relative: number
  readonly absolute: number
}

/**
 * The first element of `got` that is not `wanted` within |got - wanted| <= absolute + relative * |wanted|, in words;
 * `undefined` when all agree. Integers, bools and strings must be equal; NaN equals NaN.
 */
export function firstDifference(
  got: Tensor,
  wanted: Tensor,
  { relative, absolute }: Tolerance,
): string | undefined {
  const exact = dtypeInfo(wanted.dtype).kind !== 'float' && dtypeInfo(wanted.dtype).kind !== 'complex'
  if (wanted.dtype === 'string' || isBigInt(wanted.dtype)) {
    const [x, y] = [got.data as ArrayLike<unknown>, wanted.data as ArrayLike<unknown>]
    for (let i = 0; i < y.length; i++) if (x[i] !== y[i]) return `element ${i}: got ${x[i]}, wanted ${y[i]}`
    return undefined
  }
  const [x, y] = [numbers(got), numbers(wanted)]
  for (let i = 0; i < y.length; i++) {
    const [a, b] = [x[i]!, y[i]!]
    const close =
      Object.is(a, b) || a === b || (!exact && Math.abs(a - b) <= absolute + relative * Math.abs(b))
    if (!close) return `element ${i}: got ${a}, wanted ${b}`
  }
  return undefined
}

/**
 * As {@link firstDifference}, for tensors whose types and shapes must be the same, sequences and empty optionals.
 * `tolerance` is asked for every tensor that is wanted.
 */
export function valueDifference(
  got: RuntimeValue | undefined,
  wanted: RuntimeValue,
  tolerance: (wanted: Tensor) => Tolerance,
): string | undefined {
  if (got === undefined) return 'there is none'
  if (wanted === null || got === null) return got === wanted ? undefined : 'one is an empty optional'
  if (isTensor(wanted) && isTensor(got)) {
    const [x, y] = [got, wanted].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`)
    return x === y ? firstDifference(got, wanted, tolerance(wanted)) : `got ${x}, wanted ${y}`
  }
  if (isTensor(wanted) || isTensor(got)) return 'one is a tensor, the other a sequence'
  if (got.length !== wanted.length) return `got ${got.length} values, wanted ${wanted.length}`
  for (const [index, value] of wanted.entries()) {
    const difference = valueDifference(got[index], value, tolerance)
    if (difference !== undefined) return `[${index}]: ${difference}`
  }
  return undefined
}

/** Whether two values have the same types, shapes and bits. */
export function sameValue(a: RuntimeValue | undefined, b: RuntimeValue | undefined): boolean {
  if (isTensor(a) && isTensor(b)) return sameTensor(a, b)
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b
  return a.length === b.length && a.every((value, index) => sameValue(value, b[index]))
}
