/** Comparing tensors in tests. */
import { dtypeInfo, isBigInt } from './dtype.ts'
import { numbers } from './elements.ts'
import { formatShape } from './shape.ts'
import { isTensor, type RuntimeValue, sameTensor, type Tensor } from './tensor.ts'

export interface Tolerance {
  readonly relative: number
  readonly absolute: number
  /** How far integers of up to 32 bits may be apart; 0 when left out. */
  readonly steps?: number
}

/**
 * The first element of `got` that is not `wanted` within |got - wanted| <= absolute + relative * |wanted|, in words;
 * `undefined` when all agree. Integers must be equal, but for `steps`; bools and strings always. NaN equals NaN,
 * an infinity itself alone.
 */
export function firstDifference(
  got: Tensor,
  wanted: Tensor,
  { relative, absolute, steps = 0 }: Tolerance,
): string | undefined {
  const { kind } = dtypeInfo(wanted.dtype)
  if (wanted.dtype === 'string' || isBigInt(wanted.dtype)) {
    const [x, y] = [got.data as ArrayLike<unknown>, wanted.data as ArrayLike<unknown>]
    for (let i = 0; i < y.length; i++) if (x[i] !== y[i]) return `element ${i}: got ${x[i]}, wanted ${y[i]}`
    return undefined
  }
  const [x, y] = [numbers(got), numbers(wanted)]
  const isReal = kind === 'float' || kind === 'complex'
  for (let i = 0; i < y.length; i++) {
    const [a, b] = [x[i]!, y[i]!]
    const bound = isReal ? absolute + relative * Math.abs(b) : kind === 'bool' ? 0 : steps
    const close = Object.is(a, b) || a === b || (Number.isFinite(b) && Math.abs(a - b) <= bound)
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
