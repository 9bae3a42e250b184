/** Convolutions and pools with channels last: ONNX's operators on other axes, bias, residual and activation behind. */
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import * as onnx from '../onnx/index.ts'
import { channelsFirst, channelsLast } from '../support/channels-last.ts'
import { evaluateOp, inferContextOf, inferOp, type PlainAttributes } from '../support/testing.ts'
import { AveragePool, Conv, ConvTranspose, GlobalAveragePool, GlobalMaxPool, MaxPool } from './index.ts'

const values = (...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return fromNumbers(
    'float64',
    shape,
    Array.from({ length: size }, (_, i) => Math.sin(i * i + 1)),
  )
}
const x = values(2, 4, 5, 6)
const window = { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] }
const fails = (code: string): unknown => expect.objectContaining({ code })

describe('as ONNX has it, on other axes', () => {
  test.each<[string, typeof Conv, typeof Conv, (Tensor | undefined)[], PlainAttributes]>([
    ['Conv', Conv, onnx.Conv, [values(6, 2, 3, 2), values(6)], { ...window, group: 2 }],
    ['Conv, auto_pad', Conv, onnx.Conv, [values(6, 4, 3, 2)], { auto_pad: 'SAME_LOWER' }],
    [
      'ConvTranspose',
      ConvTranspose,
      onnx.ConvTranspose,
      [values(4, 3, 3, 2), values(6)],
      { ...window, group: 2, output_padding: [1, 0] },
    ],
    [
      'ConvTranspose, output_shape',
      ConvTranspose,
      onnx.ConvTranspose,
      [values(4, 3, 3, 3)],
      { strides: [2, 2], output_shape: [10, 12] },
    ],
    ['MaxPool', MaxPool, onnx.MaxPool, [], { ...window, kernel_shape: [3, 2], ceil_mode: 1 }],
    [
      'AveragePool',
      AveragePool,
      onnx.AveragePool,
      [],
      { ...window, kernel_shape: [3, 2], count_include_pad: 1 },
    ],
    ['GlobalAveragePool', GlobalAveragePool, onnx.GlobalAveragePool, [], {}],
    ['GlobalMaxPool', GlobalMaxPool, onnx.GlobalMaxPool, [], {}],
  ])('%s', (_, own, theirs, weights, attributes) => {
    const turned = channelsLast(x)
    const [wanted] = evaluateOp(theirs, [x, ...weights], attributes) as [Tensor]
    const [found] = evaluateOp(own, [turned, ...weights], attributes) as [Tensor]
    expect(channelsFirst(found)).toEqual(wanted)
    expect(inferOp(own, [turned, ...weights], attributes)).toEqual([tensorType('float64', found.shape)])
    const context = inferContextOf(own, [turned, ...weights], attributes)
    expect(own.macs?.(context)).toBe(theirs.macs?.(inferContextOf(theirs, [x, ...weights], attributes)))
    expect(own.weights?.(context)).toEqual(
      theirs.weights?.(inferContextOf(theirs, [x, ...weights], attributes)),
    )
  })
})

describe('Conv', () => {
  const [turned, weight] = [channelsLast(x), values(3, 4, 1, 1)]

  test('adds the residual before the activation', () => {
    const [plain] = evaluateOp(Conv, [turned, weight]) as [Tensor]
    const residual = values(2, 5, 6, 3)
    const [y] = evaluateOp(Conv, [turned, weight, undefined, residual], {
      activation: 'clip',
      alpha: -0.25,
      beta: 0.5,
    }) as [Tensor]
    const addends = numbers(residual)
    const wanted = numbers(plain).map((value, i) => Math.min(0.5, Math.max(-0.25, value + addends[i]!)))
    for (const [i, value] of numbers(y).entries()) expect(value).toBeCloseTo(wanted[i]!, 12)
  })

  test('what does not fit', () => {
    const wrong = values(2, 5, 6, 4)
    expect(() => inferOp(Conv, [turned, weight, undefined, wrong])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Conv, [turned, weight, undefined, wrong])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Conv, [x, weight])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Conv, [turned, weight], { activation: 'none at all' })).toThrow(
      fails('bad-argument'),
    )
  })

  test('a symbolic batch and extent', () => {
    expect(inferOp(Conv, [tensorType('float32', ['n', 'h', 8, 4]), weight], { strides: [1, 2] })).toEqual([
      tensorType('float32', ['n', 'h', 4, 3]),
    ])
  })
})
