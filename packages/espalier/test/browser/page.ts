/**
 * What runs in the browser's page: ONNX's operator cases, the generated operator cases beside the reference, and
 * sessions with threads. browser.test.ts calls these checks and looks at what they report.
 */
import { readSafetensors } from '../../src/formats/safetensors/index.ts'
import { graphBuilder } from '../../src/graph/builder.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { engineExecutor } from '../../src/runtime/engine/executor.ts'
import type { Executor } from '../../src/runtime/executor.ts'
import { caseDifference, type OnnxCase, parseCase } from '../../src/runtime/onnx-cases.suite.ts'
import { type Outputs, type Session, session } from '../../src/runtime/session.ts'
import { wasmBackend } from '../../src/runtime/wasm/backend.ts'
import { loadWasm, type WasmIsa, wasmVariants } from '../../src/runtime/wasm/module.ts'
import { fromNumbers, numbers } from '../../src/tensor/elements.ts'
import { normal, randomKey } from '../../src/tensor/random.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import { float32, int64, type Tensor, tensorBytes } from '../../src/tensor/tensor.ts'
import { sameValue } from '../../src/tensor/testing.ts'
import { casesOf } from '../operators/case.ts'
import { engineDifference } from '../operators/engines.ts'
import { tables } from '../operators/tables/index.ts'

/** What a check found. */
export interface Report {
  readonly cases: number
  /** In words, with the name of the case. */
  readonly failures: readonly string[]
}

export interface Checks {
  /** Whether threads can share memory in this page. */
  isolated(): boolean
  variants(): WasmIsa[]
  /** ONNX's cases on the executor. */
  onnxCases(isa: WasmIsa): Promise<Report>
  /** ONNX's cases through sessions with threads: right, and the same bits as on one thread. */
  onnxSessions(isa: WasmIsa, threads: number): Promise<Report>
  /** The generated operator cases, every `step`-th from number `first` on, beside the reference. */
  operatorCases(isa: WasmIsa, step: number, first: number): Promise<Report>
  /**
   * A network in sessions with one thread and with so many, one after another: how many each has, and whether the bits of
   * every run are those on one.
   */
  network(
    isa: WasmIsa,
    threads: readonly number[],
  ): Promise<{
    readonly threads: readonly number[]
    readonly same: boolean
    readonly warnings: readonly string[]
  }>
  /** Runs of which every second one asks for what is not there: what the others give, and the errors. */
  faults(
    isa: WasmIsa,
    threads: number,
    runs: number,
  ): Promise<{ readonly values: readonly number[]; readonly errors: readonly string[] }>
}

