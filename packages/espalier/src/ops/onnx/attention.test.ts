/** The attention family against its definition: masks, caches, grouped heads, recurrences, rotations. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { numberOfDtype } from '../../formats/onnx/tensor-proto.ts'
import { type Graph, tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { int64, type RuntimeValue, type Tensor, zeros } from '../../tensor/tensor.ts'
import { firstDifference } from '../../tensor/testing.ts'
import {
  evaluateNumbers,
  evaluateOp,
  inferContextOf,
  inferOp,
  type PlainAttributes,
} from '../support/testing.ts'
import { Attention, CausalConvWithState, FlexAttention, LinearAttention, RotaryEmbedding } from './index.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })
const minusInfinity = Number.NEGATIVE_INFINITY
const double = (shape: readonly number[], values: readonly number[]): Tensor =>
  fromNumbers('float64', shape, values)
const spread = (shape: readonly number[], seed: number): Tensor =>
  double(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 1.7 + seed)),
  )
const list = (value: unknown): number[] => Array.from(numbers(value as Tensor))
const close = (values: readonly number[]): unknown[] =>
  values.map(v => (Number.isFinite(v) ? expect.closeTo(v, 10) : v))

/** One head; queries and keys have one element, so that scores are products; values are 1, 10, 100... */
const q = double([1, 1, 2, 1], [1, 2])
const k = double([1, 1, 3, 1], [0.5, -1, 0.25])
const v = double([1, 1, 3, 1], [1, 10, 100])
const attend = (
  inputs: (Tensor | undefined)[] = [],
  attributes: PlainAttributes = {},
  opset?: number,
): Tensor[] =>
  evaluateOp(Attention, [q, k, v, ...inputs], attributes, { outputs: 4, ...(opset && { opset }) }) as Tensor[]
/** Rows of probabilities, to three places as whole numbers; keys that are not seen are 0. */
const seen = (inputs: (Tensor | undefined)[], attributes: PlainAttributes = {}, opset?: number): number[] =>
  list(attend(inputs, { qk_matmul_output_mode: 3, ...attributes }, opset)[3]).map(p => Math.sign(p))

