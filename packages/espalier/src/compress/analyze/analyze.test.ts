/** Layers found and timed by themselves. Times themselves are not looked at: what ran, on what, and what is counted. */
import { describe, expect, test } from 'vitest'
import { countZeros, sparsityOf } from '../../analysis/sparsity.ts'
import { classifier, weight } from '../../cli/testing.ts'
import { graphBuilder } from '../../graph/builder.ts'
import { type Graph, tensorType } from '../../graph/graph.ts'
import { requiredInputs } from '../../runtime/feeds.ts'
import { randomFeeds } from '../../runtime/random-feeds.ts'
import { runReference } from '../../runtime/reference.ts'
import { session } from '../../runtime/session.ts'
import { numbers } from '../../tensor/elements.ts'
import { isTensor, type Tensor } from '../../tensor/tensor.ts'
import { pruneMagnitude } from '../magnitude.ts'
import { patternNamed } from '../patterns/index.ts'
import { quantizeDynamic } from '../quantize/dynamic.ts'
import { quantizeStatic } from '../quantize/static.ts'
import { type Analysis, analyze } from './analyze.ts'
import { breakEven, sweepLayer } from './break-even.ts'
import { readImposition } from './imposition.ts'
import { asFloat32, type FoundLayers, findLayers } from './layers.ts'
import { soloGraph } from './solo.ts'
import { syntheticScores, syntheticWeight } from './synthetic.ts'

const engine = { threads: 1, onWarning: () => {} }
const feedsFor = (graph: Graph) => randomFeeds(requiredInputs(graph), { symbols: new Map([['batch', 2]]) })
const layersOf = (graph: Graph): FoundLayers =>
  findLayers(
    graph,
    new Map(Array.from(feedsFor(graph), ([name, { dtype, shape }]) => [name, tensorType(dtype, shape)])),
  )

/** Two products and a convolution that sparse kernels take; both products have one shape. */
function network(): Graph {
  const g = graphBuilder()
  let x = g.input('image', 'float32', ['batch', 32, 8, 8])
  x = g.node('Conv', [x, g.constant(weight([64, 32, 3, 3]), 'c')], { pads: [1, 1, 1, 1] }, { name: 'conv' })
  x = g.node('Reshape', [x, g.constant({ dtype: 'int64', shape: [3], data: BigInt64Array.of(0n, 64n, 64n) })])
  for (const name of ['first', 'second'])
    x = g.node('MatMul', [x, g.constant(weight([64, 64]), `${name}.weight`)], {}, { name })
  g.output(x)
  return g.build()
}

describe('what is imposed', () => {
  test.each([
    ['0.9', 'unstructured', 0.9, undefined],
    ['int8,block4, 0.8', 'block4', 0.8, 'int8-static'],
    ['2:4,int8-dynamic', '2:4', 0.5, 'int8-dynamic'],
    ['int8', undefined, undefined, 'int8-static'],
  ])('%s', (text, pattern, sparsity, form) => {
    const found = readImposition(text)
    expect([found.name, found.pattern?.name, found.sparsity, found.form]).toEqual([
      text,
      pattern,
      sparsity,
      form,
    ])
  })
  test.each([
    '',
    '0.9,0.8',
    'block4',
    '1.5',
    '-1',
    '2:4,0.9',
    'int8,int8',
    'block4,2:4',
    'sparse',
    '0.5,int2',
  ])('refuses "%s"', text =>
    expect(() => readImposition(text)).toThrow(expect.objectContaining({ code: 'bad-argument' })),
  )
})

test.each([false, true])('a layer over its share of zeros, its weights from memory: %s', async cold => {
  const layer = layersOf(network()).layers.find(({ node }) => node === 'first')!
  const [pattern, sparsities] = [patternNamed('unstructured'), [0, 0.5, 0.9]]
  const found = await sweepLayer(
    layer,
    { pattern, form: 'float32', sparsities },
    { ...engine, budget: 1, cold },
  )
  if (found.dense.kernels.includes('reference')) return
  expect([found.form, found.points.map(({ sparsity }) => sparsity)]).toEqual(['float32', sparsities])
  for (const { milliseconds, kernels } of [found.dense, ...found.points]) {
    expect(milliseconds).toBeGreaterThan(0)
    expect(Number.isFinite(milliseconds)).toBe(true)
    expect(kernels).toHaveLength(1)
  }
})

