import { describe, expect, test, vi } from 'vitest'
import { EspalierError } from '../errors.ts'
import { type GraphBuilder, graphBuilder, type Handle } from '../graph/builder.ts'
import { describeType } from '../graph/describe.ts'
import { type Dim, type Graph, tensorType, type ValueType } from '../graph/graph.ts'
import { bool, chain, choice, graphOf, outer } from '../graph/graphs.suite.ts'
import type { Op } from '../ops/op.ts'
import { operatorsOf } from '../ops/registry.ts'
import { float32, int64, type Tensor, tensor } from '../tensor/tensor.ts'
import { annotate, FOLD_LIMIT, type InferOptions, infer } from './infer.ts'

/** Inferred types in words; `-` where nothing is known. */
function types(graph: Graph, names: readonly string[], options: InferOptions = {}): string[] {
  const inferred = infer(graph, options).types
  return names.map(name => {
    const type = inferred.get(name)
    return type === undefined ? '-' : describeType(type)
  })
}

const outputType = (graph: Graph, options?: InferOptions): string =>
  types(graph, [graph.outputs[0]!.name], options)[0]!

const states = (graph: Graph, name: string, type: ValueType): Graph => ({
  ...graph,
  values: new Map([...graph.values, [name, { name, type }]]),
})
const outputs = (graph: Graph, ...stated: ValueType[]): Graph => ({
  ...graph,
  outputs: graph.outputs.map((value, index) => ({ ...value, type: stated[index]! })),
})

describe('shapes that are computed', () => {
  const reshaped = (shape: (g: GraphBuilder, x: Handle) => Handle, ...dims: Dim[]): Graph =>
    graphOf(g => {
      const x = g.input('x', 'float32', dims)
      return g.node('Reshape', [x, shape(g, x)])
    })
  const list = (g: GraphBuilder, ...values: number[]): Handle => g.constant(int64(values))

  test('keep the batch', () => {
    const graph = reshaped(
      (g, x) => {
        const batch = g.node('Gather', [g.node('Shape', [x]), g.constant(int64(0))], { axis: 0 })
        return g.node('Concat', [g.node('Unsqueeze', [batch, list(g, 0)]), list(g, 12, -1)], { axis: 0 })
      },
      ...['batch', 's', 768],
    )
    expect(outputType(graph)).toBe('float32 batchx12x(64*s)')
    expect(outputType(graph, { symbols: new Map([['s', 10]]) })).toBe('float32 batchx12x640')
  })
  test('are arithmetic on extents', () => {
    const graph = reshaped(
      (g, x) => {
        const part = (start: number): Handle =>
          g.node('Slice', [g.node('Shape', [x]), list(g, start), list(g, start + 1)])
        const product = g.node('Mul', [part(0), part(1)])
        return g.node('Concat', [g.node('Div', [product, list(g, 2)]), list(g, 2), part(2)], { axis: 0 })
      },
      'n',
      4,
      'm',
    )
    expect(outputType(graph)).toBe('float32 (2*n)x2xm')
  })
  test('become constants where all extents are numbers', () => {
    const graph = reshaped((g, x) => g.node('Shape', [x], {}, { outputs: ['shape'] }), 2, 3)
    const found = infer(graph)
    expect(found.contents.get('shape')).toEqual([2, 3])
    expect(found.constants.get('shape')).toEqual(int64([2, 3]))
    const symbolic = infer(reshaped((g, x) => g.node('Shape', [x], {}, { outputs: ['shape'] }), 'n', 3))
    expect(symbolic.contents.get('shape')).toEqual(['n', 3])
    expect(symbolic.constants.has('shape')).toBe(false)
  })
})