describe('Attention', () => {
  const scores = [0.5, -1, 0.25, 1, -2, 0.5]
  const softmax = (row: number[]): number[] => {
    const powers = row.map(Math.exp)
    const sum = powers.reduce((a, b) => a + b)
    return powers.map(p => p / sum)
  }

  test('is softmax(q k^T scale) v', () => {
    const probabilities = [softmax(scores.slice(0, 3)), softmax(scores.slice(3))]
    const [y, presentKeys, presentValues, products] = attend()
    expect(list(y)).toEqual(close(probabilities.map(([a, b, c]) => a! + 10 * b! + 100 * c!)))
    expect([presentKeys, presentValues]).toEqual([k, v])
    expect(list(products)).toEqual(close(scores))
    expect(list(attend([], { scale: 2 })[3])).toEqual(close(scores.map(s => 2 * s)))
  })

  test('what the fourth output shows', () => {
    const mask = fromNumbers('bool', [2, 3], [1, 0, 1, 1, 1, 0])
    const capped = scores.map(s => 2 * Math.tanh(s / 2))
    const stages = [scores, capped, capped.map((s, i) => (i === 1 || i === 5 ? minusInfinity : s))]
    for (const [mode, wanted] of stages.entries())
      expect(list(attend([mask], { qk_matmul_output_mode: mode, softcap: 2 })[3])).toEqual(close(wanted))
    const rows = [stages[2]!.slice(0, 3), stages[2]!.slice(3)].flatMap(softmax)
    expect(list(attend([mask], { qk_matmul_output_mode: 3, softcap: 2 })[3])).toEqual(close(rows))
    expect(() => attend([], { qk_matmul_output_mode: 4 })).toThrow(fails('bad-argument'))
  })

  test('masks broadcast from any rank; numbers are added', () => {
    const one = [1, 0, 1]
    for (const shape of [[3], [1, 3], [1, 1, 3], [1, 1, 1, 3]])
      expect(seen([fromNumbers('bool', shape, one)])).toEqual([...one, ...one])
    expect(seen([fromNumbers('bool', [2, 1], [1, 0])], {}, 23)).toEqual([1, 1, 1, 0, 0, 0])
    const added = list(attend([double([3], [0, 1, 0])], { qk_matmul_output_mode: 2 })[3])
    expect(added).toEqual(close(scores.map((s, i) => (i % 3 === 1 ? s + 1 : s))))
    expect(() => attend([zeros('bool', [3, 3])])).toThrow(fails('bad-shape'))
    expect(() => attend([zeros('bool', [2, 4])])).toThrow(fails('bad-shape'))
  })

  test('a short mask is continued with minus infinity, from opset 24 on', () => {
    expect(seen([fromNumbers('bool', [1, 2], [1, 1])])).toEqual([1, 1, 0, 1, 1, 0])
    expect(seen([double([1], [0])])).toEqual([1, 0, 0, 1, 0, 0])
    expect(() => seen([fromNumbers('bool', [1, 2], [1, 1])], {}, 23)).toThrow(fails('bad-shape'))
  })

  test('causal and windowed, with and without a past, or valid keys of a cache outside', () => {
    const causal = { is_causal: 1 }
    expect(seen([], causal)).toEqual([1, 0, 0, 1, 1, 0])
    const past = [undefined, double([1, 1, 1, 1], [1]), double([1, 1, 1, 1], [0])]
    expect(seen(past, causal)).toEqual([1, 1, 0, 0, 1, 1, 1, 0])
    const valid = (count: number): (Tensor | undefined)[] => [undefined, undefined, undefined, int64([count])]
    expect(seen(valid(2))).toEqual([1, 1, 0, 1, 1, 0])
    expect(seen(valid(3), causal)).toEqual([1, 1, 0, 1, 1, 1])
    expect(seen(valid(1), causal)).toEqual([0, 0, 0, 1, 0, 0])
    expect(seen([], { left_window_size: 0, right_window_size: 1 })).toEqual([1, 1, 0, 0, 1, 1])
    expect(seen(past, { left_window_size: 1 })).toEqual([1, 1, 1, 1, 0, 1, 1, 1])
    expect(seen([], { right_window_size: 2, is_causal: 1 })).toEqual([1, 0, 0, 1, 1, 0])
    expect(seen(valid(3), { left_window_size: 0 })).toEqual([0, 1, 1, 0, 0, 1])
    expect(seen([fromNumbers('bool', [1, 3], [0, 1, 1])], causal)).toEqual([0, 0, 0, 0, 1, 0])
    expect(() => seen([], { left_window_size: -2 })).toThrow(fails('bad-argument'))
  })

  test('a query that sees nothing gives zeros; NaN elsewhere is kept', () => {
    const mask = fromNumbers('bool', [2, 3], [0, 0, 0, 1, 1, 1])
    const [y, , , probabilities] = attend([mask], { qk_matmul_output_mode: 3 })
    expect(list(y)[0]).toBe(0)
    expect(list(probabilities).slice(0, 3)).toEqual([0, 0, 0])
    const broken = double([1, 1, 3, 1], [Number.NaN, 0, 0])
    const result = evaluateOp(Attention, [q, broken, v, mask])[0]
    expect(list(result)).toEqual([0, Number.NaN])
    const none = [zeros('float64', [1, 1, 0, 1]), zeros('float64', [1, 1, 0, 1])]
    expect(list(evaluateOp(Attention, [q, ...none])[0])).toEqual([0, 0])
  })

  test('a past is put in front, whole or in steps', () => {
    const [keys, values] = [spread([2, 2, 5, 3], 1), spread([2, 2, 5, 4], 2)]
    const part = (t: Tensor, from: number, to: number): Tensor => {
      const [b, h, length, size] = t.shape as [number, number, number, number]
      const rows = Array.from({ length: b * h }, (_, i) =>
        list(t).slice((i * length + from) * size, (i * length + to) * size),
      )
      return double([b, h, to - from, size], rows.flat())
    }
    const queries = spread([2, 4, 2, 3], 3)
    const whole = evaluateOp(Attention, [queries, keys, values], {}, { outputs: 3 })
    const past = [undefined, part(keys, 0, 3), part(values, 0, 3)]
    const steps = evaluateOp(
      Attention,
      [queries, part(keys, 3, 5), part(values, 3, 5), ...past],
      {},
      { outputs: 3 },
    )
    expect(steps).toEqual(whole)
  })

  test('packed heads are separate heads side by side; query heads share', () => {
    const [b, n, s, e] = [2, 3, 4, 2]
    const pack = (t: Tensor): Tensor => {
      const [, heads, length, size] = t.shape as [number, number, number, number]
      const values = Array.from({ length: sizeOf(t.shape) }, (_, i) => {
        const [x, h, p] = [i % size, Math.floor(i / size) % heads, Math.floor(i / size / heads) % length]
        return list(t)[((Math.floor(i / size / heads / length) * heads + h) * length + p) * size + x]!
      })
      return double([b, length, heads * size], values)
    }
    const inputs = [spread([b, 4, n, e], 1), spread([b, 2, s, e], 2), spread([b, 2, s, 3], 3)]
    const heads = { q_num_heads: 4, kv_num_heads: 2 }
    const [apart] = evaluateOp(Attention, inputs, { is_causal: 1 }) as [Tensor]
    const [packed, presentKeys] = evaluateOp(
      Attention,
      inputs.map(pack),
      { ...heads, is_causal: 1 },
      { outputs: 3 },
    )
    expect(packed).toEqual(pack(apart))
    expect(presentKeys).toEqual(inputs[1])
    const repeated = inputs.slice(1).map(t => {
      const half = sizeOf(t.shape.slice(2))
      const blocks = Array.from({ length: b * 4 }, (_, i) =>
        list(t).slice(Math.floor(i / 2) * half, (Math.floor(i / 2) + 1) * half),
      )
      return double([b, 4, ...t.shape.slice(2)], blocks.flat())
    })
    expect(evaluateOp(Attention, [inputs[0]!, ...repeated], { is_causal: 1 })).toEqual([apart])
  })

  test('softmax_precision rounds scores and probabilities', () => {
    const attributes = { qk_matmul_output_mode: 3, softmax_precision: numberOfDtype('bfloat16') }
    for (const p of list(attend([], attributes)[3]))
      expect(list(fromNumbers('bfloat16', [], [p]))).toEqual([p])
    expect(() => attend([], { softmax_precision: numberOfDtype('int8') })).toThrow(fails('bad-argument'))
  })

  test('types and cost', () => {
    const c = inferContextOf(
      Attention,
      [
        tensorType('float16', ['b', 's', 64]),
        tensorType('float16', ['b', 's', 32]),
        tensorType('float32', ['b', 's', 48]),
        undefined,
        tensorType('float16', ['b', 2, 'p', 16]),
        tensorType('float32', ['b', 2, 'p', 24]),
      ],
      { q_num_heads: 4, kv_num_heads: 2 },
      { outputs: 4 },
    )
    expect(Attention.infer(c)).toEqual([
      tensorType('float16', ['b', 's', 96]),
      tensorType('float16', ['b', 2, 'p+s', 16]),
      tensorType('float32', ['b', 2, 'p+s', 24]),
      tensorType('float16', ['b', 4, 's', 'p+s']),
    ])
    expect(Attention.macs!(c)).toBe('160*b*p*s+160*b*s*s')
  })

  test('what does not fit', () => {
    const key = double([1, 1, 1, 1], [1])
    expect(() => attend([undefined, key])).toThrow(fails('bad-argument'))
    expect(() => attend([undefined, key, key, int64([1])])).toThrow(fails('bad-argument'))
    expect(() => attend([undefined, undefined, undefined, int64([1, 2])])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(Attention, [q, v, zeros('float64', [1, 1, 2, 1])])).toThrow(fails('bad-shape'))
    expect(() =>
      evaluateOp(Attention, [
        zeros('float64', [1, 3, 2, 1]),
        zeros('float64', [1, 2, 3, 1]),
        zeros('float64', [1, 2, 3, 1]),
      ]),
    ).toThrow(fails('bad-shape'))
    const packed = zeros('float64', [1, 2, 6])
    expect(() => evaluateOp(Attention, [packed, packed, packed])).toThrow(fails('bad-argument'))
    expect(() =>
      evaluateOp(Attention, [packed, packed, packed], { q_num_heads: 4, kv_num_heads: 2 }),
    ).toThrow(fails('bad-shape'))
  })
})

