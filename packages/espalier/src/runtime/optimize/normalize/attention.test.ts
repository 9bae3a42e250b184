import { describe, expect, test } from 'vitest'
import type { Handle } from '../../../graph/builder.ts'
import type { Graph } from '../../../graph/graph.ts'
import { tensor } from '../../../tensor/tensor.ts'
import { expectRewrite, float, operatorsIn, type Sketch, sketch } from '../rules.suite.ts'
import { normalizeRules } from './index.ts'

const symbols = { b: 2, s: 3, t: 5 }

interface Parts {
  readonly q: Handle
  readonly k: Handle
  readonly v: Handle
}

/** A graph on q [b, 2, s, 4] and k, v [b, 2, t, 4], heads first. */
function of(build: (g: Sketch, parts: Parts) => Handle | Handle[], opset = 17): Graph {
  return sketch(
    g => {
      const heads = (name: string, length: string): Handle => g.input(name, 'float32', ['b', 2, length, 4])
      return build(g, { q: heads('q', 's'), k: heads('k', 't'), v: heads('v', 't') })
    },
    { opset },
  )
}

const turned = (g: Sketch, k: Handle): Handle => g.node('Transpose', [k], { perm: [0, 1, 3, 2] })
const scores = (g: Sketch, { q, k }: Parts): Handle => g.node('MatMul', [q, turned(g, k)])
const read = (g: Sketch, weights: Handle, { v }: Parts): Handle =>
  g.node('MatMul', [g.node('Softmax', [weights], { axis: -1 }), v])

function attributesOf(graph: Graph): Record<string, unknown> {
  return Object.fromEntries([...graph.nodes.at(-1)!.attributes].map(([name, { value }]) => [name, value]))
}

describe('spellings', () => {
  test.each<[string, (g: Sketch, parts: Parts) => Handle, number]>([
    ['plain', (g, p) => read(g, scores(g, p), p), 1],
    ['divided', (g, p) => read(g, g.node('Div', [scores(g, p), g.scalar(2)]), p), 0.5],
    ['multiplied', (g, p) => read(g, g.node('Mul', [g.scalar(0.5), scores(g, p)]), p), 0.5],
    ['q scaled', (g, p) => read(g, scores(g, { ...p, q: g.node('Mul', [p.q, g.scalar(0.5)]) }), p), 0.5],
    [
      'q and k scaled',
      (g, p) => {
        const root = (x: Handle): Handle => g.node('Mul', [x, g.scalar(Math.SQRT1_2)])
        return read(g, g.node('MatMul', [root(p.q), root(turned(g, p.k))]), p)
      },
      0.5,
    ],
  ])('%s', (_, build, scale) => {
    const result = expectRewrite(of(build), normalizeRules, 'espalier.Attention', { symbols })
    expect(attributesOf(result)).toMatchObject({ k_layout: 'bhsd', causal: 0 })
    expect(attributesOf(result).scale).toBeCloseTo(scale, 6)
  })

  const keyMask = tensor('float32', [2, 1, 1, 5], Float32Array.of(0, 0, -1e9, 0, 0, 0, 0, 0, 0, -1e9))
  const allowed = tensor('bool', [1, 1, 3, 5], Uint8Array.of(1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 0))
  test('masks that are added, or replace scores', () => {
    const mask = (g: Sketch): Handle => g.input('mask', 'float32', ['b', 1, 1, 't'])
    const where = (g: Sketch): Handle => g.input('allowed', 'bool', [1, 1, 's', 't'])
    const added = of((g, p) => read(g, g.node('Add', [mask(g), scores(g, p)]), p))
    expectRewrite(added, normalizeRules, 'espalier.Attention', { symbols, feeds: { mask: keyMask } })
    for (const value of [-3.4e38, -1e9]) {
      const graph = of((g, p) => {
        const masked = g.node('Where', [where(g), scores(g, p), g.scalar(value)])
        return read(g, g.node('Add', [masked, mask(g)]), p)
      })
      const feeds = { mask: keyMask, allowed }
      expectRewrite(graph, normalizeRules, 'Where Add espalier.Attention', { symbols, feeds })
    }
    const reverse = of((g, p) => {
      const hidden = g.node('Not', [where(g)])
      return read(g, g.node('Where', [hidden, g.scalar(Number.NEGATIVE_INFINITY), scores(g, p)]), p)
    })
    expectRewrite(reverse, normalizeRules, 'Not Where espalier.Attention', { symbols, feeds: { allowed } })
  })

  test.each<[string, (g: Sketch, p: Parts) => Handle | Handle[], string]>([
    [
      'another axis',
      (g, p) => g.node('MatMul', [g.node('Softmax', [scores(g, p)], { axis: 2 }), p.v]),
      'Transpose MatMul Softmax MatMul',
    ],
    [
      'scores that are an output',
      (g, p) => {
        const own = scores(g, p)
        return [read(g, own, p), own]
      },
      'Transpose MatMul Softmax MatMul',
    ],
    [
      'weights that are read elsewhere',
      (g, p) => {
        const weights = g.node('Softmax', [scores(g, p)], { axis: -1 })
        return [g.node('MatMul', [weights, p.v]), g.node('Neg', [weights])]
      },
      'Transpose MatMul Softmax MatMul Neg',
    ],
    [
      'a mask that is scaled with the scores',
      (g, p) => {
        const masked = g.node('Add', [scores(g, p), g.input('mask', 'float32', [1, 1, 1, 't'])])
        return read(g, g.node('Mul', [masked, g.scalar(0.5)]), p)
      },
      'Transpose MatMul Add Mul Softmax MatMul',
    ],
    [
      'scores replaced by what does not vanish',
      (g, p) => {
        const where = g.input('allowed', 'bool', [1, 1, 's', 't'])
        return read(g, g.node('Where', [where, scores(g, p), g.scalar(-5)]), p)
      },
      'Transpose MatMul Where Softmax MatMul',
    ],
    [
      'a mask for more heads than there are',
      (g, p) =>
        read(
          g,
          g.node('Add', [
            scores(g, { ...p, q: g.input('q1', 'float32', ['b', 2, 1, 4]) }),
            g.weights([3, 1]),
          ]),
          p,
        ),
      'Transpose MatMul Add Softmax MatMul',
    ],
  ])('not with %s', (_, build, remaining) => {
    expectRewrite(of(build), normalizeRules, remaining, { symbols })
  })
})

