/**
 * RNN, GRU and LSTM: the equations on one unit by hand, and what directions, layouts and lengths must not
 * change.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, zeros } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { evaluateOp, inferContextOf, type PlainAttributes } from '../support/testing.ts'
import { GRU, LSTM, RNN } from './index.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const { tanh } = Math
const double = (shape: readonly number[], values: readonly number[]): Tensor =>
  fromNumbers('float64', shape, values)
const run = (op: Op, inputs: (Tensor | undefined)[], attributes: PlainAttributes = {}): Tensor[] =>
  evaluateOp(op, inputs, attributes, { outputs: op === LSTM ? 3 : 2 }) as Tensor[]
const list = (value: Tensor): number[] => Array.from(numbers(value))

/** Numbers that differ from each other and stay small. */
const spread = (shape: readonly number[], seed: number): Tensor =>
  double(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 1.7 + seed)),
  )

describe('equations, one unit', () => {
  const x = double([2, 1, 1], [0.5, -1])

  test('RNN', () => {
    const [y, last] = run(RNN, [
      x,
      double([1, 1, 1], [2]),
      double([1, 1, 1], [0.5]),
      double([1, 2], [0.1, 0.2]),
    ])
    const first = tanh(1 + 0.3)
    expect(list(y!)).toEqual([first, tanh(-2 + 0.5 * first + 0.3)].map(v => expect.closeTo(v, 12)))
    expect(list(last!)).toEqual([list(y!)[1]])
  })

  test.each([0, 1])('GRU, linear_before_reset %i', linear_before_reset => {
    const [w, r] = [double([1, 3, 1], [1, 2, 3]), double([1, 3, 1], [0.1, 0.2, 0.3])]
    const bias = double([1, 6], [0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    const [y] = run(GRU, [x, w, r, bias, undefined, double([1, 1, 1], [0.7])], { linear_before_reset })
    let h = 0.7
    const wanted = [0.5, -1].map(input => {
      const z = sigmoid(input + 0.1 * h + 0.05)
      const reset = sigmoid(2 * input + 0.2 * h + 0.07)
      const recurrent = linear_before_reset ? reset * (0.3 * h + 0.06) : reset * h * 0.3 + 0.06
      return (h = (1 - z) * tanh(3 * input + recurrent + 0.03) + z * h)
    })
    expect(list(y!)).toEqual(wanted.map(v => expect.closeTo(v, 12)))
  })

  test.each([0, 1])('LSTM with peepholes, input_forget %i', input_forget => {
    const [w, r] = [double([1, 4, 1], [1, 2, 3, 4]), double([1, 4, 1], [0.1, 0.2, 0.3, 0.4])]
    const bias = double([1, 8], [0.1, 0.2, 0.3, 0.4, 0, 0, 0, 0.1])
    const initial = [double([1, 1, 1], [0.7]), double([1, 1, 1], [-0.3])]
    const peepholes = double([1, 3], [0.5, 0.6, 0.7])
    const [y, , cell] = run(LSTM, [x, w, r, bias, undefined, ...initial, peepholes], { input_forget })
    let [h, c] = [0.7, -0.3]
    const wanted = [0.5, -1].map(v => {
      const i = sigmoid(v + 0.1 * h + 0.5 * c + 0.1)
      const f = input_forget ? 1 - i : sigmoid(3 * v + 0.3 * h + 0.7 * c + 0.3)
      c = f * c + i * tanh(4 * v + 0.4 * h + 0.5)
      return (h = sigmoid(2 * v + 0.2 * h + 0.6 * c + 0.2) * tanh(c))
    })
    expect(list(y!)).toEqual(wanted.map(v => expect.closeTo(v, 12)))
    expect(list(cell!)).toEqual([expect.closeTo(c, 12)])
  })
})

describe('activations', () => {
  const apply = (x: number, attributes: PlainAttributes): number =>
    list(
      run(RNN, [double([1, 1, 1], [x]), double([1, 1, 1], [1]), double([1, 1, 1], [0])], attributes)[0]!,
    )[0]!
  const one = double([1, 1, 1], [1])

  test.each<[string, number[], number[], number, number]>([
    ['Relu', [], [], -2, 0],
    ['Tanh', [], [], 0.5, tanh(0.5)],
    ['Sigmoid', [], [], 0.5, sigmoid(0.5)],
    ['Affine', [], [], 3, 3],
    ['Affine', [2], [1], 3, 7],
    ['LeakyRelu', [], [], -2, -0.02],
    ['LeakyRelu', [0.5], [], -2, -1],
    ['ThresholdedRelu', [], [], 0.5, 0],
    ['ThresholdedRelu', [2], [], 2, 2],
    ['ScaledTanh', [3], [0.5], 1, 3 * tanh(0.5)],
    ['HardSigmoid', [], [], 1, 0.7],
    ['HardSigmoid', [1], [0.5], 1, 1],
    ['Elu', [2], [], -1, 2 * (Math.exp(-1) - 1)],
    ['Softsign', [], [], -3, -0.75],
    ['softplus', [], [], 1000, 1000],
  ])('%s %j %j', (name, activation_alpha, activation_beta, x, wanted) => {
    expect(apply(x, { activations: [name], activation_alpha, activation_beta })).toBeCloseTo(wanted, 12)
  })

  test('clip bounds what goes into them; alphas go to those that take one', () => {
    expect(apply(5, { activations: ['Affine'], clip: 2 })).toBe(2)
    expect(apply(-5, { activations: ['Affine'], clip: 2 })).toBe(-2)
    const w = double([1, 4, 1], [0, 0, 0, 3])
    const zero = double([1, 4, 1], [0, 0, 0, 0])
    // i = o = f = 0.5; c = 0.5 * 10 * 3; h = 0.5 * 100 * min(15, 4).
    const attributes = { activations: ['Sigmoid', 'Affine', 'Affine'], activation_alpha: [10, 100], clip: 4 }
    expect(list(run(LSTM, [one, w, zero], attributes)[1]!)).toEqual([200])
    expect(() => apply(1, { activations: ['Cosine'] })).toThrow(fails('bad-argument'))
    expect(() => run(LSTM, [one, w, zero], { activations: ['Tanh'] })).toThrow(fails('bad-argument'))
    expect(() => apply(1, { clip: -1 })).toThrow(fails('bad-argument'))
  })
})

describe.each<[Op, number]>([
  [RNN, 1],
  [GRU, 3],
  [LSTM, 4],
])('%o', (op, gates) => {
  const [T, N, I, H] = [4, 3, 2, 2]
  const weights = (directions: number, seed: number): Tensor[] => [
    spread([directions, gates * H, I], seed),
    spread([directions, gates * H, H], seed + 1),
    spread([directions, 2 * gates * H], seed + 2),
  ]
  /** [a, b, rest] as [b, a, rest]. */
  const swapped = (source: Tensor): Tensor => {
    const [a, b, ...rest] = source.shape as [number, number, ...number[]]
    const size = sizeOf(rest)
    const values = numbers(source)
    return double(
      [b, a, ...rest],
      Array.from({ length: values.length }, (_, i) => {
        const [row, column] = [Math.floor(i / size / a), Math.floor(i / size) % a]
        return values[(column * b + row) * size + (i % size)]!
      }),
    )
  }

  test('bidirectional is forward beside reverse, and reverse is forward on the reversed sequence', () => {
    const x = spread([T, 1, I], 1)
    const both = weights(2, 5)
    const half = (d: number): Tensor[] =>
      both.map(t =>
        double(
          [1, ...t.shape.slice(1)],
          list(t).slice((d * sizeOf(t.shape)) / 2, ((d + 1) * sizeOf(t.shape)) / 2),
        ),
      )
    const reversedX = double(
      [T, 1, I],
      Array.from({ length: T }, (_, t) => list(x).slice((T - 1 - t) * I, (T - t) * I)).flat(),
    )
    const [y, last] = run(op, [x, ...both], { direction: 'bidirectional' })
    const [forward, forwardLast] = run(op, [x, ...half(0)])
    const [reverse, reverseLast] = run(op, [x, ...half(1)], { direction: 'reverse' })
    const [turned] = run(op, [reversedX, ...half(1)])
    const steps = (t: Tensor): number[][] =>
      Array.from({ length: T }, (_, i) => list(t).slice(i * H, (i + 1) * H))
    expect(steps(reverse!)).toEqual(steps(turned!).toReversed())
    expect(list(y!)).toEqual(steps(forward!).flatMap((step, t) => [...step, ...steps(reverse!)[t]!]))
    expect(list(last!)).toEqual([...list(forwardLast!), ...list(reverseLast!)])
  })

  test('layout only moves axes', () => {
    const x = spread([T, N, I], 2)
    const h = spread([2, N, H], 3)
    const attributes = { direction: 'bidirectional' }
    const [y, last] = run(op, [x, ...weights(2, 7), undefined, h], attributes)
    const [z, zLast] = run(op, [swapped(x), ...weights(2, 7), undefined, swapped(h)], {
      ...attributes,
      layout: 1,
    })
    expect(list(zLast!)).toEqual(list(swapped(last!)))
    // [T, D, N, H] against [N, T, D, H].
    expect(z!.shape).toEqual([N, T, 2, H])
    const joined = double([T * 2, N, H], list(y!))
    expect(list(z!)).toEqual(list(swapped(joined)))
  })

  test('a short sequence gives what it gives alone, then zeros', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: T }),
        fc.constantFrom('forward', 'reverse'),
        (length, direction) => {
          const x = spread([T, 1, I], 4)
          const lengths = fromNumbers('int32', [1], [length])
          const [y, last] = run(op, [x, ...weights(1, 9), lengths], { direction })
          const [alone, aloneLast] = run(
            op,
            [double([length, 1, I], list(x).slice(0, length * I)), ...weights(1, 9)],
            { direction },
          )
          expect(list(y!)).toEqual([...list(alone!), ...new Array<number>((T - length) * H).fill(0)])
          expect(list(last!)).toEqual(list(aloneLast!))
        },
      ),
    )
  })

  test('types, cost, weights, and what does not fit', () => {
    const types = [
      ['t', 'n', I],
      [1, gates * H, I],
      [1, gates * H, H],
    ].map(shape => tensorType('float32', shape))
    const c = inferContextOf(op, types, { layout: 1 }, { outputs: 2 })
    expect(op.infer(c)).toEqual([tensorType('float32', ['t', 'n', 1, H]), tensorType('float32', ['t', 1, H])])
    expect(op.macs!(c)).toBe(`${gates * H * (I + H)}*n*t`)
    expect(op.weights!(c)).toEqual([1, 2].map(input => ({ input, rows: [0, 1], columns: [2] })))
    const x = zeros('float32', [T, N, I])
    const fitting = [
      [1, gates * H, I],
      [1, gates * H, H],
    ].map(shape => zeros('float32', shape))
    expect(() => run(op, [x, ...fitting], { direction: 'bidirectional' })).toThrow(fails('bad-shape'))
    expect(() => run(op, [x, ...fitting, zeros('float32', [1, 3])])).toThrow(fails('bad-shape'))
    for (const attributes of [{ direction: 'sideways' }, { layout: 2 }, { hidden_size: 5 }])
      expect(() => run(op, [x, ...fitting], attributes)).toThrow(fails('bad-argument'))
    expect(() => run(op, [x, ...fitting, undefined, fromNumbers('int32', [N], [1, 2, 9])])).toThrow(
      fails('bad-argument'),
    )
  })
})