describe('FlexAttention', () => {
  const body = (name: string): Graph => ({
    name,
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: new Map(),
    values: new Map(),
    opsets: new Map(),
  })
  const bodies = {
    score_mod: { type: 'graph', value: body('scores') },
    prob_mod: { type: 'graph', value: body('probabilities') },
  } as const

  test('without bodies it is Attention', () => {
    const inputs = [spread([2, 4, 3, 2], 1), spread([2, 2, 5, 2], 2), spread([2, 2, 5, 3], 3)]
    expect(evaluateOp(FlexAttention, inputs, { scale: 0.25 })).toEqual(
      evaluateOp(Attention, inputs, { scale: 0.25 }),
    )
    expect(inferOp(FlexAttention, inputs)).toEqual([tensorType('float64', [2, 4, 3, 3])])
  })

  test('queries, keys and scores are rounded to the type of the inputs', () => {
    const half = (...values: number[]): Tensor => fromNumbers('float16', [1, 1, 1, 2], values)
    const seen: number[] = []
    const runGraph = (_: Graph, [given]: readonly RuntimeValue[]): readonly RuntimeValue[] => {
      seen.push(...list(given as Tensor))
      return [given!]
    }
    const { score_mod } = bodies
    evaluateOp(FlexAttention, [half(1, 1), half(1, 3), half(0, 0)], { score_mod, scale: 0.1 }, { runGraph })
    // In float16, sqrt(0.1) is 1295 / 4096 and three times that 1942 / 2048; their products make 1637.4 / 4096.
    expect(seen).toEqual([1637 / 4096])
  })

  test('bodies change scores and probabilities, in the precision of the softmax', () => {
    const half = [q, k, v].map(t => fromNumbers('float16', t.shape, numbers(t)))
    const calls: string[] = []
    const [y] = evaluateOp(FlexAttention, half, bodies, {
      runGraph: ({ name }, [given]) => {
        const { dtype, shape } = given as Tensor
        calls.push(`${name} ${dtype} ${shape}`)
        // Only the first key is seen; then probabilities count twice.
        const values = list(given).map((value, i) =>
          name === 'scores' ? (i % 3 === 0 ? value : minusInfinity) : 2 * value,
        )
        return [fromNumbers(dtype, shape, values)]
      },
    })
    expect(calls).toEqual(['scores float32 1,1,2,3', 'probabilities float32 1,1,2,3'])
    expect(y).toEqual(fromNumbers('float16', [1, 1, 2, 1], [2, 2]))
  })

  test('a row of minus infinities is NaN, and a body that gives something else an error', () => {
    const give = (result: Tensor): unknown =>
      evaluateOp(FlexAttention, [q, k, v], bodies, { runGraph: () => [result] })
    expect(() => give(zeros('float64', [2, 3]))).toThrow(fails('bad-shape'))
    const [y] = evaluateOp(
      FlexAttention,
      [q, k, v],
      { score_mod: bodies.score_mod },
      {
        runGraph: () => [double([1, 1, 2, 3], new Array<number>(6).fill(minusInfinity))],
      },
    )
    expect(list(y)).toEqual([Number.NaN, Number.NaN])
  })
})

