import { describe, expect, test, vi } from 'vitest'
import { realFile } from '../formats/testdata.suite.ts'
import type { GraphBuilder, Handle } from '../graph/builder.ts'
import { type Dim, type Graph, tensorType } from '../graph/graph.ts'
import { bool, chain, graphOf, outer } from '../graph/graphs.suite.ts'
import { load } from '../model.ts'
import { fromNumbers } from '../tensor/elements.ts'
import { float32, int64, type Tensor, tensor, zeros } from '../tensor/tensor.ts'
import { statistics } from './statistics.ts'

/** A matrix of 4 by 2 of which three of eight are zero; as outputs by inputs, 1:4 in the second column only. */
const matrix = float32([0, 1, 2, 0, 3, 0, 4, 5], [4, 2])
const linear = (dims: readonly Dim[], weight: (g: GraphBuilder) => Handle): Graph =>
  graphOf(g =>
    g.node('MatMul', [g.input('x', 'float32', dims), weight(g)], {}, { name: 'dense', outputs: ['y'] }),
  )

test('a small model', () => {
  const graph = graphOf(g => {
    const x = g.input('x', 'float32', ['n', 4])
    const w = g.constant(matrix, 'w')
    const h = g.node('Gemm', [x, w, g.constant(float32([1, 2]), 'b')], {}, { name: 'dense' })
    g.node('Own', [x], {}, { domain: 'my' })
    return g.node('Softmax', [h], {}, { outputs: ['y'] })
  }, 'small')
  expect(statistics(graph)).toEqual({
    name: 'small',
    origin: {},
    opsets: new Map([['', 21]]),
    inputs: [{ name: 'x', type: tensorType('float32', ['n', 4]) }],
    outputs: [{ name: 'y', type: tensorType('float32', ['n', 2]) }],
    nodes: 3,
    values: 4,
    operators: [
      { op: 'Gemm', nodes: 1, macs: '8*n' },
      { op: 'Softmax', nodes: 1, macs: 0 },
      { op: 'my.Own', nodes: 1, macs: null },
    ],
    layers: [
      {
        node: 'dense',
        op: 'Gemm',
        output: tensorType('float32', ['n', 2]),
        macs: '8*n',
        weights: [
          {
            name: 'w',
            dtype: 'float32',
            shape: [4, 2],
            bytes: 32,
            sparsity: { elements: 8, zeros: 3, fraction: 3 / 8, zeroBlocks4: 0 },
          },
        ],
      },
    ],
    parameters: 10,
    bytes: 40,
    dtypes: [{ dtype: 'float32', tensors: 2, elements: 10, bytes: 40 }],
    macs: null,
    sparsity: { elements: 8, zeros: 3, fraction: 3 / 8, bytes: 32, denseBytes: 32 },
    missing: [{ op: 'my.Own', reason: 'not implemented', nodes: ['own_1 (my.Own)'] }],
  })
})

describe('multiply-accumulates', () => {
  const macs = (graph: Graph, symbols?: ReadonlyMap<string, Dim>): Dim =>
    statistics(graph, symbols ? { symbols } : {}).macs

  test('are symbolic until symbols have values', () => {
    const graph = linear(['n', 's', 4], g => g.constant(matrix))
    expect(macs(graph)).toBe('8*n*s')
    expect(macs(graph, new Map([['s', 10]]))).toBe('80*n')
    expect(
      macs(
        graph,
        new Map([
          ['n', 2],
          ['s', 10],
        ]),
      ),
    ).toBe(160)
  })
  test('are unknown where a shape is', () => {
    const graph = graphOf(g => g.node('MatMul', [g.input('x', 'float32'), g.constant(matrix)]))
    expect(macs(graph)).toBeNull()
  })

  /** A body of so many products with a matrix of 4 by 2. */
  const body = (products: number, inputs: (g: GraphBuilder) => Handle[] = () => []): Graph =>
    graphOf(g => {
      const given = inputs(g)
      for (let i = 0; i < products; i++) g.node('MatMul', [outer('x'), g.constant(matrix)])
      return [...given.slice(1), outer('x')]
    })
  const on = (build: (g: GraphBuilder, x: Handle) => Handle): Graph =>
    graphOf(g => build(g, g.input('x', 'float32', [1, 4])))
  const condition = (g: GraphBuilder, value?: boolean): Handle =>
    value === undefined ? g.input('c', 'bool', []) : g.constant(bool(value))

  test.each<[string, Graph, Dim]>([
    [
      'the dearest branch counts',
      on(g => g.node('If', [condition(g)], { then_branch: body(1), else_branch: body(3) })),
      24,
    ],
    [
      'or the one that is taken',
      on(g => g.node('If', [condition(g, true)], { then_branch: body(1), else_branch: body(3) })),
      8,
    ],
    [
      'a loop counts as one iteration',
      on(g => {
        const inputs = (b: GraphBuilder): Handle[] => [b.input('i', 'int64'), b.input('going', 'bool')]
        return g.node('Loop', [g.constant(int64(7))], { body: body(2, inputs) })
      }),
      16,
    ],
  ])('in bodies: %s', (_, graph, wanted) => {
    expect(macs(graph)).toBe(wanted)
  })
})

