/** Softmax, its logarithm and its hard form: one axis, or all from one on; infinities; empty axes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { float32, type Tensor, zeros } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp } from '../support/testing.ts'
import { Hardmax } from './hardmax.ts'
import { LogSoftmax } from './log-softmax.ts'
import { Softmax } from './softmax.ts'

const { NaN: nan, POSITIVE_INFINITY: inf } = Number
const equal = float32([5, 5, 5, 5], [1, 2, 2])

describe('the axis', () => {
  test('alone from operator set 13 on, with all behind it before', () => {
    expect(evaluateNumbers(Softmax, [equal], { axis: 1 })).toEqual([0.5, 0.5, 0.5, 0.5])
    expect(evaluateNumbers(Softmax, [equal], {}, { opset: 12 })).toEqual([0.25, 0.25, 0.25, 0.25])
    expect(evaluateNumbers(Softmax, [equal], { axis: -1 }, { opset: 11 })).toEqual([0.5, 0.5, 0.5, 0.5])
    expect(evaluateNumbers(LogSoftmax, [equal], { axis: 0 }, { opset: 7 })[0]).toBeCloseTo(-Math.log(4))
    expect(evaluateNumbers(Hardmax, [equal], { axis: 1 }, { opset: 1 })).toEqual([1, 0, 0, 0])
    expect(evaluateNumbers(Hardmax, [equal])).toEqual([1, 0, 1, 0])
  })
  test('must exist', () => {
    expect(() => evaluateOp(Softmax, [float32([1])], {}, { opset: 11 })).toThrow('axis 1 is outside')
  })
  test('may be empty', () => {
    expect(evaluateNumbers(Softmax, [zeros('float32', [2, 0])])).toEqual([])
    expect(evaluateNumbers(Hardmax, [zeros('float32', [2, 0])])).toEqual([])
  })
})

test('large numbers, masked positions, infinities', () => {
  expect(evaluateNumbers(Softmax, [float32([1e30, 1e30])])).toEqual([0.5, 0.5])
  expect(evaluateNumbers(Softmax, [float32([-inf, 0, 0])])).toEqual([0, 0.5, 0.5])
  expect(evaluateNumbers(Softmax, [float32([-inf, -inf])])).toEqual([nan, nan])
  expect(evaluateNumbers(LogSoftmax, [float32([inf, 0])])).toEqual([nan, nan])
  expect(evaluateNumbers(LogSoftmax, [fromNumbers('float16', [2], [0, -1000])])).toEqual([0, -1000])
  expect(evaluateNumbers(Hardmax, [float32([1, nan, 3])])).toEqual([0, 1, 0])
})

test('probabilities sum to 1 and do not depend on an offset', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.double({ min: -100, max: 100, noNaN: true }),
      (values, offset) => {
        const of = (list: number[]): Float64Array =>
          numbers(evaluateOp(Softmax, [fromNumbers('float64', [list.length], list)])[0] as Tensor)
        const [plain, shifted] = [of(values), of(values.map(value => value + offset))]
        expect(plain.reduce((a, b) => a + b)).toBeCloseTo(1, 10)
        for (let i = 0; i < values.length; i++) expect(shifted[i]).toBeCloseTo(plain[i]!, 10)
      },
    ),
  )
})