describe('synthetic weights', () => {
  const shape = [96, 64]
  const view = { order: [1, 0], columnAxes: 1 }
  const use = { rows: [1], columns: [0] }
  const make = (pattern: string, sparsity: number | undefined, options = {}): Tensor<'float32'> =>
    syntheticWeight(shape, view, syntheticScores(shape, view, options), patternNamed(pattern), sparsity)

  test('have the zeros asked for, the same for the same seed', () => {
    expect(countZeros(make('unstructured', 0.9))).toBe(Math.round(0.9 * 96 * 64))
    expect(sparsityOf(make('block4', 0.75), use)).toMatchObject({ fraction: 0.75, zeroBlocks4: 0.75 })
    expect(sparsityOf(make('2:4', undefined), use).pattern).toBe('2:4')
    expect(make('unstructured', 0.9, { seed: 3 })).toEqual(make('unstructured', 0.9, { seed: 3 }))
    expect(make('unstructured', 0.9, { seed: 3 })).not.toEqual(make('unstructured', 0.9, { seed: 4 }))
  })
  test('none becomes zero as an integer', () => {
    const sizes = make('unstructured', 0.5).data.map(Math.abs)
    expect(sizes.every(size => size === 0 || (size >= 0.5 && size <= 1))).toBe(true)
  })
  test('rows differ where that is asked for', () => {
    const spread = (skew: number): number => {
      const kept = new Array<number>(64).fill(0)
      for (const [i, value] of make('unstructured', 0.8, { skew }).data.entries())
        if (value !== 0) kept[i % 64]!++
      return Math.max(...kept) - Math.min(...kept)
    }
    expect(spread(1)).toBeGreaterThan(1.5 * spread(0))
  })
})

describe('break-even', () => {
  const points = [
    { sparsity: 0.5, milliseconds: 4 },
    { sparsity: 0.8, milliseconds: 2 },
    { sparsity: 0.9, milliseconds: 1 },
  ]
  test.each([
    [3, 0.65],
    [5, 0.5],
    [2, 0.8],
    [1.5, 0.85],
    [1, undefined],
    [0.5, undefined],
  ])('dense at %d ms', (dense, expected) => {
    const found = breakEven(points, dense)
    if (expected === undefined) expect(found).toBeUndefined()
    else expect(found).toBeCloseTo(expected, 12)
  })
  test('behind the last point that is slower, whatever the order', () => {
    const noisy = [{ sparsity: 0.6, milliseconds: 9 }, ...points]
    expect(breakEven(noisy, 5)).toBeCloseTo(0.6 + (0.2 * 4) / 7, 12)
    expect(breakEven([], 5)).toBeUndefined()
  })
})

describe('layers', () => {
  test('of a model in floats', () => {
    const { layers, skipped } = layersOf(classifier())
    expect(skipped).toEqual([])
    expect(
      layers.map(({ node, op, weight: name, macs, form, bytes }) => [node, op, name, macs, form, bytes]),
    ).toEqual([
      ['conv1', 'Conv', 'conv1.weight', 2 * 8 * 27 * 16, 'float32', 864],
      ['conv2', 'Conv', 'conv2.weight', 2 * 4 * 8 * 16, 'float32', 128],
      ['head', 'Gemm', 'head.weight', 2 * 40, 'float32', 160],
    ])
  })

  test('of quantised models are the float ones that they were', async () => {
    const graph = network()
    const dynamic = layersOf(quantizeDynamic(graph).graph).layers
    expect(dynamic.map(({ solo, form }) => `${solo.op} ${form}`)).toEqual([
      'Conv float32',
      'MatMul int8-dynamic',
      'MatMul int8-dynamic',
    ])
    const quantized = await quantizeStatic(graph, [feedsFor(graph)], engine)
    const fixed = layersOf(quantized.graph).layers
    expect(fixed.map(({ solo, form }) => `${solo.op} ${form}`)).toEqual([
      'Conv int8-static',
      'MatMul int8-static',
      'MatMul int8-static',
    ])
    expect(fixed.map(({ values }) => values.shape)).toEqual([
      [64, 32, 3, 3],
      [64, 64],
      [64, 64],
    ])
  })

  test('by themselves compute what they did, without transposes', async () => {
    const { layers } = layersOf(network())
    for (const layer of layers)
      for (const form of ['float32', 'int8-static', 'int8-dynamic'] as const) {
        if (form === 'int8-dynamic' && layer.op === 'Conv') continue
        const graph = await soloGraph(layer, form, asFloat32(layer.values), engine)
        const feeds = randomFeeds(requiredInputs(graph))
        using opened = await session(graph, engine)
        const kinds = opened.profile(feeds, { runs: 1 }).rows.map(({ kind }) => kind)
        expect(kinds.pop()).toBe('copy') // of one element
        expect(kinds.filter(kind => kind === 'copy' || kind === 'reference')).toEqual([])
        expect(kinds.some(kind => kind.endsWith(form === 'float32' ? '_f32' : '_i8'))).toBe(true)
        const [ours, theirs] = [opened.runSync(feeds), runReference(graph, feeds)]
        const [y] = Object.keys(ours) as [string]
        const [own, right] = [ours[y], theirs.get(y)]
        if (!isTensor(own) || !isTensor(right)) throw new Error('no tensor')
        expect(own.shape.every(extent => extent === 1)).toBe(true)
        expect(numbers(own)[0]).toBeCloseTo(numbers(right)[0]!, 3)
      }
  })

  test('that cannot be timed say why', () => {
    const g = graphBuilder()
    const x = g.input('x', 'float64', [4, 8])
    g.output(
      g.node('MatMul', [x, g.constant({ dtype: 'float64', shape: [8, 8], data: new Float64Array(64) }, 'w')]),
    )
    expect(layersOf(g.build())).toEqual({
      layers: [],
      skipped: [{ name: 'w', reason: 'it is computed in float64' }],
    })
  })
})

