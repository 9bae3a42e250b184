import { describe, expect, test } from 'vitest'
import { fromNumbers } from '../tensor/elements.ts'
import { float32, int64, tensor } from '../tensor/tensor.ts'
import { countZeros, sparsityOf, storedBytes } from './sparsity.ts'

/** A matrix of outputs by inputs. */
const matrix = { rows: [0], columns: [1] }
const row = (...values: number[]) => sparsityOf(float32(values, [1, values.length]), matrix)

describe('patterns along the inputs', () => {
  test.each([
    [[1, 1, 1, 1], undefined],
    [[0, 1, 1, 1], undefined],
    [[0, 0, 1, 1], '2:4'],
    [[0, 0, 0, 1], '1:4'],
    [[1, 1, 1, 0, 1, 0, 0, 0], '4:8'],
    [[1, 1, 1, 0, 1, 1, 0, 0], undefined],
    [[1, 1, 0, 0, 1], '2:4'],
    [[0, 0, 1], undefined],
    [[1, 1, 1, 0, 0, 0, 0], undefined],
  ])('%j: %s', (values, pattern) => expect(row(...values).pattern).toBe(pattern))

  test('blocks of four zeros', () => {
    expect(row(0, 0, 0, 0, 0, 1, 1, 1)).toEqual({
      elements: 8,
      zeros: 5,
      fraction: 5 / 8,
      zeroBlocks4: 0.5,
      pattern: '4:8',
    })
    expect(row(0, 0, 0).zeroBlocks4).toBe(0)
  })

  test('of a convolution run along its input channels, not along the kernel', () => {
    const weight = float32(
      Array.from({ length: 2 * 4 * 9 }, (_, i) => (Math.floor(i / 9) % 4 < 2 ? 0 : 1)),
      [2, 4, 3, 3],
    )
    const use = { rows: [0], columns: [1, 2, 3] }
    expect(sparsityOf(weight, use)).toMatchObject({ fraction: 0.5, zeroBlocks4: 0, pattern: '2:4' })
    expect(sparsityOf(float32(new Array(18).fill(0), [2, 1, 3, 3]), use)).toMatchObject({
      fraction: 1,
      zeroBlocks4: 0,
    })
  })

  test('of a transposed matrix run down its rows', () => {
    const use = { rows: [1], columns: [0] }
    expect(sparsityOf(float32([0, 1, 0, 1, 1, 0, 1, 0], [4, 2]), use).pattern).toBe('2:4')
  })
})

test('zeros of every type', () => {
  expect(countZeros(float32([0, -0, 1, Number.NaN]))).toBe(2)
  expect(countZeros(fromNumbers('float16', [3], [0, -0, 1]))).toBe(2)
  expect(countZeros(fromNumbers('float8e4m3fn', [2], [0, 1]))).toBe(1)
  expect(countZeros(fromNumbers('int4', [3], [0, -1, 0]))).toBe(2)
  expect(countZeros(int64([0, 1]))).toBe(1)
  for (const dtype of ['float64', 'bfloat16', 'int8', 'uint8', 'int32', 'uint64', 'bool', 'uint2'] as const)
    expect([dtype, countZeros(fromNumbers(dtype, [3], [0, 1, 0]))]).toEqual([dtype, 2])
  expect(countZeros(tensor('string', [2], ['', '0']))).toBe(0)
  expect(sparsityOf(float32([], [0, 4]), matrix)).toEqual({
    elements: 0,
    zeros: 0,
    fraction: 0,
    zeroBlocks4: 0,
  })
})

test('bytes as stored', () => {
  expect(storedBytes(fromNumbers('int4', [3], [0, 1, 2]))).toBe(2)
  expect(storedBytes(tensor('string', [2], ['é', 'a']))).toBe(3)
})
