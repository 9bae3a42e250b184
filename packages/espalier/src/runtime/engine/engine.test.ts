/** Engines: stages, the plans they keep, the memory they hold, and what they leave behind when something fails. */
import { beforeAll, describe, expect, test } from 'vitest'
import { EspalierError } from '../../errors.ts'
import type { GraphBuilder, Handle } from '../../graph/builder.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import { tensorType } from '../../graph/graph.ts'
import { graphOf } from '../../graph/graphs.suite.ts'
import { operators as standard } from '../../ops/index.ts'
import type { Op } from '../../ops/op.ts'
import { operatorsOf } from '../../ops/registry.ts'
import type { Plan } from '../../plan/plan.ts'
import { numbers } from '../../tensor/elements.ts'
import { float32, int64, type RuntimeValue, type Tensor, tensor } from '../../tensor/tensor.ts'
import { nativeBackend, nativeState } from '../native/backend.ts'
import { runReference } from '../reference.ts'
import { wasmBackend, wasmState, wasmVariant } from '../wasm/backend.ts'
import { loadWasm } from '../wasm/module.ts'
import type { Backend, Block } from './backend.ts'
import { Engine } from './engine.ts'

/** Whether `HostSum` fails. */
let failing = false
/** Adds the sum of `more` to every element: an operator without a kernel. */
const hostSum: Op = {
  name: 'HostSum',
  domain: 'test',
  doc: 'For tests.',
  versions: { 1: { inputs: ['x: T', 'more?: int64'], outputs: ['y: T'], types: { T: ['float32'] } } },
  infer: c => [c.inputs[0]],
  evaluate(c) {
    if (failing) throw new EspalierError('singular', 'told to fail')
    const x = c.tensor(0)
    const more = c.optionalTensor(1)
    const added = more ? numbers(more).reduce((a, b) => a + b, 0) : 0
    return [
      tensor(
        'float32',
        x.shape,
        Float32Array.from(numbers(x), value => value + added),
      ),
    ]
  },
}
const operators = operatorsOf([...standard.all, hostSum])

const graphWithTests = (build: (g: GraphBuilder) => Handle | Handle[]): Graph => {
  const graph = graphOf(build)
  return { ...graph, opsets: new Map([...graph.opsets, ['test', 1]]) }
}
const sumOnHost = (g: GraphBuilder, ...inputs: Handle[]): Handle =>
  g.node('HostSum', inputs, {}, { domain: 'test', name: 'on host' })

/** Takes the memory of a tensor away, as `postMessage` may. */
const transfer = ({ data }: Tensor<'float32'>): void => {
  structuredClone(data, { transfer: [data.buffer as ArrayBuffer] })
}

/** A backend that counts the blocks and programs it has given and not got back. */
function counted(backend: Backend, most = Number.POSITIVE_INFINITY) {
  const blocks = new Set<Block>()
  let programs = 0
  const keep = (block: Block): Block => {
    blocks.add(block)
    return block
  }
  const allocate = (bytes: number): Block => {
    if (bytes > most) throw new EspalierError('too-large', 'no more memory')
    return keep(backend.allocate(bytes))
  }
  const wrapped: Backend = {
    name: backend.name,
    isa: backend.isa,
    traits: backend.traits,
    allocate,
    hold: bytes => keep(backend.hold(bytes)),
    write: (block, bytes, fill) => backend.write(block, bytes, fill),
    release(block) {
      expect(blocks.delete(block)).toBe(true)
      backend.release(block)
    },
    output: bytes => backend.output(bytes),
    program(...parts) {
      const made = backend.program(...parts)
      programs++
      return {
        begin: (...ports) => made.begin(...ports),
        run: (...call) => made.run(...call),
        start: (...call) => made.start(...call),
        bytes: space => made.bytes(space),
        end: () => made.end(),
        dispose() {
          programs--
          made.dispose()
        },
      }
    },
    dispose: () => backend.dispose(),
  }
  return { backend: wrapped, held: () => blocks.size + programs }
}

