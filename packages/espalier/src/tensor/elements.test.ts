import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DType, dtypeInfo, dtypes } from './dtype.ts'
import { bigints, fromBigInts, fromNumbers, full, numbers, packBits, strings } from './elements.ts'
import { tensor, tensorFromBytes, zeros } from './tensor.ts'

const failure = (code: string) => expect.objectContaining({ name: 'EspalierError', code })
const integers = dtypes.filter(dtype => ['int', 'uint'].includes(dtypeInfo(dtype).kind))
const list = (dtype: DType, values: readonly number[]) => [
  ...numbers(fromNumbers(dtype, [values.length], values)),
]

function rangeOf(dtype: DType): [bigint, bigint] {
  const { bits, kind } = dtypeInfo(dtype)
  return kind === 'int'
    ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
    : [0n, 2n ** BigInt(bits) - 1n]
}

describe.each(integers)('%s', dtype => {
  const [low, high] = rangeOf(dtype)
  const bits = dtypeInfo(dtype).bits

  test('holds its range exactly', () => {
    const values = [low, low + 1n, 0n, 1n, high - 1n, high]
    expect([...bigints(fromBigInts(dtype, [6], values))]).toEqual(values)
  })

  test('wraps modulo 2^bits', () => {
    const wrap = low < 0n ? BigInt.asIntN : BigInt.asUintN
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n })), values => {
        const wrapped = values.map(value => wrap(bits, value))
        expect([...bigints(fromBigInts(dtype, [values.length], values))]).toEqual(wrapped)
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 })), values => {
        const wrapped = values.map(value => Number(wrap(bits, BigInt(value))))
        expect(list(dtype, values)).toEqual(wrapped)
      }),
    )
  })

  test('truncates fractions, and NaN is 0', () => {
    expect(list(dtype, [1.9, 0.5, -0.5, Number.NaN])).toEqual([1, 0, 0, 0])
    if (low < 0n) expect(list(dtype, [-1.9])).toEqual([-1])
  })

  test('is not padded by its neighbours: 5 elements', () => {
    const values = [1, 0, 1, 1, 0]
    expect(list(dtype, values)).toEqual(values)
  })
})

test('64-bit integers keep every bit both ways', () => {
  const values = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -1n]
  expect([...bigints(fromBigInts('int64', [4], values))]).toEqual(values)
  expect([...bigints(fromBigInts('uint64', [1], [2n ** 64n - 1n]))]).toEqual([2n ** 64n - 1n])
  expect(list('int64', [Number.POSITIVE_INFINITY])).toEqual([2 ** 63])
})

describe('packing', () => {
  test('puts the first element in the low bits', () => {
    expect([...packBits([1, 2, 3], 4)]).toEqual([0x21, 0x03])
    expect([...packBits([1, 2, 3, 0, 1], 2)]).toEqual([0b00111001, 0b01])
    expect([...fromNumbers('int4', [3], [-8, 7, -1]).data]).toEqual([0x78, 0x0f])
    expect([...fromNumbers('float4e2m1', [3], [0.5, -6, 1]).data]).toEqual([0xf1, 0x02])
  })

  test.each([
    ['int4', 0x8f, [-1, -8]],
    ['uint4', 0x8f, [15, 8]],
    ['int2', 0b11100100, [0, 1, -2, -1]],
    ['uint2', 0b11100100, [0, 1, 2, 3]],
    ['float4e2m1', 0x9f, [-6, -0.5]],
  ] as const)('%s: byte %i reads as %j', (dtype, byte, values) => {
    const bytes = Uint8Array.of(byte, byte)
    expect([...numbers(tensorFromBytes(dtype, [2, values.length], bytes))]).toEqual([...values, ...values])
  })
})

test.each(['float64', 'float32', 'float16', 'bfloat16', 'float8e5m2'] as const)(
  '%s: floats round once',
  dtype => {
    expect(list(dtype, [1.25, -0, Number.POSITIVE_INFINITY, Number.NaN])).toEqual([
      1.25,
      -0,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ])
    // A value just above the middle of two neighbours in the narrow type, which rounding in two steps would lose.
    if (dtype === 'float16') expect(list(dtype, [1 + 2 ** -11 + 2 ** -40])).toEqual([1 + 2 ** -10])
  },
)

test('bool is "not zero"', () => {
  expect([...fromNumbers('bool', [6], [0, -0, 0.1, 2, Number.NaN, 256]).data]).toEqual([0, 0, 1, 1, 1, 1])
  expect([...fromBigInts('bool', [3], [0n, 2n ** 64n, -1n]).data]).toEqual([0, 1, 1])
  expect([...bigints(fromNumbers('bool', [2], [3, 0]))]).toEqual([1n, 0n])
})

test('complex numbers are pairs', () => {
  for (const dtype of ['complex64', 'complex128'] as const) {
    expect([...numbers(fromNumbers(dtype, [2], [1, 2, 3, 4]))]).toEqual([1, 2, 3, 4])
    expect([...numbers(full(dtype, [2], 5))]).toEqual([5, 0, 5, 0])
    expect(() => fromNumbers(dtype, [2], [1, 2])).toThrow(failure('bad-shape'))
  }
})

test('bigints of floats truncate, and are defined for what is not finite', () => {
  const values = [1.9, -1.9, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const source = fromNumbers('float32', [5], values)
  expect([...bigints(source)]).toEqual([1n, -1n, 0n, 2n ** 63n - 1n, -(2n ** 63n)])
})

test('bigints become floats with one rounding', () => {
  // The middle of two float32 neighbours, and one more: float64 cannot tell them apart.
  const middle = 2n ** 60n + 2n ** 36n
  const floats = fromBigInts('float32', [4], [middle, middle + 1n, -middle, -middle - 1n])
  expect([...floats.data]).toEqual([2 ** 60, 2 ** 60 + 2 ** 37, -(2 ** 60), -(2 ** 60) - 2 ** 37])
  expect([...fromBigInts('float64', [1], [2n ** 53n + 1n]).data]).toEqual([2 ** 53])
  expect([...numbers(fromBigInts('bfloat16', [2], [2n ** 64n - 1n, 3n]))]).toEqual([2 ** 64, 3])
})

describe('wrong calls', () => {
  test('numbers and strings are not mixed', () => {
    expect(() => numbers(tensor('string', [1], ['1']))).toThrow(failure('bad-dtype'))
    expect(() => bigints(tensor('string', [1], ['1']))).toThrow(failure('bad-dtype'))
    expect(() => fromNumbers('string', [1], [1])).toThrow(failure('bad-dtype'))
    expect(() => strings(zeros('int8', [1]))).toThrow(failure('bad-dtype'))
    expect(strings(tensor('string', [1], ['1']))).toEqual(['1'])
  })

  test.each(dtypes.filter(dtype => dtype !== 'string'))('%s: a wrong number of values', dtype => {
    for (const count of [3, 5]) {
      expect(() => fromNumbers(dtype, [4], new Array(count).fill(0))).toThrow(failure('bad-shape'))
      expect(() => fromBigInts(dtype, [4], new Array(count).fill(0n))).toThrow(failure('bad-shape'))
    }
  })

  test('full refuses what cannot be allocated', () => {
    expect(() => full('uint8', [2 ** 50], 1)).toThrow(failure('too-large'))
  })
})

test.each(dtypes.filter(dtype => dtype !== 'string'))('%s: full repeats a value', dtype => {
  expect([...numbers(full(dtype, [2, 3], 1))].filter(value => value === 1)).toHaveLength(6)
  expect(numbers(full(dtype, [0], 1))).toHaveLength(0)
})
