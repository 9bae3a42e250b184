import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { evaluateOp, inferOp, type PlainAttributes } from '../support/testing.ts'
import { Adagrad } from './adagrad.ts'
import { Adam } from './adam.ts'
import { Momentum } from './momentum.ts'

const doubles = (...values: number[]): Tensor => tensor('float64', [values.length], Float64Array.from(values))

/** Outputs as lists, from rate, count and the tensors with their gradients and states. */
function step(
  op: Op,
  rate: number,
  count: number,
  tensors: Tensor[],
  attributes: PlainAttributes,
): number[][] {
  const inputs = [tensor('float64', [], Float64Array.of(rate)), int64(count), ...tensors]
  return evaluateOp(op, inputs, attributes).map(value => Array.from(numbers(value as Tensor)))
}

const close = (values: readonly number[]): unknown[] => values.map(value => expect.closeTo(value, 12))

test('Adagrad', () => {
  const attributes = { decay_factor: 0.5, epsilon: 0.25, norm_coefficient: 0.5 }
  // rate 0.1 / (1 + 2 * 0.5); slopes 0.5 * x + g = 3, -4; squares 16 + 9, 0 + 16
  expect(step(Adagrad, 0.1, 2, [doubles(4, 2), doubles(1, -5), doubles(16, 0)], attributes)).toEqual([
    close([4 - (0.05 * 3) / 5.25, 2 + (0.05 * 4) / 4.25]),
    [25, 16],
  ])
})

describe('Adam', () => {
  const attributes = {
    alpha: 0.5,
    beta: 0.75,
    epsilon: 0.25,
    norm_coefficient: 0.5,
    norm_coefficient_post: 0.5,
  }
  // slope 3; mean 0.5 * 1 + 0.5 * 3 = 2; square 0.75 * 9 + 0.25 * 9 = 9
  const given = [doubles(4), doubles(1), doubles(1), doubles(9)]

  test('first update: no correction', () => {
    expect(step(Adam, 0.1, 0, given, attributes)).toEqual([close([0.5 * (4 - 0.2 / 3.25)]), [2], [9]])
  })
  test('later updates: corrected for the zeros that the averages began with', () => {
    const rate = (0.1 * Math.sqrt(1 - 0.75 ** 3)) / (1 - 0.5 ** 3)
    expect(step(Adam, 0.1, 3, given, attributes)[0]).toEqual(close([0.5 * (4 - (rate * 2) / 3.25)]))
  })
})

describe('Momentum', () => {
  const attributes = { alpha: 0.5, beta: 0.25, norm_coefficient: 0.5 }
  const given = [doubles(4), doubles(1), doubles(8)] // slope 3

  test('standard; beta counts from the second update on', () => {
    const standard = { ...attributes, mode: 'standard' }
    expect(step(Momentum, 0.1, 0, given, standard)).toEqual([close([4 - 0.7]), [7]])
    expect(step(Momentum, 0.1, 1, given, standard)).toEqual([close([4 - 0.475]), [4.75]])
  })
  test("Nesterov's", () => {
    const nesterov = { ...attributes, mode: 'nesterov' }
    expect(step(Momentum, 0.1, 0, given, nesterov)).toEqual([close([4 - 0.1 * (3 + 3.5)]), [7]])
  })
  test('no other', () => {
    expect(() => step(Momentum, 0.1, 0, given, { ...attributes, mode: 'heavy' })).toThrow(
      expect.objectContaining({ code: 'bad-argument' }),
    )
  })
})

describe('several tensors', () => {
  const attributes = { alpha: 0.5, beta: 0.25, norm_coefficient: 0, mode: 'standard' }
  test('are updated each for itself, grouped by role', () => {
    const tensors = [doubles(4), float32([1, 2]), doubles(1), float32([1, 1]), doubles(8), float32([0, 2])]
    expect(step(Momentum, 1, 0, tensors, attributes)).toEqual([[-1], [0, 0], [5], [1, 2]])
  })
  test('types follow', () => {
    const types = [
      tensorType('float32', []),
      tensorType('int64', []),
      ...['x', 'y', 'x', 'y', 'x', 'y'].map(extent => tensorType('float32', [extent])),
    ]
    expect(inferOp(Momentum, types, attributes)).toEqual(
      ['x', 'y', 'x', 'y'].map(extent => tensorType('float32', [extent])),
    )
  })
  test('incomplete or misshapen ones are refused', () => {
    expect(() => step(Momentum, 1, 0, [doubles(1), doubles(1)], attributes)).toThrow(
      expect.objectContaining({ code: 'invalid-graph' }),
    )
    expect(() => step(Momentum, 1, 0, [doubles(1), doubles(1, 2), doubles(1)], attributes)).toThrow(
      expect.objectContaining({ code: 'bad-shape' }),
    )
  })
})