describe('layouts', () => {
  const split = (g: Sketch, name: string, length: string): Handle =>
    g.node('Reshape', [g.input(name, 'float32', ['b', length, 8]), g.ints([0, 0, 2, 4])])
  const heads = (g: Sketch, x: Handle, perm = [0, 2, 1, 3]): Handle => g.node('Transpose', [x], { perm })
  test('transposes around it disappear', () => {
    const graph = sketch(g => {
      const [q, v] = [heads(g, split(g, 'q', 's')), heads(g, split(g, 'v', 't'))]
      const k = heads(g, split(g, 'k', 't'), [0, 2, 3, 1])
      const y = read(g, g.node('MatMul', [q, k]), { q, k, v })
      return g.node('Reshape', [heads(g, y), g.ints([0, 0, -1])])
    })
    const result = expectRewrite(
      graph,
      normalizeRules,
      'Reshape Reshape Reshape espalier.Attention Reshape',
      { symbols },
    )
    const { attributes } = result.nodes.at(-2)!
    for (const name of ['q_layout', 'k_layout', 'v_layout', 'y_layout'])
      expect(attributes.get(name)).toEqual({ type: 'string', value: 'bshd' })
  })
  test('one packed projection, taken apart behind a transpose', () => {
    const graph = sketch(g => {
      const packed = g.node('Reshape', [g.input('x', 'float32', ['b', 's', 24]), g.ints([0, 0, 3, 2, 4])])
      const all = g.node('Transpose', [packed], { perm: [2, 0, 3, 1, 4] })
      const [q, k, v] = [0, 1, 2].map(i =>
        g.node('Gather', [all, g.constant(tensor('int64', [], BigInt64Array.of(BigInt(i))))], { axis: 0 }),
      ) as [Handle, Handle, Handle]
      return heads(g, read(g, scores(g, { q, k, v }), { q, k, v }))
    })
    expectRewrite(graph, normalizeRules, 'Reshape Gather Gather Gather espalier.Attention', { symbols })
  })
})