describe('an analysis', () => {
  const run = (impose: string[], more = {}): Promise<Analysis> =>
    analyze(network(), feedsFor(network()), {
      ...engine,
      budget: 1,
      impose: impose.map(readImposition),
      ...more,
    })

  test('of layers as they are and as imposed', async () => {
    const progress: number[] = []
    const found = await run(['0.95', '0.9,block4,int8', 'int8-dynamic'], {
      onProgress: (done: number, all: number) => progress.push(done / all),
    })
    expect(progress).toEqual([0.5, 1])
    expect(found.layers.map(({ node, form, sparsity }) => [node, form, sparsity])).toEqual([
      ['conv', 'float32', 0],
      ['first', 'float32', 0],
      ['second', 'float32', 0],
    ])
    const [conv, first, second] = found.layers as [
      Analysis['layers'][0],
      Analysis['layers'][0],
      Analysis['layers'][0],
    ]
    expect(second.now).toBe(first.now)
    expect(first.imposed.map(imposed => [imposed?.form, imposed?.kernels.at(-1)])).toEqual([
      ['float32', 'sparse_f32'],
      ['int8-static', 'sparse_i8'],
      ['int8-dynamic', 'gemm_i8'],
    ])
    expect(conv.imposed.map(imposed => imposed?.form)).toEqual(['float32', 'int8-static', 'float32'])
    expect(conv.imposed[0]?.note).toMatch(/^95\.0 % zeros; rows with 5\.0 % of the numbers/)
    for (const { bytes, imposed } of found.layers) {
      expect(imposed[0]!.sparsity).toBeCloseTo(0.95, 2)
      expect(imposed[0]!.bytes).toBeLessThan(0.15 * bytes)
      expect(imposed[2]!.bytes).toBeLessThanOrEqual(bytes)
    }
    const layersTime = found.layers.reduce((sum, { imposed }) => sum + imposed[1]!.milliseconds, 0)
    expect(found.imposed[1]!.layers.milliseconds).toBeCloseTo(layersTime, 9)
    const { milliseconds: whole, now } = found
    const estimate =
      now.milliseconds < whole
        ? whole - now.milliseconds + layersTime
        : (whole * layersTime) / now.milliseconds
    expect(found.imposed[1]!.milliseconds).toBeCloseTo(estimate, 9)
    expect(found.now.bytes).toBe(4 * (64 * 32 * 9 + 2 * 64 * 64))
  })

  test('of break-evens, sparse kernels forced', async () => {
    const { breakEven: found = [] } = await run(['0.5,block4,int8', '2:4'], { breakEven: true })
    expect(found.map(({ layers, form, pattern }) => [layers, form, pattern])).toEqual([
      [['conv'], 'int8-static', 'block4'],
      [['first', 'second'], 'int8-static', 'block4'],
    ])
    for (const { points, dense } of found) {
      expect(points.map(({ sparsity }) => sparsity)).toEqual([0.3, 0.5, 0.65, 0.8, 0.95])
      expect(dense).toBeGreaterThan(0)
    }
  })

  test('of layers with zeros of their own, apart from those without', async () => {
    const sparse = pruneMagnitude(network(), {
      sparsity: 0.9,
      include: ({ name }) => name !== 'second.weight',
    }).graph
    const { layers } = await analyze(sparse, feedsFor(sparse), { ...engine, budget: 1 })
    expect(layers.map(({ sparsity, now }) => [Math.round(10 * sparsity), now.kernels.at(-1)])).toEqual([
      [9, 'sparse_f32'],
      [9, 'sparse_f32'],
      [0, 'gemm_f32'],
    ])
  })

  test('leaves small weights as they are', async () => {
    const { layers, now, imposed } = await run(['0.9'], { smallest: 5000 })
    expect(layers.map(layer => layer.imposed[0] === null)).toEqual([false, true, true])
    expect(imposed[0]!.layers.bytes).toBeLessThan(now.bytes)
  })

  test('needs layers, and kernels', async () => {
    const g = graphBuilder()
    g.output(g.node('Relu', [g.input('x', 'float32', [4])]))
    await expect(analyze(g.build(), feedsFor(g.build()), engine)).rejects.toThrow('no layer to time')
    await expect(run([], { backend: 'reference' })).rejects.toThrow('not timed on the reference')
  })
})
