/**
 * Weights with many zeros on every executor, beside the reference. Whole numbers throughout: results are the same on all,
 * to the bit, whatever the order of sums.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { weightViews } from '../src/analysis/weight-views.ts'
import {
  compressedOf,
  encodeEspalier,
  readEspalier,
  tensorOfCompressed,
} from '../src/formats/espalier/index.ts'
import { concatBytes } from '../src/formats/io/bytes.ts'
import { floatAttribute, type GraphBuilder, graphBuilder, type Handle } from '../src/graph/builder.ts'
import { type Graph, isSparse } from '../src/graph/graph.ts'
import { withSparseInitializers } from '../src/graph/sparse.ts'
import type { Isa } from '../src/plan/target.ts'
import type { BackendName } from '../src/runtime/backends.ts'
import type { Executor } from '../src/runtime/executor.ts'
import { testedExecutors } from '../src/runtime/executors.suite.ts'
import { reference } from '../src/runtime/reference.ts'
import { type SessionOptions, session } from '../src/runtime/session.ts'
import { sizeOf } from '../src/tensor/shape.ts'
import { float32, type RuntimeValue, type Tensor, tensor } from '../src/tensor/tensor.ts'

/** Whole numbers from -`most` to `most`, of which `zeros` of a hundred are 0. Lines of `run` numbers are zero together. */
function whole(count: number, most: number, zeros: number, run = 1): number[] {
  let state = 12345
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  let zero = false
  return Array.from({ length: count }, (_, i) => {
    if (i % run === 0) zero = next(100) < zeros
    const value = 1 + next(most)
    return zero ? 0 : next(2) === 0 ? value : -value
  })
}

const floats = (shape: number[], zeros = 0): Tensor => float32(whole(sizeOf(shape), 3, zeros), shape)

interface Case {
  readonly name: string
  readonly shape: number[]
  readonly dtype?: 'float32' | 'uint8'
  /** What the plan has for it. */
  readonly step: 'sparse_f32' | 'sparse_i8' | 'bitmask_f32' | 'bitmask_i8' | 'some_of_four_i8' | 'gemm_f32'
  readonly build: (g: GraphBuilder, x: Handle) => Handle
}

