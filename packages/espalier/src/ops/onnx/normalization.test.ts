/** Normalisations: statistics over the right elements, training mode, parameters in every shape, all outputs. */
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { float32, type Tensor, zeros } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import {
  evaluateNumbers,
  evaluateOp,
  inferOp,
  type OpCall,
  type PlainAttributes,
} from '../support/testing.ts'
import { BatchNormalization } from './batch-normalization.ts'
import { GroupNormalization } from './group-normalization.ts'
import { InstanceNormalization } from './instance-normalization.ts'
import { LayerNormalization } from './layer-normalization.ts'
import { LpNormalization } from './lp-normalization.ts'
import { LRN } from './lrn.ts'
import { MeanVarianceNormalization } from './mean-variance-normalization.ts'
import { RMSNormalization } from './rms-normalization.ts'

/** All outputs as lists, rounded so that an epsilon of 0 gives whole numbers. */
function outputsOf(op: Op, inputs: Tensor[], plain: PlainAttributes = {}, call: OpCall = {}): number[][] {
  const round = (value: number): number => Math.round(value * 1e5) / 1e5 + 0
  return evaluateOp(op, inputs, plain, call).map(output => Array.from(numbers(output as Tensor), round))
}

describe('BatchNormalization', () => {
  const x = float32([1, 3, 10, 30, 5, 7, 50, 70], [2, 2, 2])
  const [scale, bias] = [float32([1, 2]), float32([0, 1])]
  const [mean, variance] = [float32([1, 10]), float32([4, 100])]
  const inputs = [x, scale, bias, mean, variance]
  test('by given statistics', () => {
    expect(outputsOf(BatchNormalization, inputs, { epsilon: 0 })).toEqual([[0, 1, 1, 5, 2, 3, 9, 13]])
  })
  test('by those of the batch: mean 4 and 40, variance 5 and 500', () => {
    const plain = { epsilon: 0, momentum: 0.5, training_mode: 1 }
    const [y, runningMean, runningVariance] = outputsOf(BatchNormalization, inputs, plain, { outputs: 3 })
    expect(y![0]).toBeCloseTo(-3 / Math.sqrt(5), 4)
    expect(y![7]).toBeCloseTo((2 * 30) / Math.sqrt(500) + 1, 4)
    expect(runningMean).toEqual([2.5, 25])
    expect(runningVariance).toEqual([4.5, 300])
  })
  test('older nodes train when they have more outputs', () => {
    const plain = { epsilon: 0, momentum: 0.5 }
    const results = outputsOf(BatchNormalization, inputs, plain, { opset: 9, outputs: 5 })
    expect(results.slice(1)).toEqual([
      [2.5, 25],
      [4.5, 300],
      [4, 40],
      [5, 500],
    ])
    expect(outputsOf(BatchNormalization, inputs, plain, { opset: 9 })[0]).toEqual([0, 1, 1, 5, 2, 3, 9, 13])
  })
  test('every position on its own without "spatial"', () => {
    const each = (values: number[]): Tensor => float32(values, [2, 2])
    const own = [x, each([1, 1, 1, 2]), each([0, 0, 0, 1]), each([1, 3, 10, 30]), each([1, 4, 1, 4])]
    const plain = { epsilon: 0, spatial: 0 }
    expect(outputsOf(BatchNormalization, own, plain, { opset: 7 })).toEqual([[0, 0, 0, 1, 4, 2, 40, 41]])
  })
  test('a vector is a batch of one channel', () => {
    const one = [float32([1, 5]), float32([2]), float32([1]), float32([3]), float32([4])]
    expect(outputsOf(BatchNormalization, one, { epsilon: 0 })).toEqual([[-1, 3]])
  })
  test('data types of their own', () => {
    const half = inputs.map((input, i) =>
      fromNumbers(i === 0 ? 'float16' : 'float32', input.shape, numbers(input)),
    )
    const results = evaluateOp(BatchNormalization, half, { training_mode: 1 }, { outputs: 3 }) as Tensor[]
    expect(results.map(({ dtype }) => dtype)).toEqual(['float16', 'float32', 'float32'])
    expect(inferOp(BatchNormalization, half, { training_mode: 1 }, { outputs: 3 })).toEqual(
      results.map(({ dtype, shape }) => tensorType(dtype, shape)),
    )
  })
  test('misfits', () => {
    expect(() => evaluateOp(BatchNormalization, [x, float32([1]), bias, mean, variance])).toThrow('the scale')
    expect(() => evaluateOp(BatchNormalization, inputs, {}, { outputs: 3 })).toThrow(
      'only computed in training mode',
    )
  })
})