const checks: Checks = {
  isolated: () => (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true,
  variants: wasmVariants,
  async onnxCases(isa) {
    const executor = await executorOn(isa)
    return report(await readCases(), one => {
      using prepared = executor.prepare(one.graph)
      return caseDifference(one, prepared.run(one.feeds))
    })
  },
  async onnxSessions(isa, threads) {
    return report(await readCases(), async one => {
      using alone = await sessionOn(one.graph, isa, 1)
      using together = await sessionOn(one.graph, isa, threads)
      if (together.threads !== threads) return `runs on ${together.threads} threads`
      const [a, b] = [await alone.run(one.feeds), await together.run(one.feeds)]
      if (!sameOutputs(a, b)) return 'other bits with more threads'
      return caseDifference(one, new Map(Object.entries(b)))
    })
  },
  async operatorCases(isa, step, first) {
    const executor = await executorOn(isa)
    const cases = [...casesOf(tables).values()].flat().filter((_, index) => index % step === first)
    return report(
      cases.map(one => ({ ...one, name: one.title })),
      one => engineDifference(executor, one),
    )
  },
  async network(isa, threads) {
    const graph = network()
    const warnings: string[] = []
    const found: number[] = []
    let same = true
    using alone = await sessionOn(graph, isa, 1)
    for (const wanted of threads) {
      using together = await sessionOn(graph, isa, wanted, message => warnings.push(message))
      found.push(together.threads)
      for (const size of [33, 64, 33]) {
        const feeds = { image: noise([2, 3, size, size], size) }
        same &&= sameOutputs(await alone.run(feeds), await together.run(feeds))
      }
    }
    return { threads: found, same, warnings }
  },
  async faults(isa, threads, runs) {
    const g = graphBuilder()
    const inputs = [g.input('x', 'float32', [3]), g.input('index', 'int64', [1])]
    g.output(g.node('Gather', inputs, {}, { name: 'pick', outputs: ['y'] }))
    using picking = await sessionOn(g.build(), isa, threads)
    const values = new Set<number>()
    const errors = new Set<string>()
    for (let run = 0; run < runs; run++)
      try {
        const { y } = await picking.run({ x: float32([5, 6, 7]), index: int64([run % 2 === 0 ? 1 : 9]) })
        values.add(numbers(y as Tensor)[0]!)
      } catch (error) {
        errors.add(error instanceof Error ? error.message : String(error))
      }
    return { values: [...values], errors: [...errors] }
  },
}
Object.assign(globalThis, { checks })

async function executorOn(isa: WasmIsa): Promise<Executor> {
  await loadWasm(isa)
  return engineExecutor(
    isa,
    () => ({ ok: true }),
    () => wasmBackend(undefined, isa),
    () => 1,
  )
}

function sessionOn(
  graph: Graph,
  isa: WasmIsa,
  threads: number,
  onWarning: (message: string) => void = () => {},
): Promise<Session> {
  return session(graph, { backend: 'wasm', isa, threads, onWarning })
}

async function report<T extends { readonly name: string }>(
  cases: readonly T[],
  check: (one: T) => string | undefined | Promise<string | undefined>,
): Promise<Report> {
  const failures: string[] = []
  for (const one of cases) {
    const difference = await Promise.resolve(one).then(check).catch(String)
    if (difference !== undefined) failures.push(`${one.name}: ${difference}`)
  }
  return { cases: cases.length, failures }
}

/** The cases that the server packed: files by `CASE/PATH`, as tensors of bytes. */
async function readCases(): Promise<OnnxCase[]> {
  const response = await fetch('/cases.safetensors')
  const { tensors } = await readSafetensors(new Uint8Array(await response.arrayBuffer()))
  const names = new Set([...tensors.keys()].map(path => path.slice(0, path.indexOf('/'))))
  return [...names].map(name => parseCase(name, path => tensorBytes(tensors.get(`${name}/${path}`)!)))
}

/** Convolutions, a residual, a normalisation and products, on pictures of any size: work for several threads. */
function network(): Graph {
  const g = graphBuilder({ name: 'network' })
  const weight = (...shape: number[]) => g.constant(noise(shape, sizeOf(shape)))
  let x = g.input('image', 'float32', ['batch', 3, 'height', 'width'])
  x = g.node('Conv', [x, weight(24, 3, 3, 3), weight(24)], { pads: [1, 1, 1, 1], strides: [2, 2] })
  const residual = g.node('HardSwish', [x])
  x = g.node('Conv', [residual, weight(24, 1, 3, 3)], { pads: [1, 1, 1, 1], group: 24 })
  x = g.node('Add', [g.node('Conv', [x, weight(24, 24, 1, 1)]), residual])
  x = g.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] })
  x = g.node('Reshape', [x, g.constant(int64([0, 24, -1]))])
  x = g.node('Transpose', [x], { perm: [0, 2, 1] })
  x = g.node('LayerNormalization', [x, weight(24), weight(24)])
  x = g.node('Gelu', [g.node('MatMul', [x, weight(24, 50)])])
  const scores = g.node('MatMul', [x, g.node('Transpose', [x], { perm: [0, 2, 1] })])
  g.output(g.node('MatMul', [g.node('Softmax', [scores]), x], {}, { outputs: ['mixed'] }))
  g.output(g.node('ReduceMean', [scores], { keepdims: 0 }, { outputs: ['mean'] }))
  return g.build()
}

function noise(shape: readonly number[], seed: number): Tensor {
  return fromNumbers('float32', shape, normal(randomKey(seed), sizeOf(shape)))
}

function sameOutputs(a: Outputs, b: Outputs): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => sameValue(a[name], b[name]))
}
