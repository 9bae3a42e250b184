/**
 * Results as plain JSON: maps become objects, bigints numbers or text, typed arrays lists, NaN and infinities text.
 * Bytes are written as their number: what no field here gives a meaning is not for a reader of JSON.
 */
import { summarize } from '../analysis/summary.ts'
import { dtypeInfo, isBigInt } from '../tensor/dtype.ts'
import { bigints, numbers } from '../tensor/elements.ts'
import { isTensor, type RuntimeValue } from '../tensor/tensor.ts'

export function toJSON(value: unknown): unknown {
  if (value instanceof Map) return toJSON(Object.fromEntries(value))
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : `${value}`
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : `${value}`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return value.map(toJSON)
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, toJSON)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJSON(item)]))
  return value
}

/** Most elements of a tensor that are written as JSON: what is larger is for a file. */
export const MOST_JSON_ELEMENTS = 1000

/**
 * A value for {@link toJSON}: type, shape, figures, and the elements in row-major order. Of more than `most` elements
 * only the first are there, and `truncated` is true; complex elements are two numbers.
 */
export function valueForJSON(value: RuntimeValue, most: number = MOST_JSON_ELEMENTS): unknown {
  if (!isTensor(value)) return value?.map(item => valueForJSON(item, most)) ?? null
  const { dtype, shape } = value
  const elements = dtype === 'string' ? value.data : isBigInt(dtype) ? bigints(value) : numbers(value)
  const limit = dtypeInfo(dtype).kind === 'complex' ? 2 * most : most
  const { count: _, ...figures } = summarize(value) ?? {}
  return {
    dtype,
    shape,
    ...(elements.length > 0 && figures),
    truncated: elements.length > limit,
    data: Array.from(elements.slice(0, limit) as ArrayLike<unknown>),
  }
}
