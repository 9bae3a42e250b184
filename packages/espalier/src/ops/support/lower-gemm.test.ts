/** Products of matrices on every executor beside the reference: ranks, broadcasts, layouts, constants, epilogues. */
import { describe, expect, test } from 'vitest'
import { floatAttribute, graphBuilder, type Handle, type PlainAttribute } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import type { Executor } from '../../runtime/executor.ts'
import { executors } from '../../runtime/executors.ts'
import { reference } from '../../runtime/reference.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'

interface Case {
  readonly op?: 'MatMul' | 'Gemm'
  readonly domain?: 'espalier'
  readonly shapes: readonly (readonly number[] | undefined)[]
  /** Inputs that are the same in every run. */
  readonly constants?: readonly number[]
  readonly attributes?: Readonly<Record<string, PlainAttribute>>
}

const half = floatAttribute(0.5)
const products: readonly Case[] = [
  ...[[], [1]].flatMap((constants): Case[] => [
    {
      shapes: [
        [5, 7],
        [7, 9],
      ],
      constants,
    },
    { shapes: [[7], [7]], constants },
    { shapes: [[7], [3, 7, 4]], constants },
    { shapes: [[3, 4, 7], [7]], constants },
    {
      shapes: [
        [2, 3, 4, 40],
        [40, 33],
      ],
      constants,
    },
    {
      shapes: [
        [2, 3, 1, 40],
        [40, 33],
      ],
      constants,
    },
    {
      shapes: [
        [2, 1, 4, 8],
        [3, 8, 5],
      ],
      constants,
    },
    {
      shapes: [
        [4, 8],
        [2, 3, 8, 5],
      ],
      constants,
    },
    {
      shapes: [
        [2, 1, 2, 1, 2, 1, 2, 3, 4],
        [3, 1, 3, 1, 3, 1, 4, 5],
      ],
      constants,
    },
    {
      shapes: [
        [100, 64],
        [64, 1],
      ],
      constants,
    },
    {
      shapes: [
        [2, 50, 64],
        [2, 64, 3],
      ],
      constants,
    },
    {
      shapes: [
        [1, 64],
        [64, 100],
      ],
      constants,
    },
    {
      shapes: [
        [2, 64],
        [64, 100],
      ],
      constants,
    },
    {
      shapes: [
        [3, 0],
        [0, 4],
      ],
      constants,
    },
    {
      shapes: [
        [0, 3],
        [3, 4],
      ],
      constants,
    },
    {
      shapes: [
        [2, 3],
        [3, 0],
      ],
      constants,
    },
    {
      shapes: [
        [0, 2, 3],
        [3, 4],
      ],
      constants,
    },
  ]),
]
const gemms: readonly Case[] = [[], [1], [1, 2]].flatMap((constants): Case[] => [
  { op: 'Gemm', shapes: [[5, 7], [7, 9], [9]], constants },
  {
    op: 'Gemm',
    shapes: [
      [5, 7],
      [9, 7],
      [5, 1],
    ],
    constants,
    attributes: { transB: 1, beta: half },
  },
  { op: 'Gemm', shapes: [[7, 5], [7, 9], []], constants, attributes: { transA: 1, alpha: half } },
  {
    op: 'Gemm',
    shapes: [
      [70, 50],
      [90, 70],
      [50, 90],
    ],
    constants,
    attributes: { transA: 1, transB: 1 },
  },
  {
    op: 'Gemm',
    shapes: [
      [5, 7],
      [7, 9],
      [1, 9],
    ],
    constants,
    attributes: { beta: floatAttribute(0) },
  },
])
const fused: readonly Case[] = [[], [1]].flatMap((constants): Case[] => [
  {
    domain: 'espalier',
    shapes: [[2, 3, 8], [20, 8], [20], [2, 3, 20]],
    constants,
    attributes: { transB: 1, activation: 'gelu' },
  },
  {
    domain: 'espalier',
    shapes: [
      [2, 3, 8],
      [2, 8, 20],
      [2, 3, 1],
      [2, 3, 20],
    ],
    constants,
    attributes: { alpha_scale: half, activation: 'relu' },
  },
  {
    domain: 'espalier',
    shapes: [[2, 3, 8], [2, 20, 8], undefined, [2, 3, 20]],
    constants,
    attributes: { transB: 1 },
  },
  {
    domain: 'espalier',
    shapes: [
      [2, 5, 8],
      [8, 20],
      [2, 1, 20],
    ],
    constants,
    attributes: { activation: 'tanh' },
  },
  { domain: 'espalier', shapes: [[8], [8, 20], [20]], constants },
  { domain: 'espalier', shapes: [[3, 5, 8], [8], [3, 5]], constants },
])

/** Numbers between -1 and 1 that follow from a seed. */
function someNumbers(shape: readonly number[], seed: number): Tensor {
  let state = seed + 1
  return tensor(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => {
      state = (state * 48271) % 2147483647
      return state / 1073741824 - 1
    }),
  )
}

function build({ op = 'MatMul', domain, shapes, constants = [], attributes = {} }: Case): {
  graph: Graph
  feeds: Record<string, Tensor>
} {
  const g = graphBuilder({ opset: 13, opsets: { espalier: 1 } })
  const feeds: Record<string, Tensor> = {}
  const inputs = shapes.map((shape, index): Handle | undefined => {
    if (shape === undefined) return undefined
    const value = someNumbers(shape, index)
    if (constants.includes(index)) return g.constant(value)
    feeds[`x${index}`] = value
    return g.input(`x${index}`, 'float32', shape)
  })
  g.output(
    g.node(op, inputs, attributes, domain === undefined ? { outputs: ['y'] } : { outputs: ['y'], domain }),
  )
  return { graph: g.build(), feeds }
}

function run(executor: Executor, { graph, feeds }: ReturnType<typeof build>): Tensor {
  using prepared = executor.prepare(graph)
  return prepared.run(feeds).get('y') as Tensor
}

describe.each(executors.filter(executor => executor !== reference))('products on $name', executor => {
  test
    .skipIf(!executor.available().ok)
    .each([...products, ...gemms, ...fused].map(one => [JSON.stringify(one), one] as const))(
    '%s',
    (_, one) => {
      const model = build(one)
      const [found, expected] = [run(executor, model), run(reference, model)]
      expect(found.shape).toEqual(expected.shape)
      const values = expected.data as Float32Array
      ;(found.data as Float32Array).forEach((value, i) => {
        expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(1e-5 + 1e-5 * Math.abs(values[i]!))
      })
    },
  )
})