describe('LinearAttention', () => {
  // Keys of two elements, values of one: the state has two numbers.
  const [query, key, value] = [
    double([1, 2, 2], [1, 2, 3, 4]),
    double([1, 2, 2], [0.5, 1, -1, 2]),
    double([1, 2, 1], [2, 3]),
  ]
  const decay = double([1, 2, 1], [Math.log(0.5), Math.log(0.25)])
  const beta = double([1, 2, 1], [0.5, 2])
  const heads = { q_num_heads: 1, kv_num_heads: 1, scale: 1 }

  test.each<[string, (Tensor | undefined)[], number[], number[]]>([
    ['linear', [], [5, 3 * -2 + 4 * 8], [-2, 8]],
    ['gated', [undefined, decay], [5, 3 * -2.75 + 4 * 6.5], [-2.75, 6.5]],
    // Step 1 writes 0.5 * 2; step 2 retrieves -0.5 + 2 and writes 2 * (3 - 1.5).
    ['delta', [undefined, undefined, beta], [2.5, 3 * -2.5 + 4 * 7], [-2.5, 7]],
    // The same with the state scaled by 0.25 first: retrieves 0.375, writes 5.25.
    ['gated_delta', [undefined, decay, beta], [2.5, 3 * -5.125 + 4 * 10.75], [-5.125, 10.75]],
  ])('%s', (update_rule, more, output, state) => {
    const [y, present] = evaluateOp(
      LinearAttention,
      [query, key, value, ...more],
      { ...heads, update_rule },
      { outputs: 2 },
    )
    expect(list(present)).toEqual(close(state))
    expect(list(y)).toEqual(close(output))
  })

  test('in steps, from the state that was left', () => {
    const inputs = [spread([2, 4, 4 * 3], 1), spread([2, 4, 2 * 3], 2), spread([2, 4, 2 * 2], 3)]
    const gates = [spread([2, 4, 2 * 3], 4), spread([2, 4, 2], 5)]
    const attributes = { q_num_heads: 4, kv_num_heads: 2 }
    const part = (t: Tensor, step: number): Tensor =>
      double(
        [2, 1, t.shape[2]!],
        [0, 1].flatMap(n => list(t).slice((n * 4 + step) * t.shape[2]!, (n * 4 + step + 1) * t.shape[2]!)),
      )
    const [whole, state] = evaluateOp(LinearAttention, [...inputs, undefined, ...gates], attributes, {
      outputs: 2,
    })
    let past: Tensor | undefined
    for (let step = 0; step < 4; step++) {
      const given = [...inputs.map(t => part(t, step)), past, ...gates.map(t => part(t, step))]
      const [y, present] = evaluateOp(LinearAttention, given, attributes, { outputs: 2 }) as Tensor[]
      expect(list(y)).toEqual(close(list(part(whole as Tensor, step))))
      past = present
    }
    expect(firstDifference(past!, state as Tensor, { relative: 1e-12, absolute: 1e-12 })).toBeUndefined()
  })

  test('types, cost, and what does not fit', () => {
    const types = [
      ['b', 't', 64],
      ['b', 't', 32],
      ['b', 't', 48],
    ].map(shape => tensorType('float16', shape))
    const c = inferContextOf(
      LinearAttention,
      types,
      { q_num_heads: 4, kv_num_heads: 2, update_rule: 'gated' },
      { outputs: 2 },
    )
    expect(LinearAttention.infer(c)).toEqual([
      tensorType('float16', ['b', 't', 96]),
      tensorType('float16', ['b', 2, 16, 24]),
    ])
    expect(LinearAttention.macs!(c)).toBe('2304*b*t')
    const run = (attributes: PlainAttributes, ...more: Tensor[]): unknown =>
      evaluateOp(LinearAttention, [query, key, value, ...more], { ...heads, ...attributes })
    expect(() => run({ update_rule: 'softmax' })).toThrow(fails('bad-argument'))
    expect(() => run({ q_num_heads: 3, kv_num_heads: 2 })).toThrow(fails('bad-argument'))
    expect(() => run({ update_rule: 'linear' }, zeros('float64', [1, 1, 1, 1]))).toThrow(fails('bad-shape'))
    expect(() => run({ update_rule: 'gated' })).toThrow(fails('missing-input'))
  })
})

