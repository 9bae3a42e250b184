/** What is measured of kernels: never how long something takes, but what is done with it and where it is kept. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { graphBuilder } from '../../graph/builder.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import { operators } from '../../ops/index.ts'
import type { Target } from '../../plan/target.ts'
import { sparseLayouts } from '../../sparse/layouts/index.ts'
import { float32, type Tensor } from '../../tensor/tensor.ts'
import { findStage, typeOfValue } from '../compile/stage.ts'
import { testedExecutors } from '../executors.suite.ts'
import { session } from '../session.ts'
import { wasmBackend } from '../wasm/backend.ts'
import { calibration } from './calibration.ts'
import { fitCosts, probeCosts } from './probes.ts'
import { keep, type Measured, type Memory, measuredOn, remember } from './store.ts'

const target: Target = {
  isa: 'avx2',
  threads: 2,
  traits: { layout: 7, lanes: 8, gemmRows: 6, gemmColumns: 16, int8Columns: 16, int8Depth: 2 },
  winograd: true,
  sparse: 'auto',
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-'))
  vi.stubEnv('ESPALIER_CACHE', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

describe('what was measured', () => {
  const some = { byte: 1e-10, layouts: { 'float32 rows': { kept: 1e-9, fixed: 2e-9 } } }
  const fill = (known: Measured): void => {
    known.dense['float32 many'] = 3e-11
    known.byte = some.byte
    Object.assign(known.layouts, some.layouts)
  }

  test('is there for the next process, of the same machine alone', () => {
    const memory: Memory = new Map()
    const known = measuredOn(target, memory)
    expect(known).toEqual({ dense: {}, layouts: {}, timed: {} })
    fill(known)
    remember(known, 'a product', [1, 2])
    keep(target, memory)
    expect(measuredOn(target, memory)).toBe(known)
    const [file, ...others] = readdirSync(folder)
    expect([others, file]).toEqual([[], expect.stringMatching(/^kernels-0.*-7-avx2-2-.*json$/)])
    const next: Memory = new Map()
    expect(measuredOn(target, next)).toEqual({
      ...some,
      dense: { 'float32 many': 3e-11 },
      timed: { 'a product': [1, 2] },
    })
    expect(measuredOn({ ...target, threads: 1 }, next)).toEqual({ dense: {}, layouts: {}, timed: {} })
  })

  test('is not believed where the file is broken, or of another machine', () => {
    const memory: Memory = new Map()
    fill(measuredOn(target, memory))
    keep(target, memory)
    const file = join(folder, readdirSync(folder)[0]!)
    const good = JSON.parse(readFileSync(file, 'utf8'))
    const bad = [
      { ...good, key: 'another' },
      { ...good, byte: -1 },
      { ...good, byte: '1' },
      { ...good, dense: { 'float32 many': null } },
      { ...good, dense: undefined },
      { ...good, layouts: { 'float32 rows': { kept: 1 } } },
      { ...good, layouts: [] },
      { ...good, timed: { a: 1 } },
      { ...good, timed: { a: [1e9] } },
    ].map(each => JSON.stringify(each))
    for (const text of ['', '{', 'null', '[]', '1', ...bad]) {
      writeFileSync(file, text)
      expect([text, measuredOn(target, new Map())]).toEqual([text, { dense: {}, layouts: {}, timed: {} }])
    }
    writeFileSync(file, JSON.stringify(good))
    expect(measuredOn(target, new Map()).byte).toBe(some.byte)
  })

  test('is done without where nothing can be written', () => {
    writeFileSync(join(folder, 'file'), 'no folder')
    for (const place of [join(folder, 'file', 'below'), '']) {
      vi.stubEnv('ESPALIER_CACHE', place)
      const memory: Memory = new Map()
      fill(measuredOn(target, memory))
      keep(target, memory)
      expect(measuredOn(target, memory).byte).toBe(some.byte)
    }
    expect(readdirSync(folder)).toEqual(['file'])
  })

  test('is not more and more', () => {
    const known = measuredOn(target, new Map())
    for (let i = 0; i < 1200; i++) remember(known, `product ${i}`, [i])
    expect(Object.keys(known.timed).length).toBe(1000)
    expect(known.timed['product 1199']).toEqual([1199])
  })
})

describe('costs from times', () => {
  const works = [
    { kept: 10, fixed: 100, bytes: 0, pieces: 1 },
    { kept: 50, fixed: 100, bytes: 0, pieces: 1 },
  ]
  const guess = { kept: 2, fixed: 1 }
  test('are those with which they agree', () => {
    const { kept, fixed } = fitCosts(works, [3 * 10 + 0.5 * 100, 3 * 50 + 0.5 * 100], guess)
    expect([kept, fixed]).toEqual([expect.closeTo(3, 9), expect.closeTo(0.5, 9)])
  })
  test('are as guessed, but for a factor, where they make no sense or do not tell', () => {
    // 120 and 200 are guessed.
    expect(fitCosts(works, [500, 140], guess)).toEqual({ kept: 4, fixed: 2 })
    expect(fitCosts([works[0]!], [60], guess)).toEqual({ kept: 1, fixed: 0.5 })
  })
})

const engines = testedExecutors.filter(({ name, available }) => name === 'wasm' && available().ok)

test.skipIf(engines.length === 0)('every layout is timed', () => {
  const backend = wasmBackend()
  const machine = { backend, target: { ...target, isa: backend.isa, traits: backend.traits, threads: 1 } }
  try {
    for (const layout of sparseLayouts) {
      const found = probeCosts(machine, layout.dtype, layout.probe.few, [layout])
      expect(found.dense).toBeGreaterThan(0)
      expect([layout.name, found.layouts.length, found.layouts[0]]).toEqual([
        layout.name,
        1,
        { kept: expect.any(Number), fixed: expect.any(Number) },
      ])
    }
  } finally {
    backend.dispose()
  }
})

test.skipIf(engines.length === 0)('close calls are timed once, by the node itself', () => {
  const g = graphBuilder()
  const [x, w, b] = [g.input('x', 'float32', [64, 64]), weightOf(64, 50), float32(new Array(64).fill(1))]
  const y = g.node('Gemm', [x, g.constant(w), g.constant(b)], { transB: 1 })
  g.output(g.node('Relu', [y]))
  const graph = g.build()
  const type = typeOfValue(float32(new Array(64 * 64).fill(0), [64, 64]))
  const stage = findStage({ graph, from: 0, types: new Map([['x', type]]), fixed: new Map() }, operators)
  const backend = wasmBackend()
  try {
    const machine: Target = { ...target, isa: backend.isa, traits: backend.traits, threads: 1 }
    const times = calibration(graph, backend, machine, operators)(stage)
    const [gemm] = graph.nodes as [Node]
    const kernels = [
      { name: 'rows', share: 0.5 },
      { name: 'dense', share: 1 },
    ]
    const found = times.timed(gemm, kernels)
    // None where other work was in the way: then it is not tried again.
    if (found !== undefined) expect(found).toEqual([expect.any(Number), expect.any(Number)])
    expect(times.timed(gemm, kernels)).toBe(found)
    // An engine of the same kind, later.
    expect(calibration(graph, backend, machine, operators)(stage).timed(gemm, kernels)).toBe(found)
  } finally {
    backend.dispose()
  }
})

const weightOf = (size: number, zeros: number): Tensor =>
  float32(
    Array.from({ length: size * size }, (_, i) => ((i * 7919) % 100 < zeros ? 0 : (i % 5) - 2 || 1)),
    [size, size],
  )

describe('a session', () => {
  const size = 160
  function graph(zeros: number): Graph {
    const g = graphBuilder()
    g.output(g.node('MatMul', [g.input('x', 'float32', [64, size]), g.constant(weightOf(size, zeros))]))
    return g.build()
  }
  const x = float32(
    Array.from({ length: 64 * size }, (_, i) => (i % 7) - 3),
    [64, size],
  )

  test.each([
    [true, 95],
    [true, 30],
    [undefined, 95],
    [false, 95],
  ])('with calibrate: %s computes the same of %d %% zeros', async (calibrate, zeros) => {
    const one = graph(zeros)
    using opened = await session(one, { threads: 1, ...(calibrate !== undefined && { calibrate }) })
    if (opened.backend === 'reference') return
    using exact = await session(one, { backend: 'reference' })
    expect(opened.runSync({ x })).toEqual(exact.runSync({ x }))
    expect(opened.explain({ x })).toMatch(
      / % zeros; rows with .* (rows|dense) is quickest, (as predicted|as timed here|by built-in figures)/,
    )
    // Written only where nothing else was in the way, and never where nothing is measured.
    if (calibrate !== true) expect(readdirSync(folder)).toEqual([])
  })

  test('measures nothing for dense weights', async () => {
    using opened = await session(graph(0), { threads: 1, calibrate: true })
    opened.runSync({ x } as { x: Tensor })
    expect(existsSync(folder) && readdirSync(folder)).toEqual([])
  })
})
