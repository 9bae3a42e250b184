/** The layout pass: small networks compute the same afterwards, and hold no more transposes than they need. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { annotate } from '../../analysis/infer.ts'
import { type GraphBuilder, graphBuilder, type Handle } from '../../graph/builder.ts'
import { type Graph, operatorName } from '../../graph/graph.ts'
import { validate } from '../../graph/validate.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { float32, int64, type Tensor } from '../../tensor/tensor.ts'
import { runReference } from '../reference.ts'
import { channelsLast } from './channels-last.ts'

/** Numbers that look random and are the same in every run. */
function values(shape: readonly number[], seed: number): Tensor {
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233))
  return fromNumbers('float32', shape, data)
}

/** The nodes that only move elements, in order. */
const moves = (graph: Graph): string[] =>
  graph.nodes.map(operatorName).filter(name => ['Transpose', 'Reshape', 'Identity'].includes(name))

/** Runs both graphs on the same inputs; gives the new one. */
function check(graph: Graph, inputs: Readonly<Record<string, Tensor>>): Graph {
  const turned = channelsLast(annotate(graph))
  validate(turned)
  const [wanted, found] = [runReference(graph, inputs), runReference(turned, inputs)]
  for (const { name } of graph.outputs) {
    const [a, b] = [wanted.get(name) as Tensor, found.get(name) as Tensor]
    expect(b.shape, name).toEqual(a.shape)
    const [p, q] = [numbers(a), numbers(b)]
    const far = p.findIndex(
      (value, index) => Math.abs(value - q[index]!) > 1e-5 * Math.max(1, Math.abs(value)),
    )
    expect(far, `${name}, first element that differs`).toBe(-1)
  }
  // What the pass states of values is what inference finds.
  expect(annotate(turned).values).toEqual(annotate({ ...turned, values: new Map() }).values)
  return turned
}

interface Network {
  readonly b: GraphBuilder
  conv(
    x: Handle,
    inputs: number,
    outputs: number,
    kernel: number,
    more?: Record<string, number | number[]>,
  ): Handle
  weight(...shape: number[]): Handle
}

function network(
  build: (n: Network, x: Handle) => Handle[],
  shape: (number | string)[] = [1, 4, 6, 5],
): Graph {
  const b = graphBuilder({ opset: 18 })
  let seed = 0
  const weight = (...extents: number[]): Handle => b.constant(values(extents, seed++))
  const x = b.input('x', 'float32', shape)
  const outputs = build(
    {
      b,
      weight,
      conv: (from, inputs, outputs, kernel, more = {}) =>
        b.node('Conv', [from, weight(outputs, inputs, kernel, kernel), weight(outputs)], {
          pads: [1, 1, 1, 1].map(p => (kernel > 1 ? p : 0)),
          ...more,
        }),
    },
    x,
  )
  for (const output of outputs) b.output(output)
  return b.build()
}
const input = { x: values([1, 4, 6, 5], 99) }

