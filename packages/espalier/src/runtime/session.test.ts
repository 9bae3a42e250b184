/** Sessions: what a caller sees of them, on every back end that runs here. */
import { describe, expect, test, vi } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { graphOf } from '../graph/graphs.suite.ts'
import { operators } from '../ops/index.ts'
import { operatorsOf } from '../ops/registry.ts'
import { numbers } from '../tensor/elements.ts'
import { noise } from '../tensor/noise.suite.ts'
import { float32, int64, type Tensor } from '../tensor/tensor.ts'
import type { BackendName } from './backends.ts'
import { nativeState, nativeVariants } from './native/backend.ts'
import { type Session, type SessionOptions, session } from './session.ts'
import { wasmVariants } from './wasm/module.ts'

/** Two products with an activation between them, over a batch of any size. */
const perceptron: Graph = graphOf(g => {
  const x = g.input('x', 'float32', ['batch', 40])
  const hidden = g.node('Relu', [g.node('MatMul', [x, g.constant(noise([40, 70], 1))])])
  return g.node(
    'Add',
    [g.node('MatMul', [hidden, g.constant(noise([70, 9], 2))]), g.constant(noise([9], 3))],
    {},
    { outputs: ['y'] },
  )
})

/** A batch with work enough that a plan uses its threads. */
const manyRows = (seed: number): Tensor => noise([333, 40], seed)

const list = (value: unknown): number[] => Array.from(numbers(value as Tensor))
const native = nativeState().ok
const backends: [BackendName, number][] = [
  ...(native
    ? ([
        ['native', 1],
        ['native', 2],
        ['native', 3],
      ] as [BackendName, number][])
    : []),
  ['wasm', 1],
  ['wasm', 2],
  ['wasm', 3],
  ['reference', 1],
]
const open = (
  backend: BackendName,
  threads: number,
  graph = perceptron,
  more: SessionOptions = {},
): Promise<Session> => session(graph, { backend, threads, ...more })

describe.each(backends)('%s, %i threads', (backend, threads) => {
  test('runs, awaited or not, for every batch', async () => {
    using s = await open(backend, threads)
    using oracle = await open('reference', 1)
    expect([s.backend, s.threads, s.outputs]).toEqual([backend, threads, ['y']])
    for (const batch of [1, 5, 1, 64, 0]) {
      const x = noise([batch, 40], batch)
      const wanted = list(oracle.runSync({ x }).y)
      const found = [list((await s.run({ x })).y), list(s.runSync({ x }).y)]
      for (const values of found) {
        expect(values.length).toBe(9 * batch)
        for (const [index, value] of values.entries()) expect(value).toBeCloseTo(wanted[index]!, 4)
      }
    }
  })

  test('calls that overlap get their own results', async () => {
    using s = await open(backend, threads)
    const feeds = Array.from({ length: 20 }, (_, i) => noise([1 + (i % 3), 40], i))
    const alone = feeds.map(x => list(s.runSync({ x }).y))
    const runs = feeds.map(async (x, i) => {
      if (i % 5 === 0) expect(list(s.runSync({ x }).y)).toEqual(alone[i])
      return list((await s.run({ x })).y)
    })
    expect(await Promise.all(runs)).toEqual(alone)
  })

  test('is used no more after dispose()', async () => {
    const s = await open(backend, threads)
    const x = noise([2, 40], 1)
    const wanted = list(s.runSync({ x }).y)
    const runs = Array.from({ length: 5 }, () => s.run({ x }))
    s.dispose()
    s.dispose()
    for (const outcome of await Promise.allSettled(runs)) {
      if (outcome.status === 'fulfilled') expect(list(outcome.value.y)).toEqual(wanted)
      else expect(outcome.reason).toMatchObject({ code: 'disposed' })
    }
    expect(() => s.runSync({ x })).toThrow(expect.objectContaining({ code: 'disposed' }))
    await expect(s.run({ x })).rejects.toMatchObject({ code: 'disposed' })
  })

  test('refuses what cannot be run, and goes on', async () => {
    using s = await open(backend, threads)
    const refused = async (feeds: Record<string, Tensor>, code: string): Promise<void> => {
      await expect(s.run(feeds)).rejects.toMatchObject({ code })
      expect(() => s.runSync(feeds)).toThrow(expect.objectContaining({ code }))
    }
    await refused({}, 'missing-input')
    await refused({ x: noise([1, 40], 1), z: noise([1], 1) }, 'unknown-input')
    await refused({ x: noise([1, 41], 1) }, 'bad-shape')
    await refused({ x: int64([1]) as Tensor }, 'bad-dtype')
    expect(list(s.runSync({ x: noise([1, 40], 1) }).y).length).toBe(9)
  })

  test('a NaN is a result, or an error when that is asked for', async () => {
    const root = graphOf(g => g.node('Sqrt', [g.input('x', 'float32', [2])], {}, { outputs: ['y'] }))
    const feeds = { x: float32([4, -1]) }
    using lax = await open(backend, threads, root)
    expect(list(lax.runSync(feeds).y)).toEqual([2, Number.NaN])
    using strict = await open(backend, threads, root, { nan: 'error' })
    await expect(strict.run(feeds)).rejects.toMatchObject({ code: 'not-a-number', where: { tensor: 'y' } })
    expect(list(strict.runSync({ x: float32([4, 9]) }).y)).toEqual([2, 3])
  })
})

