import { expect, test } from 'vitest'
import { fromBigInts, fromNumbers } from '../tensor/elements.ts'
import { float32, tensor } from '../tensor/tensor.ts'
import { toJSON, valueForJSON } from './json.ts'

test('what JSON does not have becomes what it has', () => {
  const value = {
    map: new Map<string, unknown>([
      ['a', 1n],
      ['__proto__', 2],
    ]),
    big: 2n ** 60n,
    numbers: Float64Array.of(1.5, Number.NaN, Number.NEGATIVE_INFINITY),
    bytes: new Uint8Array(3),
    nothing: null,
    left: undefined,
  }
  expect(JSON.stringify(toJSON(value))).toBe(
    '{"map":{"a":1,"__proto__":2},"big":"1152921504606846976","numbers":[1.5,"NaN","-Infinity"],"bytes":"3 bytes","nothing":null}',
  )
})

test('values carry figures and at most so many elements', () => {
  expect(valueForJSON(float32([1, 2, 3, Number.NaN], [2, 2]), 3)).toEqual({
    dtype: 'float32',
    shape: [2, 2],
    min: 1,
    max: 3,
    mean: 2,
    std: Math.sqrt(2 / 3),
    nans: 1,
    infinities: 0,
    truncated: true,
    data: [1, 2, 3],
  })
  expect(valueForJSON(tensor('string', [1], ['a']))).toEqual({
    dtype: 'string',
    shape: [1],
    truncated: false,
    data: ['a'],
  })
  const big = 2n ** 53n + 1n
  expect(toJSON(valueForJSON(fromBigInts('int64', [1], [big])))).toMatchObject({ data: ['9007199254740993'] })
  expect(valueForJSON(fromNumbers('complex64', [2], [1, 2, 3, 4]), 1)).toMatchObject({
    truncated: true,
    data: [1, 2],
  })
  expect(valueForJSON(float32([]))).toEqual({ dtype: 'float32', shape: [0], truncated: false, data: [] })
  expect(valueForJSON([null, float32([7])])).toMatchObject([null, { data: [7] }])
})
