/** Losses: reductions, class weights, ignored labels, log-probabilities, labels that are no class. */
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp, inferOp } from '../support/testing.ts'
import { NegativeLogLikelihoodLoss } from './negative-log-likelihood-loss.ts'
import { SoftmaxCrossEntropyLoss } from './softmax-cross-entropy-loss.ts'

// Two samples of three classes at two positions.
const input = float32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 3, 2])
const target = fromNumbers('int32', [2, 2], [0, 2, 1, 0])
const weight = float32([1, 2, 4])

describe('NegativeLogLikelihoodLoss', () => {
  const loss = (attributes: object, labels: Tensor = target, ...weights: Tensor[]): number[] =>
    evaluateNumbers(NegativeLogLikelihoodLoss, [input, labels, ...weights], { ...attributes })
  test('reductions', () => {
    expect(loss({ reduction: 'none' })).toEqual([-1, -6, -9, -8])
    expect(loss({ reduction: 'sum' })).toEqual([-24])
    expect(loss({})).toEqual([-6])
  })
  test('weights: of the sum, and of what it is divided by', () => {
    expect(loss({ reduction: 'none' }, target, weight)).toEqual([-1, -24, -18, -8])
    expect(loss({}, target, weight)).toEqual([Math.fround(-51 / 8)])
  })
  test('ignored labels count for nothing, and may be no class', () => {
    expect(loss({ ignore_index: 0, reduction: 'none' })).toEqual([0, -6, -9, 0])
    expect(loss({ ignore_index: 0 })).toEqual([-7.5])
    const outside = fromNumbers('int64', [2, 2], [-100, 2, 99, 0])
    expect(() => loss({ ignore_index: -100 }, outside)).toThrow('the label 99 is no class')
    expect(loss({ ignore_index: -100 }, fromNumbers('int64', [2, 2], [-100, 2, -100, 0]), weight)).toEqual([
      Math.fround(-32 / 5),
    ])
    expect(loss({ ignore_index: 0 }, fromNumbers('int32', [2, 2], [0, 0, 0, 0]))).toEqual([Number.NaN])
  })
  test('misfits', () => {
    expect(() => loss({}, int64([0, 1]))).toThrow('labels and scores do not fit')
    expect(() => loss({}, target, float32([1, 2]))).toThrow('the weight does not fit')
    expect(() => evaluateOp(NegativeLogLikelihoodLoss, [float32([1]), int64([0])])).toThrow('N x C')
    expect(() => inferOp(NegativeLogLikelihoodLoss, [input, int64([0, 1])])).toThrow('labels and scores')
  })
  test('types', () => {
    const scores = tensorType('float16', ['n', 10, 'd'])
    const infer = (reduction: string) =>
      inferOp(NegativeLogLikelihoodLoss, [scores, tensorType('int64')], { reduction })
    expect(infer('none')).toEqual([tensorType('float16', ['n', 'd'])])
    expect(infer('sum')).toEqual([tensorType('float16', [])])
  })
})

describe('SoftmaxCrossEntropyLoss', () => {
  const even = float32([0, 0, 5, 5], [2, 2])
  test('even scores cost log 2; far ones their distance', () => {
    expect(evaluateNumbers(SoftmaxCrossEntropyLoss, [even, int64([0, 1])])[0]).toBeCloseTo(Math.log(2), 6)
    const far = float32([0, 1000], [1, 2])
    expect(evaluateNumbers(SoftmaxCrossEntropyLoss, [far, int64([0])], { reduction: 'none' })).toEqual([1000])
  })
  test('log-probabilities over the classes of further axes', () => {
    const call = { outputs: 2 }
    const results = evaluateOp(SoftmaxCrossEntropyLoss, [input, target, weight], { reduction: 'none' }, call)
    const [loss, logProbabilities] = results.map(value => numbers(value as Tensor))
    const total = (a: number, b: number, c: number): number =>
      Math.log(Math.exp(a) + Math.exp(b) + Math.exp(c))
    expect(logProbabilities![0]).toBeCloseTo(1 - total(1, 3, 5), 6)
    expect(loss![1]).toBeCloseTo(-4 * (6 - total(2, 4, 6)), 6)
    expect(loss![1]).toBeCloseTo(-4 * logProbabilities![5]!, 6)
    expect(inferOp(SoftmaxCrossEntropyLoss, [input, target], {}, call)).toEqual([
      tensorType('float32', []),
      tensorType('float32', [2, 3, 2]),
    ])
  })
  test('misfits', () => {
    expect(() => evaluateOp(SoftmaxCrossEntropyLoss, [even, int64([2, 0])])).toThrow(
      'the label 2 is no class',
    )
    expect(() => evaluateOp(SoftmaxCrossEntropyLoss, [even, int64([0])])).toThrow('do not fit')
  })
})