describe.each(backends.filter(([name]) => name !== 'reference'))('%s, %i threads', (backend, threads) => {
  test('a thousand runs on two sessions, disposed in between, give right results or an error', async () => {
    const x = manyRows(7)
    let [a, b] = [await open(backend, threads), await open(backend, threads)]
    const wanted = list(a.runSync({ x }).y)
    let right = 0
    const runs: Promise<void>[] = []
    for (let i = 0; i < 1000; i++) {
      const s = i % 2 ? a : b
      const ended = s.run({ x }).then(
        ({ y }) => {
          expect(list(y)).toEqual(wanted)
          right++
        },
        error => expect(error).toMatchObject({ code: 'disposed' }),
      )
      runs.push(ended)
      if (i % 250 !== 249) continue
      s.dispose()
      const fresh = await open(backend, threads)
      if (s === a) a = fresh
      else b = fresh
    }
    await Promise.all(runs)
    expect(right).toBeGreaterThan(100)
    a.dispose()
    b.dispose()
  })

  test('results do not depend on the number of threads', async () => {
    using one = await open(backend, 1)
    using many = await open(backend, threads)
    const x = manyRows(4)
    expect(list(many.runSync({ x }).y)).toEqual(list(one.runSync({ x }).y))
  })
})

test.each([
  ...nativeVariants().map(isa => ['native', isa] as const),
  ...wasmVariants().map(isa => ['wasm', isa] as const),
])('%s kernels for %s are taken when they are asked for', async (backend, isa) => {
  using s = await session(perceptron, { backend, isa, threads: 1 })
  expect(s.isa).toBe(isa)
  expect(list(s.runSync({ x: noise([2, 40], 1) }).y).length).toBe(18)
})

test('plans ahead, for shapes that fit', async () => {
  using s = await session(perceptron, { shapes: { batch: 4 } })
  expect(list(s.runSync({ x: noise([4, 40], 1) }).y).length).toBe(36)
  using t = await session(perceptron, { shapes: { x: [2, 40] } })
  expect(list(t.runSync({ x: noise([7, 40], 1) }).y).length).toBe(63)
  const refuse = (shapes: SessionOptions['shapes'], code: string): Promise<void> =>
    expect(session(perceptron, { ...(shapes && { shapes }) })).rejects.toMatchObject({ code })
  await refuse({ length: 4 }, 'bad-argument')
  await refuse({ z: [1] }, 'bad-argument')
  await refuse({ x: [2, 41] }, 'bad-shape')
  await refuse({ batch: 1.5 }, 'bad-argument')
  await refuse({ x: [-2, 40] }, 'bad-argument')
})

