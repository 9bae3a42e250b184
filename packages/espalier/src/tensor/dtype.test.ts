import { describe, expect, test } from 'vitest'
import { EspalierError } from '../errors.ts'
import {
  byteLength,
  dtypeInfo,
  dtypes,
  isBigInt,
  isDType,
  isFloat,
  isInteger,
  parseDType,
  storageLength,
} from './dtype.ts'

test("there are ONNX's 26 data types", () => {
  expect(dtypes).toHaveLength(26)
  expect(new Set(dtypes).size).toBe(26)
})

test.each(dtypes.filter(dtype => dtype !== 'string'))('%s: array, stride and bits agree', dtype => {
  const { array, bits, stride } = dtypeInfo(dtype)
  expect(stride * array.BYTES_PER_ELEMENT * 8).toBe(bits)
  for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 9])
    expect(storageLength(dtype, count) * array.BYTES_PER_ELEMENT).toBe(byteLength(dtype, count))
})

test.each([
  ['float64', 3, 24],
  ['bfloat16', 3, 6],
  ['int4', 3, 2],
  ['float4e2m1', 4, 2],
  ['uint2', 5, 2],
  ['int2', 4, 1],
  ['bool', 3, 3],
  ['complex64', 3, 24],
  ['complex128', 3, 48],
  ['string', 3, 0],
] as const)('%s: %i elements take %i bytes', (dtype, count, bytes) => {
  expect(byteLength(dtype, count)).toBe(bytes)
})

test('a type has one kind', () => {
  for (const dtype of dtypes) {
    const { kind } = dtypeInfo(dtype)
    expect(isFloat(dtype)).toBe(kind === 'float')
    expect(isInteger(dtype)).toBe(kind === 'int' || kind === 'uint')
    expect(isBigInt(dtype)).toBe(dtype.endsWith('int64'))
  }
  expect(isInteger('bool')).toBe(false)
  expect(isFloat('complex64')).toBe(false)
})

describe('names', () => {
  test('are parsed', () => {
    for (const dtype of dtypes) expect(parseDType(dtype)).toBe(dtype)
  })

  test.each(['', 'float', 'FLOAT32', 'toString', '__proto__'])('"%s" is none', name => {
    expect(isDType(name)).toBe(false)
    expect(() => parseDType(name)).toThrow(EspalierError)
    expect(() => parseDType(name)).toThrow(expect.objectContaining({ code: 'bad-dtype' }))
  })
})
