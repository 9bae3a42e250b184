/** Conversions between data types: every pair, and the rules where a type cannot hold the value. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { numberOfDtype } from '../../formats/onnx/tensor-proto.ts'
import { type DType, dtypeInfo, dtypes } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, full, numbers, strings } from '../../tensor/elements.ts'
import { float32, sameTensor, type Tensor, tensor } from '../../tensor/tensor.ts'
import { evaluateOp, inferOp, type PlainAttributes } from '../support/testing.ts'
import { BitCast } from './bit-cast.ts'
import { Cast } from './cast.ts'
import { CastLike } from './cast-like.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const castable = dtypes.filter(dtype => dtypeInfo(dtype).kind !== 'complex')

function cast(x: Tensor, to: DType, plain: PlainAttributes = {}): Tensor {
  return evaluateOp(Cast, [x], { to: numberOfDtype(to), ...plain })[0] as Tensor
}

function castList(from: DType, values: readonly number[], to: DType, plain?: PlainAttributes): number[] {
  return Array.from(numbers(cast(fromNumbers(from, [values.length], values), to, plain)))
}

function castText(texts: readonly string[], to: DType): Tensor {
  return cast(tensor('string', [texts.length], texts), to)
}

describe('every pair of types', () => {
  test.each(castable)('from %s', from => {
    const one = from === 'string' ? tensor('string', [2, 1], ['1', '1']) : (full(from, [2, 1], 1) as Tensor)
    for (const to of castable) {
      const result = cast(one, to)
      expect(result.dtype).toBe(to)
      expect(inferOp(Cast, [one], { to: numberOfDtype(to) })).toEqual([
        { kind: 'tensor', dtype: to, shape: [2, 1] },
      ])
      if (to === 'string') expect(cast(result, from)).toEqual(one)
      else expect(Array.from(numbers(result)), to).toEqual([1, 1])
      const target = to === 'string' ? tensor('string', [], ['']) : (full(to, [], 0) as Tensor)
      expect(sameTensor(evaluateOp(CastLike, [one, target])[0] as Tensor, result)).toBe(true)
      expect(inferOp(CastLike, [one, target])).toEqual(inferOp(Cast, [one], { to: numberOfDtype(to) }))
    }
  })
  test('complex numbers and unknown numbers of types are refused', () => {
    expect(() => cast(full('complex64', [1], 1) as Tensor, 'float32')).toThrow(
      'complex numbers cannot be cast',
    )
    expect(() => cast(float32([1]), 'complex128')).toThrow(expect.objectContaining({ code: 'bad-dtype' }))
    expect(() => evaluateOp(Cast, [float32([1])], { to: 99 })).toThrow(
      expect.objectContaining({ code: 'bad-argument' }),
    )
  })
})

describe('numbers', () => {
  test('floats lose their fraction on the way to integers', () => {
    for (const to of ['int8', 'int32', 'int64', 'int4'] as const)
      expect(castList('float32', [1.9, -1.9, 0.5, -0.5], to)).toEqual([1, -1, 0, 0])
    expect(castList('float16', [3.7, 0], 'uint4')).toEqual([3, 0])
  })
  test('everything but zero is true, NaN too', () => {
    expect(castList('float32', [0, -0, 1e-40, nan, -inf], 'bool')).toEqual([0, 0, 1, 1, 1])
    expect(Array.from(numbers(cast(fromBigInts('int64', [2], [2n ** 40n, 0n]), 'bool')))).toEqual([1, 0])
  })
  test('integers wrap', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), value => {
        const x = fromBigInts('int64', [], [value])
        for (const to of ['int32', 'int16', 'int8', 'int4', 'int2'] as const)
          expect(bigints(cast(x, to))[0]).toBe(BigInt.asIntN(dtypeInfo(to).bits, value))
        for (const to of ['uint64', 'uint32', 'uint16', 'uint8', 'uint4', 'uint2'] as const)
          expect(bigints(cast(x, to))[0]).toBe(BigInt.asUintN(dtypeInfo(to).bits, value))
      }),
    )
    expect(castList('int16', [200, -129], 'int8')).toEqual([-56, 127])
    expect(castList('uint8', [3, 5, 255], 'int2')).toEqual([-1, 1, -1])
  })
  test('64-bit integers are rounded once', () => {
    // 2^53 + 2^29 + 1 is above the tie of two float32 numbers; by way of float64 it would fall on the tie.
    expect(castBig([2n ** 53n + 2n ** 29n + 1n], 'float32')).toEqual([2 ** 53 + 2 ** 30])
    expect(castBig([-(2n ** 62n) - 2n ** 38n - 1n], 'float32')).toEqual([-(2 ** 62) - 2 ** 39])
    expect(castBig([2n ** 62n + 2n ** 38n], 'float32')).toEqual([2 ** 62])
    expect(castBig([2n ** 53n + 1n, 2n ** 53n + 3n], 'float64')).toEqual([2 ** 53, 2 ** 53 + 4])
    expect(castBig([65519n, 65520n, -(2n ** 63n)], 'float16')).toEqual([65504, inf, -inf])
    expect(castBig([2n ** 63n - 1n], 'float8e4m3fn')).toEqual([448])
  })
  test('floats beyond a float type become infinite', () => {
    expect(castList('float64', [1e39, -1e39, 1e-50, nan], 'float32')).toEqual([inf, -inf, 0, nan])
    expect(castList('float32', [65520, 65519, 2 ** -25], 'float16')).toEqual([inf, 65504, 0])
  })
})

function castBig(values: readonly bigint[], to: DType): number[] {
  return Array.from(numbers(cast(fromBigInts('int64', [values.length], values), to)))
}

describe('8- and 4-bit floats', () => {
  const x = [0, 1.0625, 1.1875, 1000, -1000, inf, -inf, nan, 1e6, -1e6]
  test.each([
    ['float8e4m3fn', 448],
    ['float8e4m3fnuz', 240],
    ['float8e5m2', 57344],
    ['float8e5m2fnuz', 57344],
  ] as const)('%s saturates, or not', (to, most) => {
    const coarse = to.startsWith('float8e5')
    const near = [0, 1, 1.25]
    const thousand = coarse ? 1024 : most
    expect(castList('float32', x, to)).toEqual([...near, thousand, -thousand, most, -most, nan, most, -most])
    const beyond = to === 'float8e5m2' ? inf : nan
    const open = coarse ? 1024 : nan
    expect(castList('float32', x, to, { saturate: 0 })).toEqual([
      ...[...near, open, -open, beyond, -beyond, nan, beyond, -beyond],
    ])
  })
  test('minus zero stays where there is one', () => {
    const patterns = (['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'] as const).map(
      to => (cast(float32([-0]), to).data as Uint8Array)[0],
    )
    expect(patterns).toEqual([0x80, 0, 0x80, 0])
  })
  test('float4e2m1 always saturates', () => {
    const values = [0.25, 0.75, 1.25, 2.5, 5, 7, inf, -inf, -0.2]
    expect(castList('float32', values, 'float4e2m1')).toEqual([0, 1, 1, 2, 4, 6, 6, -6, -0])
  })
  test('float8e8m0 rounds as it is told', () => {
    const values = [1, 1.25, 1.5, 1.75, 2, 0.124]
    const to = (mode: string): number[] => castList('float32', values, 'float8e8m0', { round_mode: mode })
    expect(to('up')).toEqual([1, 2, 2, 2, 2, 0.125])
    expect(to('down')).toEqual([1, 1, 1, 1, 2, 0.0625])
    expect(to('nearest')).toEqual([1, 1, 2, 2, 2, 0.125])
    expect(castList('float32', values, 'float8e8m0')).toEqual(to('up'))
    expect(() => to('even')).toThrow('up, down, nearest')
  })
  test('float8e8m0 has neither zero nor infinity nor sign', () => {
    const [least, greatest] = [2 ** -127, 2 ** 127]
    const values = [0, inf, nan, -1, 1.5 * greatest, least / 2, least, greatest]
    expect(castList('float64', values, 'float8e8m0')).toEqual([
      ...[least, greatest, nan, nan, greatest, least, least, greatest],
    ])
    for (const round_mode of ['up', 'down', 'nearest'])
      expect(castList('float64', values, 'float8e8m0', { saturate: 0, round_mode })).toEqual([
        ...[nan, nan, nan, nan, nan, nan, least, greatest],
      ])
  })
})

describe('strings', () => {
  test('numbers are written with as few digits as give them back', () => {
    const texts = (dtype: DType, values: readonly number[]): readonly string[] =>
      strings(cast(fromNumbers(dtype, [values.length], values), 'string'))
    expect(texts('float32', [0.1, 1, -2.5, 1e-5, 1e16, nan, inf, -inf, -0])).toEqual([
      ...['0.1', '1.0', '-2.5', '1e-05', '1e+16', 'nan', 'inf', '-inf', '-0.0'],
    ])
    expect(texts('float64', [0.1, 1 / 3, 314.15926, 1.5e300])).toEqual([
      ...['0.1', '0.3333333333333333', '314.15926', '1.5e+300'],
    ])
    expect(texts('float16', [0.1, 65504])).toEqual(['0.1', '65500.0'])
    expect(texts('bool', [0, 1])).toEqual(['False', 'True'])
    expect(texts('int4', [-8, 7])).toEqual(['-8', '7'])
    expect(strings(cast(fromBigInts('uint64', [1], [2n ** 64n - 1n]), 'string'))).toEqual([
      '18446744073709551615',
    ])
  })
  test('text is read as numbers, infinities and NaN in any case', () => {
    const texts = ['3.14', '1e-5', '1E8', '+INF', 'inf', '-Inf', 'NaN', ' 7 ', '.5', '5.']
    expect(numbers(castText(texts, 'float64'))).toEqual(
      Float64Array.of(3.14, 1e-5, 1e8, inf, inf, -inf, nan, 7, 0.5, 5),
    )
    expect(numbers(castText(['100.5', '-3', '+4', '1e3'], 'int32'))).toEqual(
      Float64Array.of(100, -3, 4, 1000),
    )
    expect(bigints(castText(['9223372036854775807'], 'int64'))[0]).toBe(2n ** 63n - 1n)
    expect(numbers(castText(['True', 'false', '0.0', '2'], 'bool'))).toEqual(Float64Array.of(1, 0, 0, 1))
    expect(numbers(castText(['1e9', '-1e9'], 'float8e4m3fn'))).toEqual(Float64Array.of(448, -448))
  })
  test.each(['Hello World!', '', '0x10', '1_000', '1e', '--1'])('"%s" is refused', text => {
    for (const to of ['float32', 'int64', 'bool'] as const)
      expect(() => castText([text], to)).toThrow('does not stand for a number')
  })
  test('integers beyond all types are read without delay', () => {
    expect(castText(['9'.repeat(300)], 'int8').data).toHaveLength(1)
    expect(() => castText(['inf'], 'int64')).toThrow('a finite number')
  })
})

describe('BitCast', () => {
  const bitCast = (x: Tensor, to: DType): Tensor =>
    evaluateOp(BitCast, [x], { to: numberOfDtype(to) })[0] as Tensor
  test('reads the same bits, and back', () => {
    expect(numbers(bitCast(float32([1, -2]), 'int32'))).toEqual(Float64Array.of(0x3f800000, -(2 ** 30)))
    expect(numbers(bitCast(fromNumbers('uint16', [2, 1], [0x3f80, 0xc000]), 'bfloat16'))).toEqual(
      Float64Array.of(1, -2),
    )
    expect(numbers(bitCast(fromNumbers('uint4', [3], [0, 8, 15]), 'int4'))).toEqual(
      Float64Array.of(0, -8, -1),
    )
    const x = tensor('complex64', [1], Float32Array.of(1, 2))
    expect(sameTensor(bitCast(bitCast(x, 'int64'), 'complex64'), x)).toBe(true)
    expect(inferOp(BitCast, [x], { to: numberOfDtype('int64') })).toEqual([
      { kind: 'tensor', dtype: 'int64', shape: [1] },
    ])
  })
  test('refuses other widths, strings, and bytes that are no bool', () => {
    for (const to of ['float64', 'string'] as const) {
      expect(() => bitCast(float32([1]), to)).toThrow(expect.objectContaining({ code: 'bad-dtype' }))
      expect(() => inferOp(BitCast, [float32([1])], { to: numberOfDtype(to) })).toThrow('of the same width')
    }
    expect(numbers(bitCast(fromNumbers('uint8', [2], [0, 1]), 'bool'))).toEqual(Float64Array.of(0, 1))
    expect(() => bitCast(fromNumbers('uint8', [1], [2]), 'bool')).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    )
  })
})