describe('bodies', () => {
  const shared = zeros('float32', [4, 2]) as Tensor
  const branch = (weight: (g: GraphBuilder) => Handle, name: string): Graph =>
    graphOf(g => g.node('MatMul', [outer('x'), weight(g)], {}, { name }))
  const graph = graphOf(g => {
    const c = g.input('c', 'bool', [])
    g.input('x', 'float32', [1, 4])
    g.constant(matrix, 'w')
    const own = branch(b => b.constant(shared, 'v'), 'own')
    const captured = branch(() => outer('w'), 'captured')
    const first = g.node('If', [c], { then_branch: own, else_branch: captured })
    return [
      first,
      g.node('If', [c], {
        then_branch: own,
        else_branch: branch(b => b.input('w', 'float32', [4, 2]), 'no'),
      }),
    ]
  })
  // A branch has no inputs; this one only hides the weight outside.
  const found = statistics({ ...graph, nodes: graph.nodes.slice(0, 1), outputs: graph.outputs.slice(0, 1) })

  test('count with their nodes, weights and constants', () => {
    expect(found).toMatchObject({ nodes: 3, values: 5, parameters: 16, macs: 8 })
    expect(found.layers.map(({ node, weights, output }) => [node, weights[0]!.name, output])).toEqual([
      ['own', 'v', undefined],
      ['captured', 'w', undefined],
    ])
    expect(found.sparsity).toEqual({ elements: 16, zeros: 11, fraction: 11 / 16, bytes: 64, denseBytes: 64 })
  })
  test('a constant in two of them counts once', () => {
    const twice = {
      ...graph,
      nodes: [graph.nodes[0]!, { ...graph.nodes[0]!, outputs: ['again'] }],
      outputs: [],
    }
    expect(statistics(twice)).toMatchObject({ nodes: 6, parameters: 16, sparsity: { elements: 16 } })
  })
  test('a name may hide a weight outside', () => {
    const hiding = statistics({ ...graph, nodes: graph.nodes.slice(1), outputs: graph.outputs.slice(1) })
    expect(hiding.layers.map(({ node }) => node)).toEqual(['own'])
  })
})