test('options that cannot be are refused', async () => {
  const refuse = (options: SessionOptions, code: string): Promise<void> =>
    expect(session(perceptron, options)).rejects.toMatchObject({ code })
  await refuse({ threads: 0 }, 'bad-argument')
  await refuse({ threads: 1.5 }, 'bad-argument')
  await refuse({ backend: 'gpu' as never }, 'bad-argument')
  await refuse({ backend: 'wasm', isa: 'avx2' }, 'bad-argument')
  await refuse({ outputs: ['z'] }, 'bad-argument')
})

test('values in between can be asked for', async () => {
  const hidden = perceptron.nodes[1]!.outputs[0]!
  using s = await session(perceptron, { outputs: [hidden] })
  expect(list(s.runSync({ x: noise([1, 40], 1) })[hidden]).length).toBe(70)
})

test("operators of one's own: more of them, fewer, or others than the library's", async () => {
  const gelu = graphOf(g => {
    const x = g.input('x', 'float32', [3])
    const half = g.node('Erf', [g.node('Div', [x, g.constant(float32([Math.SQRT2]))])])
    const sum = g.node('Add', [half, g.constant(float32([1]))])
    return g.node('Mul', [g.node('Mul', [x, sum]), g.constant(float32([0.5]))], {}, { outputs: ['y'] })
  })
  const feeds = { x: float32([-1, 0, 2]) }
  const few = operators.all.filter(({ name }) => ['Erf', 'Div', 'Add', 'Mul'].includes(name))
  const { lower: _, ...mul } = operators.find('', 'Mul')!
  const sevens = { ...mul, evaluate: () => [float32([7, 7, 7])] }
  for (const [own, wanted] of [
    [operators.all, [-0.1587, 0, 1.9545]],
    [few, [-0.1587, 0, 1.9545]],
    [operators.all.map(op => (op.name === 'Mul' ? sevens : op)), [7, 7, 7]],
  ] as const) {
    using s = await session(gelu, { operators: operatorsOf([...own]), threads: 1 })
    for (const [index, value] of list(s.runSync(feeds).y).entries())
      expect(value).toBeCloseTo(wanted[index]!, 4)
  }
})

test('feeds that went elsewhere while they waited are refused', async () => {
  using s = await session(perceptron, { threads: 1 })
  const [x, other] = [noise([1, 40], 1), noise([1, 40], 1)]
  const wanted = list(s.runSync({ x }).y)
  const [first, second] = [s.run({ x }), s.run({ x: other })]
  structuredClone(other.data, { transfer: [other.data.buffer as ArrayBuffer] })
  await expect(second).rejects.toMatchObject({ code: 'bad-argument', where: { tensor: 'x' } })
  expect(list((await first).y)).toEqual(wanted)
})

test('what is slower than it could be is told', async () => {
  const onWarning = vi.fn()
  vi.stubGlobal('crossOriginIsolated', false)
  try {
    using s = await session(perceptron, { backend: 'wasm', threads: 2, onWarning })
    expect(s.threads).toBe(1)
    expect(onWarning.mock.calls).toEqual([[expect.stringContaining('Cross-Origin-Opener-Policy')]])
  } finally {
    vi.unstubAllGlobals()
  }
})

test('explains itself', async () => {
  using s = await session(perceptron, { threads: 1 })
  const text = s.explain({ x: noise([1, 40], 1) })
  expect(text).toMatch(/^every operator runs on kernels\n/)
  expect(text).toContain('gemm_f32')
  const odd = graphOf(g =>
    g.node('NonZero', [g.node('Det', [g.input('x', 'float32', [2, 2])])], {}, { outputs: ['y'] }),
  )
  using slow = await session(odd, { threads: 1 })
  const told = slow.explain({ x: float32([1, 2, 3, 4], [2, 2]) })
  expect(told).toContain('no kernel: ')
  expect(told).toContain('outside a plan: ')
})

test('profiles itself', async () => {
  using s = await session(perceptron, { threads: 1 })
  const { rows, seconds } = s.profile({ x: noise([8, 40], 1) }, { runs: 2 })
  const products = rows.filter(({ kind }) => kind === 'gemm_f32')
  expect(products.map(({ flops }) => flops)).toEqual([2 * 8 * 40 * 70, 2 * 8 * 70 * 9])
  expect(seconds).toBeGreaterThan(0)
})
