/** Operators of two and more inputs: integer arithmetic at its edges, comparisons, bits, choices. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DType } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, full } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import { firstDifference } from '../../tensor/testing.ts'
import type { Op } from '../op.ts'
import { evaluateNumbers, evaluateOp, inferOp, type PlainAttributes } from '../support/testing.ts'
import * as ops from './index.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

/** `op` on two lists of one data type. */
function of(
  op: Op,
  dtype: DType,
  a: readonly number[],
  b: readonly number[],
  plain?: PlainAttributes,
): number[] {
  return evaluateNumbers(op, [fromNumbers(dtype, [a.length], a), fromNumbers(dtype, [b.length], b)], plain)
}

/** `op` on two lists of bigints, exactly. */
function exactly(
  op: Op,
  dtype: 'int64' | 'uint64',
  a: bigint[],
  b: bigint[],
  plain?: PlainAttributes,
): bigint[] {
  const inputs = [fromBigInts(dtype, [a.length], a), fromBigInts(dtype, [b.length], b)]
  return Array.from(bigints(evaluateOp(op, inputs, plain)[0] as Tensor))
}

describe('integer arithmetic', () => {
  const widths = {
    int8: 8,
    uint8: 8,
    int16: 16,
    uint16: 16,
    int32: 32,
    uint32: 32,
    int64: 64,
    uint64: 64,
  } as const
  test.each(Object.entries(widths) as [keyof typeof widths, number][])('%s wraps exactly', (dtype, bits) => {
    const wrap = (value: bigint): bigint =>
      dtype.startsWith('u') ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value)
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 64n), 2n ** 64n), fc.bigInt(-(2n ** 64n), 2n ** 64n), (first, second) => {
        const [a, b] = [wrap(first), wrap(second)]
        const inputs = [fromBigInts(dtype, [], [a]), fromBigInts(dtype, [], [b])]
        const run = (op: Op, plain?: PlainAttributes): bigint =>
          bigints(evaluateOp(op, inputs, plain)[0] as Tensor)[0]!
        expect(run(ops.Add)).toBe(wrap(a + b))
        expect(run(ops.Sub)).toBe(wrap(a - b))
        expect(run(ops.Mul)).toBe(wrap(a * b))
        expect([run(ops.Min), run(ops.Max)]).toEqual(a < b ? [a, b] : [b, a])
        expect(run(ops.BitwiseAnd)).toBe(wrap(a & b))
        expect(run(ops.BitwiseOr)).toBe(wrap(a | b))
        expect(run(ops.BitwiseXor)).toBe(wrap(a ^ b))
        if (b === 0n) return
        expect(run(ops.Div)).toBe(wrap(a / b))
        expect(run(ops.Mod, { fmod: 1 })).toBe(a % b)
        expect(run(ops.Mod)).toBe(((a % b) + b) % b)
      }),
      { numRuns: 200 },
    )
  })
  test('the least integer divided by -1 wraps', () => {
    expect(of(ops.Div, 'int32', [-(2 ** 31)], [-1])).toEqual([-(2 ** 31)])
    expect(exactly(ops.Div, 'int64', [-(2n ** 63n)], [-1n])).toEqual([-(2n ** 63n)])
  })
  test.each([ops.Div, ops.Mod])('$name by zero is an error for integers', op => {
    for (const dtype of ['int8', 'uint32', 'int64'] as const)
      expect(() => of(op, dtype, [1], [0])).toThrow('integer division by zero')
  })
})

describe('floating-point arithmetic', () => {
  test('division by zero', () => expect(of(ops.Div, 'float32', [1, -1, 0], [0])).toEqual([inf, -inf, nan]))
  test('Mod follows fmod of C', () => {
    const a = [-4.3, 7.2, 5, inf, 1, 3, nan]
    const b = [2.1, -3.4, 8, 2, 0, inf, 1]
    const wanted = fromNumbers('float64', [7], [-0.1, 0.4, 5, nan, nan, 3, nan])
    const got = fromNumbers('float64', [7], of(ops.Mod, 'float64', a, b, { fmod: 1 }))
    expect(firstDifference(got, wanted, { relative: 1e-12, absolute: 0 })).toBeUndefined()
  })
  test('Mod without fmod is refused, and so is another value of it', () => {
    expect(() => of(ops.Mod, 'float32', [1], [1])).toThrow('fmod = 1')
    expect(() => of(ops.Mod, 'int32', [1], [1], { fmod: 2 })).toThrow('0 or 1')
  })
  test('Min and Max: NaN wins', () => {
    expect(of(ops.Max, 'float32', [nan, 1, -inf], [1, nan, -1])).toEqual([nan, nan, -1])
    expect(of(ops.Min, 'float16', [nan, 1, -inf], [1, nan, -1])).toEqual([nan, nan, -inf])
  })
  test('Sum and Mean of many are rounded once', () => {
    const [big, one] = [fromNumbers('float16', [1], [2048]), fromNumbers('float16', [2, 1], [1, 1])]
    expect(evaluateNumbers(ops.Sum, [big, one, one])).toEqual([2050, 2050])
    expect(evaluateNumbers(ops.Mean, [float32([1]), float32([2, 4]), float32([6])])).toEqual([
      3,
      Math.fround(11 / 3),
    ])
    expect(evaluateNumbers(ops.Mean, [float32([5])])).toEqual([5])
    expect(() => evaluateOp(ops.Sum, [])).toThrow(expect.objectContaining({ code: 'missing-input' }))
  })
})