describe('inputs', () => {
  test('of unknown extent get symbols, of unknown rank none', () => {
    const graph = graphOf(g => {
      const [x, y] = [g.input('x', 'float32', [null, '?', 3]), g.input('y', 'float32')]
      return [g.node('Relu', [x], {}, { outputs: ['p'] }), g.node('Relu', [y], {}, { outputs: ['q'] })]
    })
    expect(types(graph, ['p', 'q'])).toEqual(['float32 x_dim0xx_dim1x3', 'float32 of unknown rank'])
    const symbols = new Map<string, Dim>([
      ['x_dim0', 2],
      ['x_dim1', '2*k'],
    ])
    expect(types(graph, ['p'], { symbols })).toEqual(['float32 2x(2*k)x3'])
  })
  test('may be given other types', () => {
    const inputs = new Map([['x', tensorType('float32', [7, null])]])
    expect(outputType(chain(1), { inputs })).toBe('float32 7xx_dim1')
  })
  test('with a default count as fed, except where files had no other place for constants', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', [6])
      return g.node('Reshape', [x, g.constant(int64([2, 3]), 'shape')])
    })
    const listed: Graph = {
      ...graph,
      inputs: [...graph.inputs, { name: 'shape', type: tensorType('int64', [2]) }],
    }
    expect(outputType(listed)).toBe('float32 ?x?')
    expect(outputType({ ...listed, origin: { irVersion: 3 } })).toBe('float32 2x3')
    const untyped = { ...listed, inputs: [...graph.inputs, { name: 'shape' }] }
    expect(types(untyped, ['shape'])).toEqual(['int64 2'])
  })
  test('and symbols that are not there are refused', () => {
    const graph = states(chain(1), 'y', tensorType('float32', ['later']))
    expect(() => infer(graph, { inputs: new Map([['z', tensorType('bool')]]) })).toThrow(
      expect.objectContaining({ code: 'bad-argument', message: 'the graph has no input "z"; expected "x"' }),
    )
    expect(() => infer(graph, { symbols: new Map([['bacth', 1]]) })).toThrow(
      expect.objectContaining({
        code: 'bad-argument',
        message: 'the graph has no symbolic dimension "bacth"; expected "later"',
      }),
    )
    infer(graph, { symbols: new Map([['later', 2]]) })
  })
})

describe('what the graph states', () => {
  test('is taken where nothing is inferred, under the values of symbols', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', ['n'])
      const a = g.node('Custom', [x], {}, { domain: 'my', outputs: ['a'] })
      return [
        g.node('Relu', [a], {}, { outputs: ['b'] }),
        g.node('Custom', [x], {}, { domain: 'my', outputs: ['c'] }),
      ]
    })
    expect(types(graph, ['a', 'b', 'c'])).toEqual(['-', '-', '-'])
    const stated = outputs(
      states(graph, 'a', tensorType('float32', ['2*n', 5])),
      tensorType('float32', [null, 'five']),
    )
    expect(types(stated, ['a', 'b'])).toEqual(['float32 (2*n)x5', 'float32 (2*n)x5'])
    expect(types(stated, ['a', 'b'], { symbols: new Map([['n', 3]]) })).toEqual([
      'float32 6x5',
      'float32 6x5',
    ])
  })
  test('is known of an output that other nodes read', () => {
    const graph = graphOf(g => {
      const a = g.node('Custom', [g.input('x', 'float32')], {}, { domain: 'my', outputs: ['a'] })
      return [a, g.node('Relu', [a], {}, { outputs: ['b'] })]
    })
    const typed = { ...graph, outputs: [{ name: 'a', type: tensorType('float32', [4]) }, { name: 'b' }] }
    expect(types(typed, ['b'])).toEqual(['float32 4'])
  })
  test('adds to what is inferred', () => {
    const graph = graphOf(g => g.node('NonZero', [g.input('x', 'float32', ['n'])], {}, { outputs: ['y'] }))
    expect(types(states(graph, 'y', tensorType('int64', [1, 'count'])), ['y'])).toEqual(['int64 1xcount'])
    const fixed = outputs(chain(1), tensorType('float32', ['other']))
    expect(types(fixed, ['y'])).toEqual(['float32 2'])
  })
  test.each<[string, Graph, string]>([
    [
      'an extent',
      states(chain(2), 'relu_1', tensorType('float32', [3])),
      'node relu_1 (Relu), tensor "relu_1"',
    ],
    ['the type of an output', outputs(chain(2), tensorType('int8', [2])), 'node relu_2 (Relu), tensor "y"'],
    [
      'an output that is an input',
      outputs(
        graphOf(g => g.input('x', 'float32', [2])),
        tensorType('float32', [3]),
      ),
      'tensor "x"',
    ],
  ])('is refused where it contradicts the operators: %s', (_, graph, place) => {
    expect(() => infer(graph)).toThrow(
      expect.objectContaining({
        code: 'invalid-graph',
        message: expect.stringContaining(
          `${place}: the stated type is not the one that the operators give; expected float32 2, got `,
        ),
      }),
    )
  })
  test('does not count in its extents for other inputs than it was stated for', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', [2])
      const a = g.node('Relu', [x], {}, { outputs: ['a'] })
      return g.node('Custom', [a], {}, { domain: 'my', outputs: ['b'] })
    })
    const stated = outputs(states(graph, 'a', tensorType('float32', [2])), tensorType('float32', [2, 5]))
    expect(types(stated, ['a', 'b'])).toEqual(['float32 2', 'float32 2x5'])
    const inputs = new Map([['x', tensorType('float32', [3])]])
    expect(types(stated, ['a', 'b'], { inputs })).toEqual(['float32 3', 'float32 ?x?'])
  })
})