describe('CausalConvWithState', () => {
  const input = double([1, 2, 3], [1, 2, 3, 10, 20, 30])
  const weight = double([2, 1, 3], [1, 10, 100, 0.5, 0, 1])
  const run = (inputs: (Tensor | undefined)[], attributes: PlainAttributes = {}): number[][] =>
    evaluateOp(CausalConvWithState, inputs, attributes, { outputs: 2 }).map(list)

  test('looks back only, and carries the last elements', () => {
    expect(run([input, weight])).toEqual([
      [100, 210, 321, 10, 20, 35],
      [2, 3, 20, 30],
    ])
    const past = double([1, 2, 2], [5, 6, 7, 8])
    expect(run([input, weight, double([2], [1000, 0]), past])[0]).toEqual([1165, 1216, 1321, 13.5, 24, 35])
    const one = double([1, 2, 1], [9, 9])
    expect(run([one, weight, undefined, past])).toEqual([
      [965, 12.5],
      [6, 9, 8, 9],
    ])
  })

  test('activations, kernels of one element, types', () => {
    const [silu] = run([double([1, 1, 1], [2]), double([1, 1, 1], [1])], { activation: 'silu' })
    expect(silu).toEqual(close([2 / (1 + Math.exp(-2))]))
    // -5.015625 * 1.005859375 is -5.045013427734375, in float16 -5.046875; that is what is activated.
    const half = (value: number): Tensor => fromNumbers('float16', [1, 1, 1], [value])
    expect(run([half(-5.015625), half(1.005859375)], { activation: 'silu' })[0]).toEqual([-0.0322265625])
    expect(run([double([1, 1, 2], [2, 3]), double([1, 1, 1], [2])])).toEqual([[4, 6], []])
    const types = [tensorType('float16', ['b', 8, 't']), tensorType('float16', [8, 1, 4])]
    const c = inferContextOf(CausalConvWithState, types, {}, { outputs: 2 })
    expect(CausalConvWithState.infer(c)).toEqual([types[0], tensorType('float16', ['b', 8, 3])])
    expect(CausalConvWithState.macs!(c)).toBe('32*b*t')
    expect(() => run([input, weight], { activation: 'relu' })).toThrow(fails('bad-argument'))
    expect(() => run([input, zeros('float64', [2, 2, 3])])).toThrow(fails('bad-shape'))
    expect(() => run([input, weight, undefined, zeros('float64', [1, 2, 3])])).toThrow(fails('bad-shape'))
  })
})