describe('Pow', () => {
  test('follows pow of C for a float base', () => {
    expect(of(ops.Pow, 'float32', [1, -1, 2, -8, 0, nan], [nan, inf, -1, 1 / 3, -1, 0])).toEqual([
      ...[1, 1, 0.5, nan, inf, 1],
    ])
  })
  test('takes the type of the base', () => {
    expect(evaluateNumbers(ops.Pow, [float32([2, 3]), int64([3, -1])])).toEqual([8, Math.fround(1 / 3)])
    expect(evaluateOp(ops.Pow, [int64([2, 4, -3]), float32([0.5, -1, 3])])).toEqual([int64([1, 0, -27])])
    expect(inferOp(ops.Pow, [int64([2]), float32([1, 2])])).toEqual([
      { kind: 'tensor', dtype: 'int64', shape: [2] },
    ])
    expect(() => evaluateOp(ops.Pow, [float32([1]), int64([1])], {}, { opset: 11 })).toThrow(
      'differ in data type',
    )
  })
  test('integers to integer powers are exact and wrap', () => {
    expect(exactly(ops.Pow, 'int64', [3n, 7n, -2n], [39n, 23n, 63n])).toEqual([
      ...[3n ** 39n, BigInt.asIntN(64, 7n ** 23n), -(2n ** 63n)],
    ])
    expect(of(ops.Pow, 'int32', [3, 10, 5], [25, 9, 0])).toEqual([
      Number(BigInt.asIntN(32, 3n ** 25n)),
      1e9,
      1,
    ])
    expect(exactly(ops.Pow, 'int64', [3n], [2n ** 62n])).toHaveLength(1)
  })
  test('negative powers of integers are truncated reciprocals; of zero, an error', () => {
    expect(of(ops.Pow, 'int32', [2, 1, -1, -1], [-1, -5, -2, -3])).toEqual([0, 1, 1, -1])
    expect(() => of(ops.Pow, 'int32', [0], [-1])).toThrow('integer zero to a negative power')
  })
})

describe('comparisons and logic', () => {
  test('NaN compares with nothing', () => {
    const [a, b] = [
      [1, 2, 2, nan, nan],
      [2, 2, 1, 1, nan],
    ]
    expect(of(ops.Less, 'float32', a, b)).toEqual([1, 0, 0, 0, 0])
    expect(of(ops.LessOrEqual, 'float32', a, b)).toEqual([1, 1, 0, 0, 0])
    expect(of(ops.Greater, 'float32', a, b)).toEqual([0, 0, 1, 0, 0])
    expect(of(ops.GreaterOrEqual, 'float32', a, b)).toEqual([0, 1, 1, 0, 0])
    expect(of(ops.Equal, 'float32', a, b)).toEqual([0, 1, 0, 0, 0])
  })
  test('64-bit integers that float64 cannot tell apart', () => {
    const pair: [bigint[], bigint[]] = [[2n ** 63n + 1n], [2n ** 63n]]
    const holds = [ops.Greater, ops.GreaterOrEqual, ops.Equal, ops.LessOrEqual, ops.Less]
    expect(holds.map(op => exactly(op, 'uint64', ...pair)[0])).toEqual([1n, 1n, 0n, 0n, 0n])
  })
  test('Equal on strings and bools', () => {
    const [a, b] = [tensor('string', [2, 1], ['a', 'b']), tensor('string', [2], ['a', 'c'])]
    expect(evaluateOp(ops.Equal, [a, b])).toEqual([fromNumbers('bool', [2, 2], [1, 0, 0, 0])])
    expect(of(ops.Equal, 'bool', [0, 1], [1, 1])).toEqual([0, 1])
  })
  test('And, Or, Xor', () => {
    const table = [ops.And, ops.Or, ops.Xor].map(op => of(op, 'bool', [0, 0, 1, 1], [0, 1, 0, 1]))
    expect(table).toEqual([
      [0, 0, 0, 1],
      [0, 1, 1, 1],
      [0, 1, 1, 0],
    ])
  })
})

