/** Random operators: distributions, seeds, types; dropout and the generator it shares with NumPy. */
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, full, numbers } from '../../tensor/elements.ts'
import { float32, type Tensor, zeros } from '../../tensor/tensor.ts'
import { mersenneTwister } from '../support/mersenne-twister.ts'
import { evaluateNumbers, evaluateOp, inferOp } from '../support/testing.ts'
import { Bernoulli } from './bernoulli.ts'
import { Dropout } from './dropout.ts'
import { Multinomial } from './multinomial.ts'
import { RandomNormal } from './random-normal.ts'
import { RandomNormalLike } from './random-normal-like.ts'
import { RandomUniform } from './random-uniform.ts'
import { RandomUniformLike } from './random-uniform-like.ts'

const yes = fromNumbers('bool', [], [1])
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

test('every operator here is impure', () => {
  for (const op of [
    Bernoulli,
    Dropout,
    Multinomial,
    RandomNormal,
    RandomNormalLike,
    RandomUniform,
    RandomUniformLike,
  ])
    expect(op.impure).toBe(true)
})

test('the generator gives what NumPy gives', () => {
  const first = (seed: number, count: number): number[] => {
    const next = mersenneTwister(seed)
    return Array.from({ length: count }, next)
  }
  expect(first(0, 3)).toEqual([0.5488135039273248, 0.7151893663724195, 0.6027633760716439])
  expect(first(42, 3)).toEqual([0.3745401188473625, 0.9507143064099162, 0.7319939418114051])
  expect(first(2 ** 32 - 1, 703).at(-1)).toBe(0.29083652831287565)
})

describe('Dropout', () => {
  const data = float32([1, 2, 3, 4, 5])
  test('passes its input on outside of training', () => {
    const [same, mask] = evaluateOp(Dropout, [data, float32([0.9], [])], {}, { outputs: 2 })
    expect(same).toBe(data)
    expect(mask).toEqual(full('bool', [5], 1))
    expect(evaluateOp(Dropout, [data], { ratio: 0.9 }, { opset: 7, outputs: 2 })).toEqual([
      data,
      full('float32', [5], 1),
    ])
    expect(evaluateOp(Dropout, [data, float32([0], []), yes])[0]).toBe(data)
  })
  test('drops by the seed and scales the rest', () => {
    const inputs = [data, float32([0.5], []), yes]
    const [output, mask] = evaluateOp(Dropout, inputs, { seed: 0 }, { outputs: 2 }) as Tensor[]
    // 0.549, 0.715, 0.603, 0.545 and 0.424 are drawn.
    expect(Array.from(numbers(mask!))).toEqual([1, 1, 1, 1, 0])
    expect(Array.from(numbers(output!))).toEqual([2, 4, 6, 8, 0])
  })
  test('drops half without a ratio, other elements with another seed', () => {
    const many = full('float32', [4000], 1)
    const kept = evaluateNumbers(Dropout, [many, undefined, yes])
    expect(new Set(kept)).toEqual(new Set([0, 2]))
    expect(mean(kept)).toBeCloseTo(1, 1)
    expect(evaluateNumbers(Dropout, [many, undefined, yes], { seed: 1 })).not.toEqual(
      evaluateNumbers(Dropout, [many, undefined, yes], { seed: 2 }),
    )
  })
  test('types and bounds', () => {
    const input = tensorType('float16', ['n'])
    expect(inferOp(Dropout, [input], {}, { outputs: 2 })).toEqual([input, tensorType('bool', ['n'])])
    expect(inferOp(Dropout, [input], {}, { outputs: 2, opset: 9 })).toEqual([input, input])
    expect(() => evaluateOp(Dropout, [data, float32([1], []), yes])).toThrow('below 1')
  })
})

describe('random tensors', () => {
  const shape = [50, 100]
  test('normal and uniform', () => {
    const normal = evaluateNumbers(RandomNormal, [], { shape, mean: 3, scale: 2, seed: 1 })
    expect(mean(normal)).toBeCloseTo(3, 0)
    expect(mean(normal.map(value => (value - 3) ** 2))).toBeCloseTo(4, 0)
    const uniform = evaluateNumbers(RandomUniform, [], { shape, low: -1, high: 3, seed: 1 })
    expect(mean(uniform)).toBeCloseTo(1, 0)
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(-1)
    expect(Math.max(...uniform)).toBeLessThanOrEqual(3)
  })
  test('the same numbers for the same seed', () => {
    const draw = (seed: number): number[] => evaluateNumbers(RandomNormal, [], { shape: [5], seed })
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })
  test('shape and type', () => {
    const like = fromNumbers('int32', [2, 1], [0, 0])
    const [drawn] = evaluateOp(RandomUniformLike, [like], { dtype: 10 }) as Tensor[]
    expect(drawn).toMatchObject({ dtype: 'float16', shape: [2, 1] })
    expect(inferOp(RandomNormalLike, [tensorType('float64', ['n'])])).toEqual([tensorType('float64', ['n'])])
    expect(inferOp(RandomNormal, [], { shape, dtype: 11 })).toEqual([tensorType('float64', shape)])
    expect(() => evaluateOp(RandomNormalLike, [like])).toThrow('Set "dtype"')
    expect(() => evaluateOp(RandomNormal, [], { shape: [1], dtype: 6 })).toThrow('int32')
    expect(() => evaluateOp(RandomNormal, [], { shape: [2 ** 20, 2 ** 20] })).toThrow('too large')
    expect(() => evaluateOp(RandomUniform, [], { shape: [-1] })).toThrow('not a shape')
  })
})

test('Bernoulli draws by probability', () => {
  const certain = fromNumbers('float64', [2], [0, 1])
  const [drawn] = evaluateOp(Bernoulli, [certain], { dtype: 9 }) as Tensor[]
  expect(drawn).toEqual(fromNumbers('bool', [2], [0, 1]))
  expect(mean(evaluateNumbers(Bernoulli, [full('float32', [4000], 0.25)], { seed: 3 }))).toBeCloseTo(0.25, 1)
  expect(inferOp(Bernoulli, [certain])).toEqual([tensorType('float64', [2])])
  expect(() => evaluateOp(Bernoulli, [float32([1.5])])).toThrow('not a probability')
})

test('Multinomial draws classes by the logarithms of their shares', () => {
  const rows = float32(
    [Number.NEGATIVE_INFINITY, 5, Number.NEGATIVE_INFINITY, Math.log(3), 0, Number.NEGATIVE_INFINITY],
    [2, 3],
  )
  const [drawn] = evaluateOp(Multinomial, [rows], { sample_size: 2000, dtype: 7, seed: 1 }) as Tensor[]
  expect(drawn).toMatchObject({ dtype: 'int64', shape: [2, 2000] })
  const classes = Array.from(numbers(drawn!))
  expect(new Set(classes.slice(0, 2000))).toEqual(new Set([1]))
  expect(mean(classes.slice(2000))).toBeCloseTo(0.25, 1)
  expect(inferOp(Multinomial, [tensorType('float32', ['n', 9])])).toEqual([tensorType('int32', ['n', 1])])
  expect(() => evaluateOp(Multinomial, [zeros('float32', [2, 0])])).toThrow('nothing to draw')
  expect(() => evaluateOp(Multinomial, [float32([Number.NEGATIVE_INFINITY], [1, 1])])).toThrow(
    'no probabilities',
  )
})