describe('instances and groups', () => {
  // Channels of two positions each, all with mean 2 and variance 1 about it, or shifted by 10.
  const x = float32([1, 3, 11, 13, 1, 3, 21, 23], [1, 4, 2])
  const four = [float32([1, 2, 3, 4]), float32([0, 0, 0, 10])]
  test('each channel by itself', () => {
    expect(outputsOf(InstanceNormalization, [x, ...four], { epsilon: 0 })).toEqual([
      [-1, 1, -2, 2, -3, 3, 6, 14],
    ])
  })
  test('as many groups as channels are instances', () => {
    expect(outputsOf(GroupNormalization, [x, ...four], { epsilon: 0, num_groups: 4 })).toEqual(
      outputsOf(InstanceNormalization, [x, ...four], { epsilon: 0 }),
    )
  })
  test('parameters for each group in operator set 18, for each channel from 21 on', () => {
    const steps = float32([-1, -1, 1, 1, -2, -2, 2, 2], [1, 4, 2]) // groups of deviation 1 and 2
    const plain = { epsilon: 0, num_groups: 2 }
    const two = [float32([1, 2]), float32([0, 10])]
    expect(outputsOf(GroupNormalization, [steps, ...two], plain, { opset: 18 })).toEqual([
      [-1, -1, 1, 1, 8, 8, 12, 12],
    ])
    expect(outputsOf(GroupNormalization, [steps, ...four], plain)).toEqual([[-1, -1, 2, 2, -3, -3, 14, 14]])
  })
  test('misfits', () => {
    expect(() => evaluateOp(GroupNormalization, [x, ...four], { num_groups: 3 })).toThrow('a divisor of 4')
    expect(() => evaluateOp(InstanceNormalization, [x, float32([1]), four[1]])).toThrow('4 elements')
    expect(() => inferOp(InstanceNormalization, [x, float32([1]), four[1]])).toThrow('each channel')
    expect(() => evaluateOp(InstanceNormalization, [float32([1]), ...four])).toThrow('no channels')
  })
})

describe('LayerNormalization', () => {
  const x = float32([1, 3, 10, 14], [2, 2])
  const scale = float32([1, 2])
  test('all outputs', () => {
    const plain = { epsilon: 0 }
    expect(outputsOf(LayerNormalization, [x, scale, float32([1, 1])], plain, { outputs: 3 })).toEqual([
      [0, 3, 0, 3],
      [2, 12],
      [1, 0.5],
    ])
    const types = inferOp(LayerNormalization, [tensorType('float16', ['n', 2]), scale], {}, { outputs: 3 })
    const statistic = tensorType('float32', ['n', 1])
    expect(types).toEqual([tensorType('float16', ['n', 2]), statistic, statistic])
  })
  test('statistics in the stash type', () => {
    const [, mean] = evaluateOp(
      LayerNormalization,
      [x, scale],
      { stash_type: 16 },
      { outputs: 3 },
    ) as Tensor[]
    expect(mean).toMatchObject({ dtype: 'bfloat16', shape: [2, 1] })
    expect(() => evaluateOp(LayerNormalization, [x, scale], { stash_type: 7 })).toThrow('bfloat16')
  })
  test('several axes, a scale for each or one for all', () => {
    const cube = float32([-1, 1, -1, 1, -2, -2, 2, 2], [2, 2, 2])
    expect(outputsOf(LayerNormalization, [cube, float32([3], [1])], { axis: 1, epsilon: 0 })).toEqual([
      [-3, 3, -3, 3, -3, -3, 3, 3],
    ])
    expect(
      outputsOf(LayerNormalization, [cube, float32([1, 2, 3, 4], [2, 2])], { axis: -2, epsilon: 0 }),
    ).toEqual([[-1, 2, -3, 4, -1, -2, 3, 4]])
  })
  test('a scale that does not fit', () => {
    expect(() => evaluateOp(LayerNormalization, [x, float32([1, 2, 3])])).toThrow(
      'the scale does not broadcast',
    )
    expect(() => evaluateOp(LayerNormalization, [x, zeros('float32', [3, 2, 2])])).toThrow(
      'does not broadcast',
    )
    expect(() => evaluateOp(LayerNormalization, [x, scale], { axis: 2 })).toThrow('axis 2')
  })
})