describe('weights', () => {
  /** Names and zeros of the weights of a product with what `weight` makes. */
  const weights = (weight: (g: GraphBuilder) => Handle): unknown[] =>
    statistics(linear([1, 4], weight)).layers.flatMap(layer =>
      layer.weights.map(({ name, dtype, bytes, sparsity }) => [
        name,
        dtype,
        bytes,
        sparsity.zeros,
        sparsity.pattern,
      ]),
    )
  const bytes = (dtype: 'int8' | 'uint8', values: number[], shape: number[]): Tensor =>
    fromNumbers(dtype, shape, values) as Tensor
  const scale = (g: GraphBuilder, ...values: number[]): Handle =>
    g.constant(values.length === 1 ? tensor('float32', [], Float32Array.from(values)) : float32(values))

  test.each<[string, (g: GraphBuilder) => Handle, unknown[]]>([
    ['a constant', g => g.constant(matrix, 'w'), ['w', 'float32', 32, 3, undefined]],
    [
      'behind re-shaping',
      g => {
        const flat = g.node('Identity', [g.constant({ ...matrix, shape: [8] } as Tensor, 'w')])
        const rows = g.node('Reshape', [flat, g.constant(int64([2, 4]))])
        return g.node('Transpose', [g.node('Squeeze', [g.node('Unsqueeze', [rows, g.constant(int64([0]))])])])
      },
      ['w', 'float32', 32, 3, undefined],
    ],
    [
      'in a Constant node',
      g => g.node('Constant', [], { value: matrix }, { outputs: ['held'] }),
      ['held', 'float32', 32, 3, undefined],
    ],
    [
      're-shaped by a Constant node',
      g => g.node('Reshape', [g.constant(matrix, 'w'), g.node('Constant', [], { value: int64([4, 2]) })]),
      ['w', 'float32', 32, 3, undefined],
    ],
    [
      'stored sparse',
      g =>
        g.constant({ dtype: 'float32', shape: [4, 2], values: float32([5, 6]), indices: int64([0, 3]) }, 'w'),
      ['w', 'float32', 24, 6, '1:4'],
    ],
    [
      'in half precision',
      g =>
        g.node(
          'Cast',
          [g.constant(fromNumbers('float16', [4, 2], [0, 0, 1, 0, 0, 2, -0, 0]) as Tensor, 'w')],
          { to: 1 },
        ),
      ['w', 'float16', 16, 6, '1:4'],
    ],
    [
      'quantised around zero',
      g =>
        g.node('DequantizeLinear', [
          g.constant(bytes('int8', [0, 0, 1, 0, 0, 2, 0, 0], [4, 2]), 'w'),
          scale(g, 0.1),
        ]),
      ['w', 'int8', 8, 6, '1:4'],
    ],
    [
      'quantised around another number',
      g => {
        const w = g.constant(bytes('uint8', [7, 7, 0, 7, 7, 9, 7, 7], [4, 2]), 'w')
        return g.node('DequantizeLinear', [
          w,
          scale(g, 0.1),
          g.constant(tensor('uint8', [], Uint8Array.of(7))),
        ])
      },
      ['w', 'uint8', 8, 6, '1:4'],
    ],
    [
      'quantised by column, and transposed',
      g => {
        const w = g.constant(bytes('uint8', [1, 1, 0, 1, 5, 5, 5, 0], [2, 4]), 'w')
        const zero = g.constant(tensor('uint8', [2], Uint8Array.of(1, 5)))
        return g.node('Transpose', [g.node('DequantizeLinear', [w, scale(g, 1, 2), zero], { axis: 0 })])
      },
      ['w', 'uint8', 8, 6, '1:4'],
    ],
  ])('%s', (_, weight, wanted) => {
    expect(weights(weight)).toEqual([wanted])
  })
  test.each<[string, (g: GraphBuilder) => Handle]>([
    ['an input', g => g.input('w', 'float32', [4, 2])],
    ['behind arithmetic', g => g.node('Neg', [g.constant(matrix)])],
    [
      're-shaped as an input says',
      g => g.node('Reshape', [g.constant(matrix), g.input('shape', 'int64', [2])]),
    ],
    [
      'behind an operator of another set',
      g => g.node('Identity', [g.constant(matrix)], {}, { domain: 'my' }),
    ],
  ])('none is %s', (_, weight) => {
    expect(weights(weight)).toEqual([])
  })

  test('of operators that subtract a zero point', () => {
    const uint8 = (values: number[], shape: number[]): Tensor => bytes('uint8', values, shape)
    const graph = graphOf(g => {
      const x = g.input('x', 'uint8', [1, 2])
      const w = g.constant(uint8([3, 9, 3, 0], [2, 2]), 'w')
      const zero = (...values: number[]): Handle =>
        g.constant(uint8(values, values.length === 1 ? [] : [values.length]))
      return [
        g.node('MatMulInteger', [x, w, undefined, zero(3)], {}, { name: 'one' }),
        g.node('MatMulInteger', [x, w, undefined, zero(3, 9)], {}, { name: 'by column' }),
        g.node('MatMulInteger', [x, w], {}, { name: 'none' }),
        g.node('MatMulInteger', [w, x, zero(9, 0)], {}, { name: 'by row, on the left' }),
        g.node('MatMulInteger', [x, w, undefined, g.input('z', 'uint8', [])], {}, { name: 'not known' }),
      ]
    })
    const { layers } = statistics({
      ...graph,
      inputs: [{ name: 'x', type: tensorType('uint8', [2, 2]) }, ...graph.inputs.slice(1)],
    })
    expect(layers.map(({ node, weights: [weight] }) => [node, weight!.sparsity.zeros])).toEqual([
      ['one', 2],
      ['by column', 3],
      ['none', 1],
      ['by row, on the left', 2],
    ])
  })
  test('shared by layers count once in the sum', () => {
    const graph = graphOf(g => {
      const w = g.constant(zeros('float32', [2, 2]) as Tensor, 'w')
      const x = g.node('MatMul', [g.input('x', 'float32', [1, 2]), w])
      return g.node('MatMul', [x, g.node('Transpose', [w])])
    })
    const { layers, sparsity, parameters } = statistics(graph)
    expect(layers.map(({ weights }) => weights[0]!.name)).toEqual(['w', 'w'])
    expect([sparsity.elements, sparsity.bytes, parameters]).toEqual([4, 16, 4])
  })
})

