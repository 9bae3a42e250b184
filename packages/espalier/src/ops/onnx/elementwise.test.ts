/** The element-wise operators: what they promise together, then each one's values, edges and data types. */
import { describe, expect, test } from 'vitest'
import { type DType, dtypeInfo, isDType } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, full, numbers } from '../../tensor/elements.ts'
import { float32, int64, isTensor, type Tensor, tensor } from '../../tensor/tensor.ts'
import { firstDifference } from '../../tensor/testing.ts'
import type { Op } from '../op.ts'
import { parseParameter } from '../schema.ts'
import { evaluateNumbers, evaluateOp, inferOp, type PlainAttributes } from '../support/testing.ts'
import * as all from './index.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const unaryNames = [
  ...[
    'Abs',
    'Acos',
    'Acosh',
    'Asin',
    'Asinh',
    'Atan',
    'Atanh',
    'BitwiseNot',
    'Ceil',
    'Celu',
    'Clip',
    'Cos',
    'Cosh',
  ],
  ...[
    'Elu',
    'Erf',
    'Exp',
    'Floor',
    'Gelu',
    'HardSigmoid',
    'HardSwish',
    'Identity',
    'IsInf',
    'IsNaN',
    'LeakyRelu',
  ],
  ...[
    'Log',
    'Mish',
    'Neg',
    'Not',
    'Reciprocal',
    'Relu',
    'Round',
    'Selu',
    'Shrink',
    'Sigmoid',
    'Sign',
    'Sin',
    'Sinh',
  ],
  ...['Softplus', 'Softsign', 'Sqrt', 'Swish', 'Tan', 'Tanh', 'ThresholdedRelu'],
]
const binaryNames = [
  ...[
    'Add',
    'And',
    'BitShift',
    'BitwiseAnd',
    'BitwiseOr',
    'BitwiseXor',
    'Div',
    'Equal',
    'Greater',
    'GreaterOrEqual',
  ],
  ...['Less', 'LessOrEqual', 'Max', 'Mean', 'Min', 'Mod', 'Mul', 'Or', 'Pow', 'Sub', 'Sum', 'Xor'],
]
const attributes: Readonly<Record<string, (dtype: DType) => PlainAttributes>> = {
  BitShift: () => ({ direction: 'LEFT' }),
  Mod: dtype => ({ fmod: dtypeInfo(dtype).kind === 'float' ? 1 : 0 }),
}

function opNamed(name: string): Op {
  return (all as unknown as Record<string, Op>)[name]!
}

/** Data types of the first input in the newest schema, containers left out. */
function dtypesOf(op: Op): DType[] {
  const schema = op.versions[Math.max(...Object.keys(op.versions).map(Number))]!
  const list = schema.types![parseParameter(schema.inputs[0]!).type]!
  return list.filter(isDType)
}

function ones(dtype: DType, shape: readonly number[]): Tensor {
  if (dtype !== 'string') return full(dtype, shape, 1) as Tensor
  return tensor('string', shape, new Array<string>(shape.reduce((a, b) => a * b, 1)).fill('1'))
}

function typesAgree(
  op: Op,
  inputs: readonly Tensor[],
  plain: PlainAttributes,
  shape: readonly number[],
): void {
  const [type] = inferOp(
    op,
    inputs.map(({ dtype, shape }) => ({ kind: 'tensor', dtype, shape })),
    plain,
  )
  const [value] = evaluateOp(op, inputs, plain)
  if (!isTensor(value) || type?.kind !== 'tensor') throw new Error('not a tensor')
  expect({ dtype: type.dtype, shape: type.shape }).toEqual({ dtype: value.dtype, shape: value.shape })
  expect(value.shape).toEqual(shape)
}