describe('BitShift', () => {
  const left = { direction: 'LEFT' }
  const right = { direction: 'RIGHT' }
  test.each([
    ['uint8', 255, 8],
    ['uint16', 65535, 16],
    ['uint32', 2 ** 32 - 1, 32],
  ] as const)('%s', (dtype, most, bits) => {
    const by = [0, 1, bits - 1, bits, bits + 1]
    expect(of(ops.BitShift, dtype, [most], by, left)).toEqual([most, most - 1, 2 ** (bits - 1), 0, 0])
    expect(of(ops.BitShift, dtype, [most], by, right)).toEqual([most, (most - 1) / 2, 1, 0, 0])
  })
  test('uint64', () => {
    const most = 2n ** 64n - 1n
    const by = [1n, 63n, 64n, most]
    expect(exactly(ops.BitShift, 'uint64', [most], by, left)).toEqual([most - 1n, 2n ** 63n, 0n, 0n])
    expect(exactly(ops.BitShift, 'uint64', [most], by, right)).toEqual([2n ** 63n - 1n, 1n, 0n, 0n])
  })
  test('needs a direction and unsigned integers', () => {
    expect(() => of(ops.BitShift, 'uint8', [1], [1], { direction: 'UP' })).toThrow('LEFT, RIGHT')
    expect(() => of(ops.BitShift, 'uint8', [1], [1])).toThrow('a required attribute is missing')
    expect(() => of(ops.BitShift, 'int32', [1], [1], left)).toThrow('only unsigned integers')
  })
})

describe('PRelu', () => {
  test('broadcasts the slope to the input, not the other way', () => {
    const x = float32([-1, 2, -3, 4, -5, -6], [1, 3, 2])
    expect(evaluateNumbers(ops.PRelu, [x, float32([1, 10, 100], [3, 1])])).toEqual([
      -1, 2, -30, 4, -500, -600,
    ])
    for (const run of [evaluateOp, inferOp]) {
      expect(() => run(ops.PRelu, [x, float32([1, 1], [2, 1, 1])])).toThrow('does not broadcast to the input')
      expect(() => run(ops.PRelu, [float32([1]), float32([1], [1, 1])])).toThrow(
        'does not broadcast to the input',
      )
    }
  })
  test('keeps an unknown shape and symbolic extents', () => {
    const x = { kind: 'tensor', dtype: 'float32', shape: ['n', 3] } as const
    expect(inferOp(ops.PRelu, [x, float32([1])])).toEqual([x])
    expect(inferOp(ops.PRelu, [x, { kind: 'tensor', dtype: 'float32' }])).toEqual([x])
  })
  test('integers wrap', () => {
    expect(of(ops.PRelu, 'int32', [-3, -(2 ** 31) + 1, 5], [2 ** 30, 2 ** 31 - 1, 7])).toEqual([
      ...[2 ** 30, -1, 5],
    ])
    expect(exactly(ops.PRelu, 'int64', [-3n, 5n], [2n ** 60n, 9n])).toEqual([-3n * 2n ** 60n, 5n])
    expect(of(ops.PRelu, 'uint32', [7], [3])).toEqual([7])
  })
})

describe('Where', () => {
  const condition = fromNumbers('bool', [2, 1], [1, 0])
  test('moves elements of any type unchanged', () => {
    const pick = (x: Tensor, y: Tensor): unknown => evaluateOp(ops.Where, [condition, x, y])[0]
    expect(pick(float32([1, nan]), float32([3], []))).toEqual(float32([1, nan, 3, 3], [2, 2]))
    expect(pick(int64([1, 2]), fromBigInts('int64', [], [2n ** 60n + 1n]))).toEqual(
      fromBigInts('int64', [2, 2], [1n, 2n, 2n ** 60n + 1n, 2n ** 60n + 1n]),
    )
    expect(pick(tensor('string', [1], ['yes']), tensor('string', [1], ['no']))).toEqual(
      tensor('string', [2, 1], ['yes', 'no']),
    )
    const complex = tensor('complex64', [2], Float32Array.of(1, 2, 3, 4))
    expect(pick(complex, tensor('complex64', [], Float32Array.of(8, 9)))).toEqual(
      tensor('complex64', [2, 2], Float32Array.of(1, 2, 3, 4, 8, 9, 8, 9)),
    )
  })
  test('infers the shape of all three, and refuses wrong types', () => {
    const x = { kind: 'tensor', dtype: 'float32', shape: [1, 'n'] } as const
    expect(inferOp(ops.Where, [condition, x, float32([1], [])])).toEqual([{ ...x, shape: [2, 'n'] }])
    expect(inferOp(ops.Where, [undefined, x, float32([1])])).toEqual([{ kind: 'tensor', dtype: 'float32' }])
    for (const run of [evaluateOp, inferOp]) {
      expect(() => run(ops.Where, [float32([1]), float32([1]), float32([1])])).toThrow(
        'the condition is not bool',
      )
      expect(() => run(ops.Where, [condition, float32([1]), int64([1])])).toThrow('differ in data type')
    }
    const packed = full('uint4', [1], 1)
    expect(() => evaluateOp(ops.Where, [condition, packed, packed])).toThrow('packed types')
  })
})