test('defaults of inputs are constants and no inputs', () => {
  const graph = linear([1, 4], g => g.constant(matrix, 'w'))
  const { inputs, parameters, layers } = statistics({ ...graph, inputs: [...graph.inputs, { name: 'w' }] })
  expect([inputs.map(({ name }) => name), parameters, layers.length]).toEqual([['x'], 8, 1])
})

test('a model that contradicts itself is described as far as it goes, when errors are taken', () => {
  const graph = graphOf(g => {
    const x = g.input('x', 'float32', [1, 3])
    return [
      g.node('MatMul', [x, g.constant(matrix)]),
      g.node('Gemm', [x, g.constant(float32([1, 2, 3], [3, 1]))]),
    ]
  })
  expect(() => statistics(graph)).toThrow(expect.objectContaining({ code: 'bad-shape' }))
  const onError = vi.fn()
  const { layers, operators } = statistics(graph, { onError })
  expect(onError).toHaveBeenCalledOnce()
  expect(operators).toEqual([
    { op: 'Gemm', nodes: 1, macs: 3 },
    { op: 'MatMul', nodes: 1, macs: null },
  ])
  expect(layers.map(({ op }) => op)).toContain('Gemm')
})

test('options are those of inference', () => {
  const onNode = vi.fn()
  statistics(chain(3), { onNode })
  expect(onNode).toHaveBeenCalledTimes(3)
})

const dtln = realFile('models', 'onnx', 'dtln', 'model_1.onnx')
test.skipIf(dtln === undefined)('DTLN: every gate of an LSTM is two products', async () => {
  const { macs, nodes, layers } = statistics(await load(dtln!))
  const [inputs, hidden] = [257, 128]
  const [first, second] = [4 * hidden * (inputs + hidden), 4 * hidden * (hidden + hidden)]
  expect(layers.map(layer => [layer.op, layer.macs, layer.weights.map(({ name }) => name)])).toEqual([
    ['LSTM', first, ['lstm_4_W', 'lstm_4_R']],
    ['LSTM', second, ['lstm_5_W', 'lstm_5_R']],
    ['MatMul', hidden * inputs, ['dense_2/kernel:0']],
  ])
  expect([macs, nodes]).toEqual([first + second + hidden * inputs, 36])
})

const superResolution = realFile('models', 'onnx', 'super-resolution', 'super_resolution.onnx')
test.skipIf(superResolution === undefined)('super-resolution: four convolutions of a batch', async () => {
  const weights = 64 * 25 + 64 * 64 * 9 + 32 * 64 * 9 + 9 * 32 * 9
  expect(statistics(await load(superResolution!)).macs).toBe(`${224 * 224 * weights}*batch_size`)
})
