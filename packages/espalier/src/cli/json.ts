/** Results as plain JSON: maps become objects, bigints numbers or text, typed arrays lists, NaN and infinities text. */

export function toJSON(value: unknown): unknown {
  if (value instanceof Map) return toJSON(Object.fromEntries(value))
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : `${value}`
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : `${value}`
  if (Array.isArray(value)) return value.map(toJSON)
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, toJSON)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJSON(item)]))
  return value
}