describe('constants', () => {
  test('are computed while they are small', () => {
    const graph = graphOf(g => {
      const one = g.constant(float32([1]))
      const shape = (count: number): Handle => g.constant(int64([count]))
      return [
        g.node('Add', [one, one], {}, { outputs: ['two'] }),
        g.node('Expand', [one, shape(FOLD_LIMIT)], {}, { outputs: ['small'] }),
        g.node('Expand', [one, shape(FOLD_LIMIT + 1)], {}, { outputs: ['large'] }),
        g.node('NonZero', [g.constant(float32([0, 3, 0, 4]))], {}, { outputs: ['where'] }),
        g.node('RandomNormal', [], { shape: [2] }, { outputs: ['random'] }),
      ]
    })
    const { constants, types: known } = infer(graph)
    expect(constants.get('two')).toEqual(float32([2]))
    expect(constants.get('small')!.shape).toEqual([FOLD_LIMIT])
    expect(constants.get('where')).toEqual(tensor('int64', [1, 2], BigInt64Array.of(1n, 3n)))
    expect(known.get('where')).toEqual(tensorType('int64', [1, 2]))
    expect([constants.has('large'), constants.has('random')]).toEqual([false, false])
    expect(known.get('large')).toEqual(tensorType('float32', [FOLD_LIMIT + 1]))
  })
  test('of sparse tensors count as dense', () => {
    const sparse = { dtype: 'float32', shape: [3], values: float32([5]), indices: int64([1]) } as const
    const graph = graphOf(g => g.node('Neg', [g.constant(sparse)], {}, { outputs: ['y'] }))
    expect(infer(graph).constants.get('y')).toEqual(float32([-0, -5, -0]))
  })
  test('that do not fit their operator are an error of its node', () => {
    const graph = graphOf(g =>
      g.node('And', [g.constant(int64([1])), g.constant(int64([1]))], {}, { name: 'and' }),
    )
    expect(() => infer(graph)).toThrow(
      expect.objectContaining({ code: 'bad-dtype', where: { node: 'and (And)' } }),
    )
  })
})