const wasmWorks = wasmState().ok
const backends: [string, boolean, () => Backend, number][] = [
  ['native', nativeState().ok, nativeBackend, 2],
  ['wasm', wasmWorks, wasmBackend, 1],
]

beforeAll(async () => {
  if (wasmWorks) await loadWasm(wasmVariant())
})

const plain = (values: ReadonlyMap<string, RuntimeValue>): Record<string, unknown> =>
  Object.fromEntries(
    Array.from(values, ([name, value]) => [
      name,
      { ...(value as Tensor), data: [...numbers(value as Tensor)] },
    ]),
  )

describe.each(backends.filter(([, works]) => works))('%s', (_, __, make, threads) => {
  const open = (graph: Graph, most?: number) => {
    const { backend, held } = counted(make(), most)
    const engine = new Engine(graph, backend, threads, operators)
    return { engine, held, [Symbol.dispose]: () => engine.dispose() }
  }
  /** What ran: plans, and nodes beside them. */
  const watch = (engine: Engine, feeds: Record<string, RuntimeValue>) => {
    const plans: Plan[] = []
    const alone: string[] = []
    const observer = {
      stage(plan: Plan): undefined {
        plans.push(plan)
      },
      alone: (node: Node) => alone.push(node.op),
    }
    const values = plain(engine.run(new Map(Object.entries(feeds)), { observer }))
    return { plans, alone, values }
  }
  const oracle = (graph: Graph, feeds: Record<string, RuntimeValue>) =>
    plain(runReference(graph, feeds, { operators }))

  test('shapes that depend on data end a stage', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', ['n'])
      const places = g.node('NonZero', [g.node('Relu', [x])])
      const picked = g.node('Gather', [x, places])
      return [g.node('Mul', [picked, picked], {}, { outputs: ['y'] }), g.node('Shape', [places])]
    })
    using held = open(graph)
    for (const list of [[1, -1, 2], [0, 0], [3], []]) {
      const feeds = { x: float32(list) }
      const { plans, alone, values } = watch(held.engine, feeds)
      expect(values).toEqual(oracle(graph, feeds))
      expect([plans.length, alone]).toEqual([2, ['NonZero']])
    }
  })

  test('small integers that shapes depend on are fixed in a plan, by their value', () => {
    const graph = graphWithTests(g => {
      const shape = g.input('shape', 'int64', ['rank'])
      return sumOnHost(g, g.node('Reshape', [g.input('x', 'float32', [6]), shape]), shape)
    })
    using held = open(graph)
    const x = float32([1, 2, 3, 4, 5, 6])
    const used = int64([2, 3])
    const first = watch(held.engine, { x, shape: used })
    expect([first.plans.length, first.alone]).toEqual([1, []])
    expect(first.values).toEqual(oracle(graph, { x, shape: int64([2, 3]) }))
    used.data.set([6n, 1n]) // the caller's own array, used for something else
    for (const shape of [
      [6, 1],
      [2, 3],
      [1, 6, 1],
      [2, 3],
    ])
      expect(watch(held.engine, { x, shape: int64(shape) }).values).toEqual(
        oracle(graph, { x, shape: int64(shape) }),
      )
    expect(watch(held.engine, { x, shape: int64([2, 3]) }).plans).toEqual(first.plans)
  })

  test('defaults may be fed; the order of feeds makes no other plan', () => {
    const base = graphOf(g => {
      const [a, b] = [g.input('a', 'float32', [2]), g.constant(float32([10, 20]), 'b')]
      return g.node('Sub', [a, b], {}, { outputs: ['y'] })
    })
    const graph = { ...base, inputs: [...base.inputs, { name: 'b', type: tensorType('float32', [2]) }] }
    using held = open(graph)
    const [a, b] = [float32([1, 2]), float32([3, 5])]
    const list = (feeds: Record<string, Tensor>) => (watch(held.engine, feeds).values.y as Tensor).data
    expect([list({ a }), list({ a, b }), list({ b, a }), list({ a })]).toEqual([
      [-9, -18],
      [-2, -3],
      [-2, -3],
      [-9, -18],
    ])
    expect(watch(held.engine, { a, b }).plans).toEqual(watch(held.engine, { b, a }).plans)
  })

  test('names that look like parts of others stay apart', () => {
    const odd = 'a:float32[1]b'
    const base = graphOf(g => {
      const inputs = ['a', 'b', odd].map(name => g.constant(float32([1], [1]), name))
      return g.node('Sum', inputs, {}, { outputs: ['y'] })
    })
    const type = tensorType('float32', [null])
    const graph = { ...base, inputs: ['a', 'b', odd].map(name => ({ name, type })) }
    using held = open(graph)
    for (const feeds of [{ a: float32([5]), b: float32([7]) }, { [odd]: float32([9]) }])
      expect(watch(held.engine, feeds).values).toEqual(oracle(graph, feeds))
  })

  test('outputs may be inputs, constants and each other', () => {
    const graph = graphOf(g => {
      const [x, w] = [g.input('x', 'float32', [2, 3]), g.constant(float32([1, 2, 3]), 'w')]
      const sum = g.node('Add', [x, w], {}, { outputs: ['sum'] })
      const flat = (of: Handle, name: string): Handle =>
        g.node('Reshape', [of, g.constant(int64([-1]))], {}, { outputs: [name] })
      const flats = [flat(x, 'x flat'), flat(w, 'w flat'), flat(sum, 'sum flat')]
      const row = g.node(
        'Slice',
        [sum, g.constant(int64([1])), g.constant(int64([2]))],
        {},
        { outputs: ['row'] },
      )
      const shape = g.node('Shape', [sum], {}, { outputs: ['shape'] })
      return [x, w, ...flats, sum, row, shape, g.node('Relu', [sum], {}, { outputs: ['relu'] })]
    })
    using held = open(graph)
    const feeds = { x: float32([1, -2, 3, -4, 5, -6], [2, 3]) }
    for (let i = 0; i < 2; i++) expect(watch(held.engine, feeds).values).toEqual(oracle(graph, feeds))
  })

  test('results are memory of their own', () => {
    const graph = graphOf(g => g.node('Neg', [g.input('x', 'float32', ['n'])], {}, { outputs: ['y'] }))
    using held = open(graph)
    // Beyond the size from which the native backend uses memory again.
    const run = (value: number): Tensor =>
      held.engine.run(new Map([['x', float32(new Array(20000).fill(value))]]), {}).get('y') as Tensor
    const results = [run(1), run(2), run(3)]
    expect(results.map(({ data }) => [data[0], data[19999]])).toEqual([
      [-1, -1],
      [-2, -2],
      [-3, -3],
    ])
  })

  describe('after failures', () => {
    const graph = graphWithTests(g => {
      const x = g.input('x', 'float32', ['n'])
      const between = sumOnHost(g, g.node('Relu', [x]))
      return g.node('Gather', [between, g.input('i', 'int64', [1])], {}, { name: 'pick', outputs: ['y'] })
    })
    const x = float32([1, 2, 3])
    const good = new Map<string, Tensor>([
      ['x', x],
      ['i', int64([1])],
    ])
    const bad = new Map<string, Tensor>([...good, ['i', int64([7])]])

    test.each(['run', 'start'] as const)(
      'of kernels and of references, %s goes on and holds no more',
      async how => {
        using opened = open(graph)
        const { engine, held } = opened
        const call = async (feeds: Map<string, Tensor>) => (await engine[how](feeds, {})).get('y') as Tensor
        expect((await call(good)).data).toEqual(Float32Array.of(2))
        const before = held()
        for (let i = 0; i < 5; i++) {
          await expect(call(bad)).rejects.toMatchObject({
            code: 'bad-argument',
            message: expect.stringContaining('an index is out of range'),
            where: { node: 'pick' },
            got: '7',
          })
          failing = true
          await expect(call(good)).rejects.toMatchObject({
            code: 'singular',
            where: { node: 'on host (test.HostSum)' },
          })
          failing = false
          expect((await call(good)).data).toEqual(Float32Array.of(2))
        }
        expect(held()).toBe(before)
      },
    )

    test('to get memory, nothing of it is held', () => {
      const wide = graphWithTests(g => {
        const a = g.input('a', 'float32', ['n', 8])
        const product = g.node('MatMul', [a, g.constant(float32(new Array(64).fill(1), [8, 8]))])
        return g.node('Softmax', [sumOnHost(g, product)], {}, { outputs: ['y'] })
      })
      using opened = open(wide, 100_000)
      const feeds = (n: number) => new Map([['a', float32(new Array(8 * n).fill(1), [n, 8])]])
      opened.engine.run(feeds(4), {})
      const before = opened.held()
      for (let i = 0; i < 3; i++)
        expect(() => opened.engine.run(feeds(10_000), {})).toThrow(
          expect.objectContaining({ code: 'too-large' }),
        )
      expect(opened.held()).toBe(before)
      expect((opened.engine.run(feeds(4), {}).get('y') as Tensor).data[0]).toBeCloseTo(1 / 8)
    })

    test('a feed that was transferred before its turn is refused', async () => {
      using opened = open(graph)
      opened.engine.run(good, {})
      const moved = float32([1, 2, 3])
      transfer(moved)
      await expect(opened.engine.start(new Map([...good, ['x', moved]]), {})).rejects.toMatchObject({
        code: 'bad-argument',
        where: { tensor: 'x' },
      })
      expect((opened.engine.run(good, {}).get('y') as Tensor).data).toEqual(Float32Array.of(2))
    })

    test('a weight that was transferred is not read', () => {
      const w = float32([1, 2, 3])
      const weighted = graphOf(g =>
        g.node('Add', [g.input('x', 'float32', [2, 3]), g.constant(w)], {}, { outputs: ['y'] }),
      )
      using opened = open(weighted)
      const feeds = new Map([['x', float32([0, 0, 0, 0, 0, 0], [2, 3])]])
      opened.engine.run(feeds, {})
      transfer(w)
      const outcome = (): unknown => {
        try {
          return [...(opened.engine.run(feeds, {}).get('y') as Tensor<'float32'>).data]
        } catch (error) {
          return (error as EspalierError).code
        }
      }
      // WebAssembly has a copy.
      expect(outcome()).toEqual(threads > 1 ? 'bad-argument' : [1, 2, 3, 1, 2, 3])
    })
  })

  test('plans are kept for so many shapes, those that are used longest; the rest holds no memory', () => {
    const graph = graphOf(g => {
      const x = g.input('x', 'float32', [1, 2, 'n'])
      const scales = g.constant(float32([1, 1, 2]))
      const larger = g.node('Resize', [x, undefined, scales], { mode: 'linear' })
      const weight = g.constant(float32([1, 2, 3, 4, 5, 6], [3, 2]))
      return g.node('MatMul', [weight, larger], {}, { outputs: ['y'] })
    })
    const opened = open(graph)
    const feeds = (n: number) => ({
      x: float32(
        Array.from({ length: 2 * n }, (_, i) => i),
        [1, 2, n],
      ),
    })
    const often = watch(opened.engine, feeds(1)).plans
    const counts: number[] = []
    for (let n = 2; n < 60; n++) {
      watch(opened.engine, feeds(n))
      expect(watch(opened.engine, feeds(1)).plans[0]).toBe(often[0])
      counts.push(opened.held())
    }
    expect(Math.max(...counts)).toBe(counts[20])
    expect(watch(opened.engine, feeds(7)).values).toEqual(oracle(graph, feeds(7)))
    opened.engine.dispose()
    expect(opened.held()).toBe(0)
  })

  test('a value that nothing makes is said', () => {
    const graph = graphOf(g => g.node('Neg', [{ name: 'nowhere' }], {}, { outputs: ['y'] }))
    using opened = open(graph)
    expect(() => opened.engine.run(new Map(), {})).toThrow(
      expect.objectContaining({
        code: 'invalid-graph',
        where: expect.objectContaining({ tensor: 'nowhere' }),
      }),
    )
  })
})