describe('every operator, for every data type of its newest schema', () => {
  test.each(unaryNames)('%s: inference agrees with evaluation, of nothing and of scalars too', name => {
    const op = opNamed(name)
    for (const dtype of dtypesOf(op))
      for (const shape of [[2, 3], [], [0, 3]])
        typesAgree(op, [ones(dtype, shape)], attributes[name]?.(dtype) ?? {}, shape)
  })
  test.each(binaryNames)('%s: broadcasts both ways, and inference agrees', name => {
    const op = opNamed(name)
    for (const dtype of dtypesOf(op)) {
      const plain = attributes[name]?.(dtype) ?? {}
      typesAgree(op, [ones(dtype, [4, 1, 3]), ones(dtype, [2, 1])], plain, [4, 2, 3])
      typesAgree(op, [ones(dtype, []), ones(dtype, [2])], plain, [2])
      typesAgree(op, [ones(dtype, [0, 3]), ones(dtype, [1])], plain, [0, 3])
    }
    const dtype = dtypesOf(op)[0]!
    expect(() => evaluateOp(op, [ones(dtype, [2]), ones(dtype, [3])], attributes[name]?.(dtype))).toThrow(
      'do not broadcast',
    )
  })
  test.each(binaryNames.filter(name => name !== 'Pow'))('%s: refuses inputs of two data types', name => {
    const op = opNamed(name)
    const dtype = dtypesOf(op)[0]!
    const inputs = [ones(dtype, [1]), ones(dtype === 'bool' ? 'int64' : 'bool', [1])]
    const plain = attributes[name]?.(dtype) ?? {}
    expect(() => evaluateOp(op, inputs, plain)).toThrow(expect.objectContaining({ code: 'bad-dtype' }))
    expect(() => inferOp(op, inputs, plain)).toThrow(expect.objectContaining({ code: 'bad-dtype' }))
  })
})

type Case = [name: string, x: readonly number[], y: readonly number[], plain?: PlainAttributes]