describe('bodies', () => {
  test('see types, constants and contents around them', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', ['n', 6])
      const shape = g.node('Shape', [x], {}, { outputs: ['shape'] })
      g.constant(int64([-1]), 'rest')
      const body = graphOf(b => {
        const batch = b.node('Slice', [shape, b.constant(int64([0])), b.constant(int64([1]))])
        const target = b.node('Concat', [batch, b.constant(int64([2])), outer('rest')], { axis: 0 })
        return b.node('Reshape', [outer('x'), target])
      })
      return g.node('If', [g.input('c', 'bool', [])], { then_branch: body, else_branch: body })
    })
    expect(outputType(graph)).toBe('float32 nx2x3')
  })
  test('hide what they name themselves, even where nothing is known of it', () => {
    const unknown = graphOf(b => b.node('Custom', [], {}, { domain: 'my', outputs: ['x'] }))
    const graph = graphOf(g => {
      g.constant(int64([1, 2]), 'x')
      return g.node('If', [g.input('c', 'bool', [])], { then_branch: unknown, else_branch: unknown })
    })
    expect(outputType(graph)).toBe('-')
  })
  const either = (yes: Graph, no: Graph, condition?: boolean): Graph =>
    graphOf(g => {
      const c = condition === undefined ? g.input('c', 'bool', []) : g.constant(bool(condition))
      g.input('x', 'float32', [2, 3])
      return g.node('If', [c], { then_branch: yes, else_branch: no })
    })
  const squeeze = graphOf(b =>
    b.node('Squeeze', [outer('x'), b.constant(int64([0]))], {}, { name: 'squeeze' }),
  )
  const keep = graphOf(() => outer('x'))

  test('that cannot run are taken not to be chosen', () => {
    expect(outputType(either(squeeze, keep))).toBe('float32 2x3')
    expect(outputType(either(keep, squeeze))).toBe('float32 2x3')
    expect(outputType(either(squeeze, keep, false))).toBe('float32 2x3')
    for (const graph of [either(squeeze, squeeze), either(squeeze, keep, true)])
      expect(() => infer(graph)).toThrow(/^node squeeze \(Squeeze\)/)
  })
  test('of a known condition are the only ones looked at', () => {
    const onNode = vi.fn()
    infer(either(squeeze, keep, false), { onNode })
    expect(onNode.mock.calls.map(([node]) => node.name)).toEqual(['if_1'])
  })
  test('of loops give what holds in every iteration', () => {
    const body = graphOf(b => {
      b.input('i', 'int64', [])
      const going = b.input('going', 'bool', [])
      const x = b.input('x', 'float32')
      return [going, b.node('Concat', [x, outer('step')], { axis: 0 }), b.node('Shape', [x])]
    })
    const graph = graphOf(g => {
      const trips = g.constant(int64(5))
      g.input('step', 'float32', [1, 'm'])
      const start = g.input('start', 'float32', ['n', 'm'])
      return g.nodes('Loop', [trips, undefined, start], { body }, { outputs: ['last', 'shapes'] })
    })
    expect(types(graph, ['last', 'shapes'])).toEqual(['float32 ?xm', 'int64 5x2'])
  })
  test('nested without end are left unknown, and soon', () => {
    const nest = (depth: number): Graph =>
      graphOf(b => {
        b.input('i', 'int64', [])
        const going = b.input('going', 'bool', [])
        const x = b.input('x', 'float32')
        const next = b.node('Concat', [x, x], { axis: 0 })
        return [
          going,
          depth === 0 ? next : b.node('Loop', [undefined, going, next], { body: nest(depth - 1) }),
        ]
      })
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', [1])
      return g.node('Loop', [undefined, g.constant(bool(true)), x], { body: nest(30) })
    })
    expect(types(graph, ['loop_1'])).toEqual([expect.stringMatching(/^(-|float32 .*)$/)])
  })
})