const cases: readonly Case[] = [
  {
    name: 'a matrix with a bias, an activation and a residual',
    shape: [2, 35, 70],
    step: 'sparse_f32',
    build: (g, x) => {
      const y = g.node('MatMul', [x, g.constant(floats([70, 90], 90))])
      const z = g.node('Relu', [g.node('Add', [y, g.constant(floats([90]))])])
      return g.node('Add', [g.node('MatMul', [z, g.constant(floats([90, 70], 85))]), x])
    },
  },
  {
    name: 'a transposed matrix, some outputs without a number',
    shape: [20, 300],
    step: 'sparse_f32',
    build: (g, x) => {
      const weight = floats([270, 300], 80)
      const data = Float32Array.from(weight.data as Float32Array)
        .fill(0, 0, 900)
        .fill(1, 900, 1200)
      return g.node(
        'Gemm',
        [x, g.constant(tensor('float32', weight.shape, data)), g.constant(floats([270]))],
        { transB: 1 },
      )
    },
  },
  {
    name: 'blocks of four outputs, the last one lower',
    shape: [70, 200],
    step: 'sparse_f32',
    build: (g, x) => {
      // [k, n], of which four along n are zero together.
      const data = Float32Array.from(whole(200 * 130, 3, 0))
      const blocks = whole(200 * 33, 1, 80)
      for (let i = 0; i < data.length; i++)
        if (blocks[Math.floor(i / 130) * 33 + ((i % 130) >> 2)] === 0) data[i] = 0
      const y = g.node('MatMul', [x, g.constant(float32([...data], [200, 130]))])
      return g.node('Relu', [g.node('Add', [y, g.constant(floats([130]))])])
    },
  },
  {
    name: 'nothing but zeros',
    shape: [16, 64],
    step: 'sparse_f32',
    build: (g, x) => g.node('MatMul', [x, g.constant(floats([64, 32], 100))]),
  },
  {
    name: 'few zeros',
    shape: [9, 64],
    step: 'gemm_f32',
    build: (g, x) => g.node('MatMul', [x, g.constant(floats([64, 32], 20))]),
  },
  ...[
    { kernel: [1, 1], attributes: {} },
    { kernel: [1, 1], attributes: { strides: [2, 2] } },
    { kernel: [3, 3], attributes: { pads: [1, 1, 1, 1] } },
    { kernel: [3, 3], attributes: { pads: [0, 1, 2, 1], strides: [2, 1], dilations: [1, 2] } },
  ].map(
    ({ kernel, attributes }): Case => ({
      name: `a convolution ${JSON.stringify({ kernel, ...attributes })}`,
      shape: [2, 33, 14, 11],
      step: 'sparse_f32',
      build: (g, x) => {
        const weight = g.constant(floats([128, 33, ...kernel], 95))
        return g.node('Relu', [g.node('Conv', [x, weight, g.constant(floats([128]))], attributes)])
      },
    }),
  ),
  {
    name: '8-bit weights, four zeros together',
    shape: [40, 130],
    dtype: 'uint8',
    step: 'sparse_i8',
    build: (g, x) => {
      // [k, n], of which four along k are zero together.
      const turned = whole(130 * 50, 120, 80, 4)
      const data = Int8Array.from(
        { length: 130 * 50 },
        (_, i) => turned[(i % 50) * 130 + Math.floor(i / 50)]!,
      )
      return g.node('MatMulInteger', [
        x,
        g.constant(tensor('int8', [130, 50], data)),
        g.constant(tensor('uint8', [], Uint8Array.of(7))),
      ])
    },
  },
  ...[1, 2].map(
    (rows): Case => ({
      name: `8-bit weights that come from memory, rows: ${rows}`,
      shape: [rows, 1024],
      dtype: 'uint8',
      step: 'bitmask_i8',
      build: (g, x) => {
        // [k, n], of which four along k are zero together, and some columns throughout.
        const turned = whole(1024 * 523, 120, 70, 4).fill(0, 1024 * 40, 1024 * 90)
        const data = Int8Array.from(turned, (_, i) => turned[(i % 523) * 1024 + Math.floor(i / 523)]!)
        return g.node('MatMulInteger', [
          x,
          g.constant(tensor('int8', [1024, 523], data)),
          g.constant(tensor('uint8', [], Uint8Array.of(9))),
        ])
      },
    }),
  ),
  ...[1, 2].map(
    (kept): Case => ({
      name: `8-bit weights, ${kept} of every four`,
      shape: [kept, 1024],
      dtype: 'uint8',
      step: 'some_of_four_i8',
      build: (g, x) => {
        const data = Int8Array.from(whole(1024 * 523, 120, 10), (value, i) => {
          const [k, output] = [Math.floor(i / 523), i % 523]
          return (k + output) % 4 < kept ? value : 0
        })
        return g.node('MatMulInteger', [
          x,
          g.constant(tensor('int8', [1024, 523], data)),
          g.constant(tensor('uint8', [], Uint8Array.of(9))),
        ])
      },
    }),
  ),
  ...[1, 3].map(
    (rows): Case => ({
      name: `weights that come from memory, rows: ${rows}`,
      shape: [rows, 519],
      step: 'bitmask_f32',
      build: (g, x) => {
        const weight = floats([519, 523], 60)
        return g.node('Relu', [
          g.node('Add', [g.node('MatMul', [x, g.constant(weight)]), g.constant(floats([523]))]),
        ])
      },
    }),
  ),
  {
    name: 'an 8-bit convolution',
    shape: [1, 32, 9, 10],
    dtype: 'uint8',
    step: 'sparse_i8',
    build: (g, x) => {
      const data = Int8Array.from(whole(96 * 32 * 9, 100, 96))
      const weight = g.constant(tensor('int8', [96, 32, 3, 3], data))
      return g.node('ConvInteger', [x, weight, g.constant(tensor('uint8', [], Uint8Array.of(3)))], {
        pads: [1, 1, 1, 1],
      })
    },
  },
  {
    name: 'a convolution before a batch norm and a factor',
    shape: [1, 16, 12, 9],
    step: 'sparse_f32',
    build: (g, x) => {
      const y = g.node('Conv', [x, g.constant(floats([24, 16, 3, 3], 85))])
      const factor = float32(Array.from({ length: 24 }, (_, i) => 2 ** ((i % 5) - 2)))
      const constants = [factor, floats([24]), floats([24]), float32(new Array(24).fill(1))]
      const norm = g.node('BatchNormalization', [y, ...constants.map(value => g.constant(value))], {
        epsilon: floatAttribute(0),
      })
      return g.node('Mul', [norm, g.constant(float32([2]))])
    },
  },
  {
    name: 'a transposed 8-bit matrix between floats',
    shape: [20, 128],
    step: 'sparse_i8',
    build: (g, x) => {
      const [one, zero] = [g.constant(float32([1], [])), g.constant(tensor('int8', [], Int8Array.of(0)))]
      const weight = tensor('int8', [48, 128], Int8Array.from(whole(48 * 128, 100, 85, 4)))
      const y = g.node(
        'Gemm',
        [
          g.node('DequantizeLinear', [g.node('QuantizeLinear', [x, one, zero]), one, zero]),
          g.node('DequantizeLinear', [g.constant(weight), one, zero]),
        ],
        { transB: 1 },
      )
      const step = g.constant(float32([16], []))
      return g.node('DequantizeLinear', [g.node('QuantizeLinear', [y, step, zero]), step, zero])
    },
  },
]