describe('cache', () => {
  const past = (g: Sketch, name: string): Handle => g.input(name, 'float32', ['b', 2, 'p', 4])
  const all = { ...symbols, p: 6 }
  const cached = (g: Sketch, { q, k, v }: Parts): Handle[] => {
    const keys = g.node('Concat', [past(g, 'pk'), k], { axis: 2 }, { outputs: ['present_k'] })
    const values = g.node('Concat', [past(g, 'pv'), v], { axis: -2 }, { outputs: ['present_v'] })
    return [read(g, scores(g, { q, k: keys, v: values }), { q, k: keys, v: values }), keys, values]
  }
  test('past and new are taken apart', () => {
    const result = expectRewrite(of(cached), normalizeRules, 'espalier.Attention', { symbols: all })
    expect(result.nodes[0]!.inputs).toEqual(['q', 'k', 'v', '', 'pk', 'pv'])
    expect(result.nodes[0]!.outputs.slice(1)).toEqual(['present_k', 'present_v'])
  })
  test('its length may make the mask', () => {
    const graph = of((g, p) => {
      const [, keys, values] = cached(g, p) as [Handle, Handle, Handle]
      const own = g.node('MatMul', [p.q, turned(g, keys)])
      const length = g.node('Gather', [g.node('Shape', [own]), g.ints([3])])
      const mask = g.node('Expand', [g.scalar(-2), length])
      return [read(g, g.node('Add', [own, mask]), { ...p, v: values }), keys, values]
    })
    const result = expectRewrite(
      graph,
      normalizeRules,
      'Shape Gather Shape Gather Shape Gather Shape Gather Add Concat Gather Expand espalier.Attention',
      { symbols: all },
    )
    expect(result.nodes.at(-1)!.inputs.length).toBe(6)
  })
  test('not where the query needs the appended keys', () => {
    const graph = of((g, p) => {
      const keys = g.node('Concat', [past(g, 'pk'), p.k], { axis: 2 })
      const values = g.node('Concat', [past(g, 'pv'), p.v], { axis: 2 })
      const q = g.node('Add', [p.q, g.node('ReduceMean', [keys], { axes: [2], keepdims: 1 })])
      return read(g, scores(g, { q, k: keys, v: values }), { q, k: keys, v: values })
    })
    expectRewrite(graph, normalizeRules, 'Concat Concat ReduceMean Add espalier.Attention', { symbols: all })
  })
})

describe("ONNX's own", () => {
  test('with packed heads, and apart with a cache', () => {
    const packed = sketch(
      g => {
        const [q, k, v] = ['q', 'k', 'v'].map((name, i) =>
          g.input(name, 'float32', ['b', i === 0 ? 's' : 't', i === 0 ? 16 : 8]),
        )
        return g.node('Attention', [q, k, v], { q_num_heads: 4, kv_num_heads: 2, is_causal: 1 })
      },
      { opset: 23 },
    )
    expectRewrite(packed, normalizeRules, 'Reshape Reshape Reshape espalier.Attention Reshape', { symbols })
    const apart = of((g, { q, k, v }) => {
      const mask = g.input('mask', 'float32', ['s', 11])
      const [pk, pv] = ['pk', 'pv'].map(name => g.input(name, 'float32', ['b', 2, 6, 4]))
      return g.nodes(
        'Attention',
        [q, k, v, mask, pk, pv],
        { scale: float(0.3) },
        { outputs: ['y', 'k2', 'v2'] },
      )
    }, 23)
    expectRewrite(apart, normalizeRules, 'espalier.Attention', { symbols })
  })
  test('not with a softcap, scores as an output, or windows', () => {
    const soft = of((g, { q, k, v }) => g.node('Attention', [q, k, v], { softcap: float(3) }), 23)
    expectRewrite(soft, normalizeRules, 'Attention', { symbols })
    const exposed = of(
      (g, { q, k, v }) => g.nodes('Attention', [q, k, v], {}, { outputs: ['y', '', '', 's'] })[3]!,
      23,
    )
    expect(operatorsIn(exposed)).toBe('Attention')
    expectRewrite(exposed, normalizeRules, 'Attention', { symbols })
  })
})