describe('values', () => {
  const e = Math.E
  const tanhGelu = (x: number): number =>
    (x / 2) * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
  const cases: readonly Case[] = [
    ['Abs', [-2, 3, -inf, nan], [2, 3, inf, nan]],
    ['Acos', [1, 0, -1, 2], [0, Math.PI / 2, Math.PI, nan]],
    ['Acosh', [1, 0.5, Math.cosh(2)], [0, nan, 2]],
    ['Asin', [1, 0, 2], [Math.PI / 2, 0, nan]],
    ['Asinh', [0, Math.sinh(-2)], [0, -2]],
    ['Atan', [1, inf], [Math.PI / 4, Math.PI / 2]],
    ['Atanh', [0, 1, 2], [0, inf, nan]],
    ['Ceil', [1.2, -1.2, inf], [2, -1, inf]],
    ['Celu', [1, -2, -inf], [1, 2 * (Math.exp(-1) - 1), -2], { alpha: 2 }],
    ['Celu', [-1, 1], [-2 * (Math.exp(1 / 2) - 1), 1], { alpha: -2 }],
    ['Cos', [0, Math.PI], [1, -1]],
    ['Cosh', [0, 1], [1, (e + 1 / e) / 2]],
    ['Elu', [1, -1, nan], [1, 1 / e - 1, nan]],
    ['Elu', [-1, 1], [-2 * (1 / e - 1), 1], { alpha: -2 }],
    ['Erf', [0, 1, -1, inf, nan], [0, 0.8427007929497149, -0.8427007929497149, 1, nan]],
    ['Exp', [0, 1, -inf, inf], [1, e, 0, inf]],
    ['Floor', [1.8, -1.2], [1, -2]],
    ['Gelu', [0, 1, -1, 40], [0, 0.8413447460685429, -0.15865525393145707, 40]],
    ['Gelu', [1, -3], [tanhGelu(1), tanhGelu(-3)], { approximate: 'tanh' }],
    ['HardSigmoid', [0, 10, -10, 1, nan], [0.5, 1, 0, 0.7, nan]],
    ['HardSigmoid', [0.2, 0], [0.7, 0.6], { alpha: 0.5, beta: 0.6 }],
    ['HardSwish', [-4, 4, 1, nan], [0, 4, 2 / 3, nan]],
    ['LeakyRelu', [-1, 2], [-0.01, 2]],
    ['LeakyRelu', [-1, 2, nan], [-0.5, 2, nan], { alpha: 0.5 }],
    ['Log', [1, e, 0, -1], [0, 1, -inf, nan]],
    ['Mish', [0, 1, 100, -100], [0, Math.tanh(Math.log(1 + e)), 100, -100 * Math.exp(-100)]],
    ['Neg', [1, -2, inf], [-1, 2, -inf]],
    ['Reciprocal', [2, -4, 0], [0.5, -0.25, inf]],
    ['Relu', [-1, 2, nan, -inf], [0, 2, nan, 0]],
    ['Round', [0.5, 1.5, 2.5, -0.5, -1.5, 0.9, 2.3, inf, nan], [0, 2, 2, -0, -2, 1, 2, inf, nan]],
    ['Selu', [1, -1, 0], [1.0507010221481323, 1.0507010221481323 * 1.6732631921768188 * (1 / e - 1), 0]],
    ['Selu', [1, -1], [3, 6 * (1 / e - 1)], { alpha: 2, gamma: 3 }],
    ['Shrink', [-2, -0.5, 0.25, 0.5, 2, nan], [-2, 0, 0, 0, 2, 0]],
    ['Shrink', [-2, -1, 0, 2, 1.25], [-0.5, 0, 0, 0.5, -0.25], { lambd: 1, bias: 1.5 }],
    ['Sigmoid', [0, 1000, -1000, 1], [0.5, 1, 0, e / (1 + e)]],
    ['Sign', [-5, 0, 7, nan], [-1, 0, 1, nan]],
    ['Sin', [0, Math.PI / 2], [0, 1]],
    ['Sinh', [0, 1], [0, (e - 1 / e) / 2]],
    ['Softplus', [0, 1000, -1000, -40], [Math.LN2, 1000, 0, Math.exp(-40)]],
    ['Softsign', [0, 1, -3], [0, 0.5, -0.75]],
    ['Sqrt', [4, 2, -1], [2, Math.SQRT2, nan]],
    ['Swish', [0, 1, -1000], [0, e / (1 + e), 0]],
    ['Swish', [2], [2 / (1 + Math.exp(-6))], { alpha: 3 }],
    ['Tan', [0, Math.PI / 4], [0, 1]],
    ['Tanh', [0, inf, 1], [0, 1, (e * e - 1) / (e * e + 1)]],
    ['ThresholdedRelu', [0.5, 1, 1.5, -3], [0, 0, 1.5, 0]],
    ['ThresholdedRelu', [0.5, 2, 3], [0, 0, 3], { alpha: 2 }],
  ]
  test.each(cases)('%s (%#)', (name, x, y, plain) => {
    const [got] = evaluateOp(opNamed(name), [fromNumbers('float64', [x.length], x)], plain)
    const wanted = fromNumbers('float64', [y.length], y)
    expect(firstDifference(got as Tensor, wanted, { relative: 1e-12, absolute: 1e-15 })).toBeUndefined()
  })

  test('narrow floats are rounded once, from float64', () => {
    expect(evaluateNumbers(all.Exp, [fromNumbers('float16', [2], [1, 12])])).toEqual([2.71875, inf])
    expect(evaluateNumbers(all.Exp, [fromNumbers('bfloat16', [1], [1])])).toEqual([2.71875])
    expect(evaluateNumbers(all.Sqrt, [float32([2])])).toEqual([Math.fround(Math.SQRT2)])
  })
  test('64-bit integers stay exact, and the least one wraps', () => {
    const least = -(2n ** 63n)
    const x = fromBigInts('int64', [3], [least, 2n ** 60n + 1n, -7n])
    const exactly = (op: Op): bigint[] => Array.from(bigints(evaluateOp(op, [x])[0] as Tensor))
    expect(exactly(all.Abs)).toEqual([least, 2n ** 60n + 1n, 7n])
    expect(exactly(all.Neg)).toEqual([least, -(2n ** 60n) - 1n, 7n])
    expect(exactly(all.Sign)).toEqual([-1n, 1n, -1n])
    expect(exactly(all.Relu)).toEqual([0n, 2n ** 60n + 1n, 0n])
    expect(exactly(all.BitwiseNot)).toEqual([2n ** 63n - 1n, -(2n ** 60n) - 2n, 6n])
  })
  test('narrow integers', () => {
    expect(evaluateNumbers(all.Abs, [fromNumbers('int8', [2], [-128, -5])])).toEqual([-128, 5])
    expect(evaluateNumbers(all.BitwiseNot, [fromNumbers('uint32', [2], [0, 1])])).toEqual([
      2 ** 32 - 1,
      2 ** 32 - 2,
    ])
    expect(evaluateNumbers(all.Shrink, [fromNumbers('int8', [3], [-4, 0, 4])], { bias: 1.5 })).toEqual([
      -2, 0, 2,
    ])
    expect(evaluateNumbers(all.Erf, [fromNumbers('int32', [3], [-9, 0, 1])], {}, { opset: 9 })).toEqual([
      -1, 0, 0,
    ])
  })
  test('an attribute outside its choices is refused', () => {
    expect(() => evaluateOp(all.Gelu, [float32([1])], { approximate: 'fast' })).toThrow('none, tanh')
  })
  test('Not, IsInf, IsNaN', () => {
    expect(evaluateNumbers(all.Not, [fromNumbers('bool', [2], [1, 0])])).toEqual([0, 1])
    const x = float32([inf, -inf, nan, 1])
    expect(evaluateNumbers(all.IsNaN, [x])).toEqual([0, 0, 1, 0])
    expect(evaluateNumbers(all.IsInf, [x])).toEqual([1, 1, 0, 0])
    expect(evaluateNumbers(all.IsInf, [x], { detect_negative: 0 })).toEqual([1, 0, 0, 0])
    expect(evaluateNumbers(all.IsInf, [x], { detect_positive: 0 })).toEqual([0, 1, 0, 0])
    expect(evaluateNumbers(all.IsInf, [x], { detect_positive: 0, detect_negative: 0 })).toEqual([0, 0, 0, 0])
    expect(evaluateNumbers(all.IsInf, [fromNumbers('float8e5m2', [2], [inf, 1])])).toEqual([1, 0])
  })
  test('Identity gives back what it gets: tensors, sequences, empty optionals', () => {
    for (const value of [float32([1]), [float32([1]), int64([2])], null])
      expect(evaluateOp(all.Identity, [value])[0]).toBe(value)
    expect(() => evaluateOp(all.Identity, [undefined])).toThrow(
      expect.objectContaining({ code: 'missing-input' }),
    )
  })
})