describe('channels last', () => {
  test('a residual block: one transpose at each end', () => {
    const graph = network(({ b, conv }, x) => {
      const first = b.node('Relu', [conv(x, 4, 8, 3)])
      const second = conv(b.node('Relu', [conv(first, 8, 8, 3)]), 8, 8, 3)
      return [b.node('Relu', [b.node('Add', [second, first])])]
    })
    expect(moves(check(graph, input))).toEqual(['Transpose', 'Transpose'])
  })

  test('squeeze and excite, a symbolic batch', () => {
    const graph = network(
      ({ b, conv, weight }, x) => {
        const y = conv(x, 4, 8, 3)
        const pooled = b.node('GlobalAveragePool', [y])
        const gate = b.node('Sigmoid', [conv(b.node('Relu', [conv(pooled, 8, 2, 1)]), 2, 8, 1)])
        const scaled = b.node('Mul', [y, gate])
        const mean = b.node('ReduceMean', [scaled, b.constant(int64([2, 3]))], { keepdims: 0 })
        return [b.node('MatMul', [mean, weight(8, 3)])]
      },
      ['batch', 4, 6, 5],
    )
    expect(moves(check(graph, { x: values([2, 4, 6, 5], 1) }))).toEqual(['Transpose'])
  })

  test('branches that are concatenated, split, padded, sliced and resized', () => {
    const graph = network(({ b, conv }, x) => {
      const pool = b.node('MaxPool', [x], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1 })
      const average = b.node('AveragePool', [x], { kernel_shape: [3, 3], auto_pad: 'SAME_UPPER' })
      const joined = b.node('Concat', [conv(x, 4, 6, 1), conv(x, 4, 2, 3), pool, average], { axis: 1 })
      const [left, right] = b.nodes(
        'Split',
        [joined, b.constant(int64([7, 9]))],
        { axis: -3 },
        { outputs: ['left', 'right'] },
      )
      const padded = b.node('Pad', [left!, b.constant(int64([0, 1, 0, 2, 0, 0, 3, 0]))], { mode: 'constant' })
      const cut = b.node('Slice', [
        padded,
        b.constant(int64([1, -5])),
        b.constant(int64([7, 100])),
        b.constant(int64([1, -1])),
      ])
      const scales = b.constant(float32([1, 1, 2, 2]))
      const large = b.node('Resize', [cut, undefined, scales], { mode: 'nearest' })
      return [b.node('Softmax', [large], { axis: 1 }), b.node('Tanh', [right!])]
    })
    expect(moves(check(graph, input))).toEqual(['Transpose', 'Transpose', 'Transpose'])
  })

  test('a classifier: pooled to one pixel, flattening costs nothing', () => {
    const graph = network(({ b, conv, weight }, x) => {
      const pooled = b.node('GlobalMaxPool', [conv(x, 4, 8, 3, { strides: [2, 2] })])
      return [b.node('Gemm', [b.node('Flatten', [pooled]), weight(8, 3)])]
    })
    expect(moves(check(graph, input))).toEqual(['Transpose', 'Reshape'])
  })

  test('flattened planes are in the order of ONNX', () => {
    const graph = network(({ b, conv, weight }, x) => [
      b.node('MatMul', [b.node('Flatten', [conv(x, 4, 2, 3)]), weight(60, 3)]),
    ])
    expect(moves(check(graph, input))).toEqual(['Transpose', 'Transpose'])
  })

  test('patches that become tokens keep the order they have', () => {
    const graph = network(({ b, conv, weight }, x) => {
      const patches = conv(x, 4, 8, 2, { strides: [2, 2], pads: [0, 0, 0, 0] })
      const tokens = b.node('Transpose', [b.node('Reshape', [patches, b.constant(int64([0, 8, -1]))])], {
        perm: [0, 2, 1],
      })
      return [b.node('Add', [tokens, weight(1, 6, 8)])]
    })
    expect(moves(check(graph, input))).toEqual(['Transpose', 'Reshape'])
  })

  test('depth to space and back, channel shuffle, constants along channels', () => {
    const graph = network(({ b, conv, weight }, x) => {
      const y = b.node('Mul', [conv(x, 4, 8, 3), weight(8, 1, 1)])
      const large = b.node('DepthToSpace', [y], { blocksize: 2, mode: 'CRD' })
      const small = b.node(
        'SpaceToDepth',
        [b.node('DepthToSpace', [b.node('SpaceToDepth', [large], { blocksize: 2 })], { blocksize: 2 })],
        { blocksize: 2 },
      )
      const groups = b.node('Reshape', [small, b.constant(int64([1, 2, 4, 6, 5]))])
      const turned = b.node('Transpose', [groups], { perm: [0, 2, 1, 3, 4] })
      return [conv(b.node('Reshape', [turned, b.constant(int64([1, 8, 6, 5]))]), 8, 4, 3)]
    })
    const turned = check(graph, input)
    expect(moves(turned).filter(name => name === 'Transpose')).toHaveLength(7)
    expect(turned.nodes.find(({ op }) => op === 'DepthToSpace')).toBeUndefined()
  })

  test('an input of one channel needs no transpose; shapes are read without one', () => {
    const graph = network(
      ({ b, conv }, x) => {
        const y = conv(x, 1, 4, 3)
        const size = b.node('Slice', [b.node('Shape', [y]), b.constant(int64([2])), b.constant(int64([4]))])
        const sizes = b.node(
          'Concat',
          [b.constant(int64([1, 4])), b.node('Mul', [size, b.constant(int64([2]))])],
          { axis: 0 },
        )
        const large = b.node('Resize', [y, undefined, undefined, sizes], { mode: 'linear' })
        return [b.node('ArgMax', [large], { axis: 1 })]
      },
      [1, 1, 'h', 'w'],
    )
    expect(moves(check(graph, { x: values([1, 1, 5, 4], 3) }))).toEqual(['Transpose', 'Transpose'])
  })

  test('transposes that the graph has vanish in pairs', () => {
    const graph = network(
      ({ b, conv }, x) => {
        const first = b.node('Transpose', [x], { perm: [0, 3, 1, 2] })
        const y = b.node('Transpose', [conv(first, 4, 8, 3)], { perm: [0, 2, 3, 1] })
        const z = b.node('Transpose', [b.node('Relu', [y])], { perm: [0, 3, 1, 2] })
        return [b.node('Transpose', [conv(z, 8, 4, 1)], { perm: [0, 2, 3, 1] })]
      },
      [1, 6, 5, 4],
    )
    expect(moves(check(graph, { x: values([1, 6, 5, 4], 3) }))).toEqual(['Identity'])
  })

  test.each([3, 5])('rank %i', rank => {
    const b = graphBuilder({ opset: 18 })
    const spatial = [5, 3, 4].slice(0, rank - 2)
    const x = b.input('x', 'float32', [2, 4, ...spatial])
    const kernel = spatial.map(() => 2)
    const y = b.node('Conv', [x, b.constant(values([6, 2, ...kernel], 1))], {
      group: 2,
      auto_pad: 'SAME_LOWER',
    })
    const z = b.node(
      'ConvTranspose',
      [y, b.constant(values([6, 1, ...kernel], 2)), b.constant(values([2], 4))],
      {
        strides: kernel,
        group: 2,
        output_padding: spatial.map(() => 1),
      },
    )
    b.output(z)
    check(b.build(), { x: values([2, 4, ...spatial], 5) })
  })

  test('a graph without convolutions, and types without kernels, stay as they are', () => {
    const plain = network(({ b }, x) => [b.node('Relu', [b.node('Transpose', [x], { perm: [0, 2, 3, 1] })])])
    expect(channelsLast(plain)).toBe(plain)
    const b = graphBuilder()
    const y = b.node('GlobalAveragePool', [b.input('x', 'float64', [1, 2, 3, 3])])
    b.output(y)
    expect(channelsLast(annotate(b.build())).nodes.map(operatorName)).toEqual(['GlobalAveragePool'])
  })

  test('values that bodies read, and indices of maxima, exist in the order of ONNX', () => {
    const body = (name: string, op: string): Graph => {
      const inner = graphBuilder({ opset: 18, name })
      const result = inner.node(op, [{ name: 'seen' }])
      inner.output(result)
      return inner.build()
    }
    const graph = network(({ b, weight }, x) => {
      const [seen] = b.nodes('Conv', [x, weight(3, 4, 1, 1)], {}, { outputs: ['seen'] })
      const [most, where] = b.nodes(
        'MaxPool',
        [seen!],
        { kernel_shape: [2, 2] },
        { outputs: ['most', 'where'] },
      )
      const condition = b.constant(fromNumbers('bool', [], [1]))
      return [
        b.node('If', [condition], { then_branch: body('a', 'Relu'), else_branch: body('b', 'Neg') }),
        most!,
        where!,
      ]
    })
    check(graph, input)
  })

  test('random chains of operators', () => {
    const step = fc.constantFrom(
      'conv',
      'relu',
      'add',
      'pool',
      'concat',
      'bias',
      'transpose',
      'mean',
      'clip',
      'shuffle',
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 9 }), fc.nat(1000), (steps, choice) => {
        const graph = network(({ b, conv, weight }, x) => {
          // Every value has shape [1, 4, 6, 5].
          const made: Handle[] = [x]
          const pick = (index: number): Handle => made[(choice + 7 * index) % made.length]!
          steps.forEach((kind, index) => {
            const [p, q] = [pick(index), pick(index + 1)]
            const next: Record<typeof kind, () => Handle> = {
              conv: () => conv(p, 4, 4, index % 2 ? 3 : 1),
              relu: () => b.node('LeakyRelu', [p]),
              add: () => b.node('Add', [p, q]),
              pool: () => b.node('AveragePool', [p], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
              concat: () => conv(b.node('Concat', [p, q], { axis: 1 }), 8, 4, 1),
              bias: () => b.node('Sub', [weight(4, 1, 1), p]),
              transpose: () => {
                const turned = b.node('Transpose', [p], { perm: [0, 2, 3, 1] })
                return b.node('Transpose', [b.node('Exp', [b.node('Neg', [b.node('Abs', [turned])])])], {
                  perm: [0, 3, 1, 2],
                })
              },
              mean: () => b.node('Mul', [p, b.node('ReduceMean', [q, b.constant(int64([1, -1]))])]),
              clip: () =>
                b.node('Clip', [p, b.constant(float32([-0.5], [])), b.constant(float32([0.5], []))]),
              shuffle: () => {
                const parts = b.node('Reshape', [p, b.constant(int64([1, 2, 2, 6, 5]))])
                const turned = b.node('Transpose', [parts], { perm: [0, 2, 1, 3, 4] })
                return b.node('Reshape', [turned, b.constant(int64([1, 4, 6, 5]))])
              },
            }
            made.push(next[kind]())
          })
          return made.slice(-2)
        })
        check(graph, input)
      }),
      { numRuns: 40 },
    )
  })
})