describe('errors', () => {
  const graph = graphOf(g => {
    const x = g.input('x', 'float32', [2, 3])
    const wrong = g.node('MatMul', [x, x], {}, { name: 'first', outputs: ['a'] })
    const right = g.node('Relu', [wrong], {}, { outputs: ['b'] })
    return g.node('Concat', [right, x], { axis: 7 }, { name: 'second', outputs: ['c'] })
  })
  test('name their node', () => {
    expect(() => infer(graph)).toThrow(expect.objectContaining({ where: { node: 'first (MatMul)' } }))
  })
  test('can be collected; the walk goes on from what is stated', () => {
    const onError = vi.fn()
    const stated = states(graph, 'a', tensorType('float32', [2, 2]))
    const found = infer(stated, { onError })
    expect(onError.mock.calls.map(([error]) => error.where.node)).toEqual([
      'first (MatMul)',
      'second (Concat)',
    ])
    expect(found.types.get('b')).toEqual(tensorType('float32', [2, 2]))
  })
  test('that are none of this library are not', () => {
    const broken: Op = {
      name: 'Broken',
      doc: 'For tests.',
      versions: { 1: { inputs: [], outputs: ['y: bool'] } },
      infer: () => {
        throw new RangeError('a defect')
      },
      evaluate: () => [],
    }
    const onError = vi.fn()
    const call = (): unknown =>
      infer(
        graphOf(g => g.node('Broken', [])),
        { operators: operatorsOf([broken]), onError },
      )
    expect(call).toThrow(RangeError)
    expect(onError).not.toHaveBeenCalled()
  })
  test('of a body belong to the node that holds it', () => {
    const onError = vi.fn<(error: EspalierError) => void>()
    const body = graphOf(b => [
      b.input('going', 'bool'),
      b.node('MatMul', [outer('x'), outer('x')], {}, { name: 'inner' }),
    ])
    const looped = graphOf(g => {
      g.input('x', 'float32', [2, 3])
      return g.node('Loop', [g.constant(int64(2)), undefined], { body }, { name: 'loop' })
    })
    infer(looped, { onError })
    expect(onError.mock.calls.length).toBe(1)
    expect(onError.mock.calls[0]![0]).toBeInstanceOf(EspalierError)
  })
})

test('onNode sees what the operators see', () => {
  const seen: unknown[] = []
  infer(chain(2), {
    onNode: (node, context, { version }) => seen.push([node.name, context.shape(0), version]),
  })
  expect(seen).toEqual([
    ['relu_1', [2], 14],
    ['relu_2', [2], 14],
  ])
})

describe('annotate', () => {
  test('writes what is known into a graph that reads the same again', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', [null, 3])
      const a = g.node('Relu', [x], {}, { outputs: ['a'] })
      return g.node(
        'Transpose',
        [g.node('Custom', [a], {}, { domain: 'my', outputs: ['b'] })],
        {},
        { outputs: ['c'] },
      )
    })
    const stated = states(graph, 'a', { ...tensorType('float32'), denotation: 'IMAGE' })
    const annotated = annotate(stated)
    expect(annotated.inputs).toEqual([{ name: 'x', type: tensorType('float32', ['x_dim0', 3]) }])
    expect([...annotated.values.values()]).toEqual([
      { name: 'a', type: { ...tensorType('float32', ['x_dim0', 3]), denotation: 'IMAGE' } },
    ])
    expect(annotated.outputs).toEqual([{ name: 'c' }])
    expect(annotate(annotated)).toEqual(annotated)
  })
  test("takes an inference of one's own", () => {
    const inputs = new Map([['x', tensorType('float32', [9])]])
    const annotated = annotate(choice(), infer(choice(), { inputs }))
    expect(annotated.inputs[1]).toEqual({ name: 'x', type: tensorType('float32', [9]) })
    expect(annotated.outputs).toEqual([{ name: 'y', type: tensorType('float32', [9]) }])
  })
})

test('operators that are given instead of the standard ones', () => {
  const own: Op = {
    name: 'Relu',
    doc: 'For tests.',
    versions: { 1: { inputs: ['x: float32'], outputs: ['y: int8'] } },
    infer: () => [tensorType('int8', [-1, 4])],
    evaluate: () => [] as Tensor[],
  }
  expect(outputType(chain(1), { operators: operatorsOf([own]) })).toBe('int8 ?x4')
  const g = graphBuilder({ opset: 0 })
  g.output(g.node('Relu', [g.input('x', 'float32', [1])]))
  expect(outputType(g.build(), { operators: operatorsOf([own]) })).toBe('-')
})