describe('Clip', () => {
  const x = float32([-5, 0, 5, inf, nan])
  const maximum = 3.4028234663852886e38
  test('bounds are attributes below opset 11, finite when left out', () => {
    expect(evaluateNumbers(all.Clip, [x], { min: -1, max: 2 }, { opset: 10 })).toEqual([-1, 0, 2, 2, nan])
    expect(evaluateNumbers(all.Clip, [x], {}, { opset: 6 })).toEqual([-5, 0, 5, maximum, nan])
  })
  test('bounds are optional inputs from opset 11 on; the maximum wins over the minimum', () => {
    const [one, two] = [float32([1], []), float32([2], [])]
    expect(evaluateNumbers(all.Clip, [x, one])).toEqual([1, 1, 5, maximum, nan])
    expect(evaluateNumbers(all.Clip, [x, undefined, one])).toEqual([-5, 0, 1, 1, nan])
    expect(evaluateNumbers(all.Clip, [x, two, one])).toEqual([1, 1, 1, 1, nan])
    expect(evaluateNumbers(all.Clip, [fromNumbers('float16', [2], [inf, -inf])])).toEqual([65504, -65504])
  })
  test('integers of every width', () => {
    const [least, most] = [-(2n ** 63n), 2n ** 62n + 1n]
    const wide = fromBigInts('int64', [2], [least, 2n ** 63n - 1n])
    expect(evaluateOp(all.Clip, [wide])).toEqual([wide])
    const bound = fromBigInts('int64', [], [most])
    expect(evaluateOp(all.Clip, [wide, undefined, bound])).toEqual([fromBigInts('int64', [2], [least, most])])
    expect(evaluateOp(all.Clip, [wide, bound])).toEqual([fromBigInts('int64', [2], [most, 2n ** 63n - 1n])])
    expect(evaluateNumbers(all.Clip, [fromNumbers('uint8', [3], [0, 9, 255]), full('uint8', [], 3)])).toEqual(
      [3, 9, 255],
    )
  })
  test('bounds of another type, or of several elements, are refused', () => {
    expect(() => evaluateOp(all.Clip, [x, int64(1)])).toThrow(expect.objectContaining({ code: 'bad-dtype' }))
    expect(() => evaluateOp(all.Clip, [x, float32([1, 2])])).toThrow('the minimum is not a single value')
  })
})

test('SwiGLU gates one input with the other, of the same shape', () => {
  const [gate, value] = [fromNumbers('float64', [2], [1, -2]), fromNumbers('float64', [2], [3, 5])]
  const got = evaluateNumbers(all.SwiGLU, [gate, value], { alpha: 2 })
  expect(got[0]).toBeCloseTo(3 / (1 + Math.exp(-2)), 12)
  expect(got[1]).toBeCloseTo(-10 / (1 + Math.exp(4)), 12)
  const one = full('float64', [1], 1)
  expect(() => evaluateOp(all.SwiGLU, [gate, one])).toThrow('gate and value differ in shape')
  expect(() => inferOp(all.SwiGLU, [gate, one])).toThrow(expect.objectContaining({ code: 'bad-shape' }))
  expect(numbers(value)).toEqual(Float64Array.of(3, 5))
})