describe('RotaryEmbedding', () => {
  const quarter = [double([3, 2], [1, 1, 0, 0, -1, 1]), double([3, 2], [0, 0, 1, 1, 0, 0])]
  const x = double([1, 1, 3, 4], [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4])
  const ids = fromNumbers('int64', [1, 3], [0, 1, 2])

  test('halves and neighbours, whole heads and parts of them', () => {
    expect(evaluateNumbers(RotaryEmbedding, [x, ...quarter, ids])).toEqual([
      1, 2, 3, 4, -3, -4, 1, 2, -1, 2, -3, 4,
    ])
    expect(evaluateNumbers(RotaryEmbedding, [x, ...quarter, ids], { interleaved: 1 })).toEqual([
      1, 2, 3, 4, -2, 1, -4, 3, -1, -2, 3, 4,
    ])
    const single = quarter.map(t =>
      double(
        [3, 1],
        list(t).filter((_, i) => i % 2 === 0),
      ),
    )
    expect(evaluateNumbers(RotaryEmbedding, [x, ...single, ids], { rotary_embedding_dim: 2 })).toEqual([
      1, 2, 3, 4, -2, 1, 3, 4, -1, -2, 3, 4,
    ])
  })

  test('packed heads, and caches by position', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), (batch, heads) => {
        const packed = spread([batch, 3, heads * 4], 1)
        const apart = spread([batch, heads, 3, 4], 1)
        const order = Array.from({ length: sizeOf(apart.shape) }, (_, i) => {
          const [e, s, h] = [i % 4, Math.floor(i / 4) % 3, Math.floor(i / 12) % heads]
          return ((Math.floor(i / 12 / heads) * 3 + s) * heads + h) * 4 + e
        })
        const moved = double(
          apart.shape,
          order.map(from => list(packed)[from]!),
        )
        const positions = fromNumbers(
          'int64',
          [batch, 3],
          new Array<number>(batch * 3).fill(0).map((_, i) => (i * 2) % 3),
        )
        const rows = list(positions)
        const own = quarter.map(t =>
          double(
            [batch, 3, 2],
            rows.flatMap(row => list(t).slice(row * 2, row * 2 + 2)),
          ),
        )
        const y = evaluateNumbers(RotaryEmbedding, [packed, ...quarter, positions], { num_heads: heads })
        expect(evaluateNumbers(RotaryEmbedding, [packed, ...own], { num_heads: heads })).toEqual(y)
        expect(evaluateNumbers(RotaryEmbedding, [moved, ...own])).toEqual(order.map(from => y[from]))
      }),
      { numRuns: 20 },
    )
  })

  test('what does not fit', () => {
    expect(() => evaluateOp(RotaryEmbedding, [x, ...quarter])).toThrow(fails('bad-shape'))
    expect(() => evaluateOp(RotaryEmbedding, [zeros('float64', [1, 3, 4]), ...quarter, ids])).toThrow(
      fails('bad-shape'),
    )
    expect(() =>
      evaluateOp(RotaryEmbedding, [x, ...quarter, fromNumbers('int64', [1, 3], [0, 1, 3])]),
    ).toThrow(fails('bad-argument'))
    expect(() => evaluateOp(RotaryEmbedding, [x, ...quarter, ids], { rotary_embedding_dim: 3 })).toThrow(
      fails('bad-argument'),
    )
  })
})