function graphOf({ shape, dtype = 'float32', build }: Case): Graph {
  const g = graphBuilder()
  g.output(build(g, g.input('x', dtype, shape)))
  return g.build()
}

function feedsOf({ shape, dtype = 'float32' }: Case): { x: Tensor } {
  if (dtype === 'float32') return { x: floats(shape) }
  return {
    x: tensor(
      'uint8',
      shape,
      Uint8Array.from(whole(sizeOf(shape), 100, 0), value => value + 100),
    ),
  }
}

const engines = testedExecutors.filter(executor => executor !== reference && executor.available().ok)

describe.each(cases)('$name', one => {
  const graph = graphOf(one)
  const feeds = feedsOf(one)
  using prepared = reference.prepare(graph)
  const [expected] = [...prepared.run(feeds).values()] as Tensor[]

  test.each(engines)('$name', async engine => {
    expect(await outputsOn(engine, one, graph, feeds)).toEqual([expected])
  })

  test('runs on the kernel that it should', async () => {
    using s = await session(graph, optionsOf(one))
    if (s.backend === 'reference') return
    expect(s.dump(feeds)).toContain(one.step)
  })

  test('from sparse constants', async () => {
    const sparse = withSparseInitializers(graph)
    for (const engine of engines) expect(await outputsOn(engine, one, sparse, feeds)).toEqual([expected])
  })

  test('from a file, the dense weight is never made', async () => {
    if (one.step.startsWith('gemm')) return
    const { graph: stored, count } = await withoutDense(graph)
    expect(count).toBeGreaterThan(0)
    for (const engine of engines) expect(await outputsOn(engine, one, stored, feeds)).toEqual([expected])
  })
})

/** Weights as small as those of few rows come from a cache, where dense kernels are quicker: sparse ones are asked for. */
const optionsOf = ({ step }: Case): SessionOptions => ({
  sparse: /bitmask|some_of/.test(step) ? 'always' : 'auto',
  onWarning: () => {},
})

/** What an engine computes, in the order of the graph's outputs. */
async function outputsOn(
  { name }: Executor,
  one: Case,
  graph: Graph,
  feeds: { x: Tensor },
): Promise<RuntimeValue[]> {
  const [backend, isa] = name.split(' ') as [BackendName, Isa?]
  using opened = await session(graph, { ...optionsOf(one), backend, ...(isa && { isa }) })
  return Object.values(opened.runSync(feeds))
}

/** The graph from an espalier file, and how many of its constants are sparse there: they fail when they are asked for their dense form. */
async function withoutDense(graph: Graph): Promise<{ graph: Graph; count: number }> {
  const { chunks } = encodeEspalier(graph, { views: weightViews(graph) })
  const read = await readEspalier(concatBytes(chunks))
  let count = 0
  const initializers = new Map(read.initializers)
  for (const [name, constant] of initializers) {
    const compressed = isSparse(constant) ? undefined : compressedOf(constant)
    if (compressed === undefined || compressed.codec === 'raw') continue
    count++
    const dense = (): Tensor => {
      throw new Error(`the dense form of ${name} was made`)
    }
    initializers.set(name, tensorOfCompressed({ ...compressed, dense }))
  }
  return { graph: { ...read, initializers }, count }
}