test('RMSNormalization divides by the root mean square and has the type of the scale', () => {
  const x = fromNumbers('float16', [2, 2], [1, 7, 3, 3])
  const [y] = evaluateOp(RMSNormalization, [x, float32([1, 2])], { epsilon: 0 }) as Tensor[]
  expect(y).toEqual(float32([0.2, 2.8, 1, 2], [2, 2]))
  expect(inferOp(RMSNormalization, [x, float32([1, 2])])).toEqual([tensorType('float32', [2, 2])])
  expect(outputsOf(RMSNormalization, [x, float32([1])], { axis: 0, epsilon: 2 })[0]![0]).toBeCloseTo(
    1 / Math.sqrt(19),
    4,
  )
})

test('LpNormalization: absolute values, squares, zeros, no other order', () => {
  const x = float32([3, -4, 0, 0], [2, 2])
  expect(outputsOf(LpNormalization, [x])).toEqual([[0.6, -0.8, 0, 0]])
  expect(outputsOf(LpNormalization, [x], { p: 1, axis: 1 })).toEqual([[0.42857, -0.57143, 0, 0]])
  expect(outputsOf(LpNormalization, [x], { p: 1, axis: 0 })).toEqual([[1, -1, 0, 0]])
  expect(() => evaluateOp(LpNormalization, [x], { p: 3 })).toThrow('1 or 2')
})

test('LRN sums over neighbouring channels, one more behind than before for even sizes', () => {
  const x = float32([1, 2, 3, 4], [1, 4])
  const plain = { beta: 1, bias: 0 }
  const over = (size: number, sums: number[]): number[] =>
    sums.map((sum, i) => Math.round((((i + 1) * size) / sum) * 1e5) / 1e5)
  expect(outputsOf(LRN, [x], { ...plain, alpha: 1, size: 1 })[0]).toEqual(over(1, [1, 4, 9, 16]))
  expect(outputsOf(LRN, [x], { ...plain, alpha: 1, size: 2 })[0]).toEqual(over(2, [5, 13, 25, 16]))
  expect(outputsOf(LRN, [x], { ...plain, alpha: 1, size: 3 })[0]).toEqual(over(3, [5, 14, 29, 25]))
  expect(() => evaluateOp(LRN, [x], { size: 0 })).toThrow('1 or more')
})

test('MeanVarianceNormalization over any axes; a constant gives zeros', () => {
  const x = float32([1, 3, 5, 7], [2, 2])
  expect(outputsOf(MeanVarianceNormalization, [x], { axes: [1] })).toEqual([[-1, 1, -1, 1]])
  expect(outputsOf(MeanVarianceNormalization, [x], { axes: [-2] })).toEqual([[-1, -1, 1, 1]])
  expect(evaluateNumbers(MeanVarianceNormalization, [float32([5, 5])], { axes: [0] })).toEqual([0, 0])
})