test('memory of packed weights is given back with the session, though the graph stays', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = async (): Promise<number> => {
    // What weak references gave lasts until the end of a turn, and finalisers run in another.
    for (let turn = 0; turn < 3; turn++) {
      await new Promise(resolve => setTimeout(resolve, 0))
      collect()
    }
    return process.memoryUsage().arrayBuffers
  }
  const size = 1024
  const g = graphBuilder()
  g.output(g.node('MatMul', [g.input('x', 'float32', ['rows', size]), g.constant(floats([size, size], 80))]))
  const { graph } = await withoutDense(g.build())
  const feeds = (rows: number) => ({ x: floats([rows, size]) })
  const packed = 0.2 * size * size * 6
  const before = await held()
  const first = await session(graph, { backend: 'native' })
  const [expected] = Object.values(first.runSync(feeds(64)))
  first.runSync(feeds(65))
  const own = (await held()) - before
  const second = await session(graph, { backend: 'native' })
  expect(Object.values(second.runSync(feeds(64)))).toEqual([expected])
  const both = (await held()) - before
  first.dispose()
  expect(Object.values(second.runSync(feeds(66))).length).toBe(1)
  second.dispose()
  const after = (await held()) - before
  // The compressed weights once, whatever the number of plans and sessions, with their arenas; nothing afterwards.
  expect(own).toBeGreaterThan(0.9 * packed)
  expect(own).toBeLessThan(2.25 * packed)
  expect(both).toBeLessThan(3 * packed)
  expect(after).toBeLessThan(0.5 * packed)
  // Packed anew for who asks later.
  using third = await session(graph, { backend: 'native' })
  expect(Object.values(third.runSync(feeds(64)))).toEqual([expected])
})

describe('sparse kernels can be forbidden and asked for', () => {
  const graph = (zeros: number): Graph => {
    const g = graphBuilder()
    g.output(g.node('MatMul', [g.input('x', 'float32', [64, 96]), g.constant(floats([96, 80], zeros))]))
    return g.build()
  }
  const feeds = { x: floats([64, 96]) }
  test.each([
    [
      90,
      'auto',
      'sparse_f32',
      /^9\d\.\d % zeros; rows with \d+\.\d % of the numbers .* ms, dense .* ms; rows is quickest, by built-in figures; sparse kernels pay from [34]\d\.\d % of the numbers or [234]\d\.\d % of the blocks of 4 outputs zero on; \d+ bytes, 30720 dense$/,
    ],
    [90, 'never', 'gemm_f32', undefined],
    [
      35,
      'auto',
      'gemm_f32',
      /^35\.0 % zeros; rows .*; dense is quickest, by built-in figures; sparse kernels pay from [34]\d\.\d % of the numbers or [234]\d\.\d % of the blocks of 4 outputs zero on$/,
    ],
    [35, 'always', 'sparse_f32', /rows, since sparse kernels are asked for/],
    [0, 'auto', 'gemm_f32', undefined],
    [0, 'always', 'sparse_f32', /^0\.0 % zeros; rows with 100\.0 % of the numbers/],
  ] as const)('%d %% zeros, %s', async (zeros, sparse, kind, note) => {
    using opened = await session(graph(zeros), { sparse, threads: 1, onWarning: () => {} })
    const [row, ...others] = opened.profile(feeds, { runs: 1 }).rows
    expect([row?.kind, others]).toEqual([kind, []])
    if (note === undefined) expect(row?.note).toBeUndefined()
    else expect(row?.note).toMatch(note)
    expect(opened.explain(feeds)).toContain(`${kind.padEnd(22)} matmul_1${note ? ` (${row?.note})` : ''}`)
    using dense = await session(graph(zeros), { backend: 'reference' })
    expect(opened.runSync(feeds)).toEqual(dense.runSync(feeds))
  })
  test('blocks of four outputs have a layout of their own', async () => {
    const blocks = whole(24 * 64, 1, 80)
    const data = Float32Array.from({ length: 96 * 64 }, (_, i) => blocks[(i >> 8) * 64 + (i % 64)]!)
    const g = graphBuilder()
    const x = g.input('x', 'float32', [64, 64])
    g.output(g.node('Gemm', [x, g.constant(float32([...data], [96, 64]))], { transB: 1 }))
    using opened = await session(g.build(), { threads: 1, onWarning: () => {} })
    const inputs = { x: floats([64, 64]) }
    expect(opened.explain(inputs)).toMatch(/blocks 4x1 is quickest, by built-in figures/)
    using dense = await session(g.build(), { backend: 'reference' })
    expect(opened.runSync(inputs)).toEqual(dense.runSync(inputs))
  })
  test('in no other way', async () => {
    await expect(session(graph(0), { sparse: 'sometimes' as 'auto' })).rejects.toThrow(/auto, never, always/)
  })
})
