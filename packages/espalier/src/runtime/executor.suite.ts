/**
 * What every executor keeps, beside the operators' own cases (onnx-cases.test.ts): how values come in and out, what
 * bodies see, seeds, memory, errors. Small whole numbers throughout, so that results are the same on all of them.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import type { GraphBuilder, Handle } from '../graph/builder.ts'
import { type Graph, tensorType } from '../graph/graph.ts'
import { bool, chain, choice, graphOf, outer } from '../graph/graphs.suite.ts'
import { operators } from '../ops/index.ts'
import type { Op } from '../ops/op.ts'
import { operatorsOf } from '../ops/registry.ts'
import { numbers } from '../tensor/elements.ts'
import { float32, int64, type RuntimeValue, type Tensor, tensor } from '../tensor/tensor.ts'
import type { Executor, Feeds, PrepareOptions } from './executor.ts'

/** An operator for tests, in the domain `test`. */
const testOp = (op: Pick<Op, 'name' | 'evaluate'> & Partial<Op>): Op => ({
  domain: 'test',
  doc: 'For tests.',
  versions: { 1: { inputs: ['x?: float32'], outputs: ['y: float32'] } },
  infer: c => [c.inputs[0]],
  ...op,
})
const withTestOps = (...ops: Op[]): PrepareOptions => ({ operators: operatorsOf([...operators.all, ...ops]) })
const inTest = { domain: 'test' } as const
const importing = (graph: Graph): Graph => ({ ...graph, opsets: new Map([...graph.opsets, ['test', 1]]) })

const on = (build: (g: GraphBuilder, x: Handle) => Handle | Handle[]): Graph =>
  importing(graphOf(g => build(g, g.input('x', 'float32', [2]))))

/** Runs the suite on an executor, or says that it is not available here. */
export function executorSuite(executor: Executor): void {
  const state = executor.available()
  describe.skipIf(!state.ok)(`executor ${executor.name}`, () => {
    const run = (graph: Graph, feeds: Feeds, options: PrepareOptions = {}): Record<string, unknown> => {
      using prepared = executor.prepare(graph, options)
      return Object.fromEntries(Array.from(prepared.run(feeds), ([name, value]) => [name, plain(value)]))
    }
    describe('values', () => valueTests(executor, run))
    describe('bodies', () => bodyTests(run))
    describe('random numbers', () => randomTests(run))
    describe('memory', () => memoryTests(executor, run))
    describe('errors', () => errorTests(executor, run))
  })
}

type Run = (graph: Graph, feeds: Feeds, options?: PrepareOptions) => Record<string, unknown>

function plain(value: RuntimeValue): unknown {
  if (value === null) return null
  return 'dtype' in value
    ? Array.from(numbers(value as Tensor))
    : (value as readonly RuntimeValue[]).map(plain)
}

function valueTests(executor: Executor, run: Run): void {
  const graph = on((g, x) => {
    const a = g.node('Mul', [x, g.constant(float32([2]), 'two')], {}, { outputs: ['a'] })
    const b = g.node('Add', [a, x], {}, { outputs: ['b'] })
    return [g.node('Neg', [b], {}, { outputs: ['c'] }), a]
  })
  const feeds = { x: float32([1, -3]) }

  test('are the outputs, by name and in order', () => {
    const found = run(graph, feeds)
    expect(Object.entries(found)).toEqual([
      ['c', [-3, 9]],
      ['a', [2, -6]],
    ])
    expect(run(graph, new Map(Object.entries(feeds)))).toEqual(found)
  })
  test('are others when they are asked for: of nodes, inputs and constants', () => {
    expect(Object.entries(run(graph, feeds, { outputs: ['b', 'x', 'two'] }))).toEqual([
      ['b', [3, -9]],
      ['x', [1, -3]],
      ['two', [2]],
    ])
  })
  test('need no more to run than they depend on', () => {
    const evaluate = vi.fn<Op['evaluate']>(c => [c.tensor(0)])
    const watched = on((g, x) => {
      const a = g.node('Neg', [x], {}, { outputs: ['a'] })
      return g.node('Unknown', [g.node('Watch', [a], {}, inTest)])
    })
    const options = withTestOps(testOp({ name: 'Watch', evaluate }))
    expect(run(watched, feeds, { ...options, outputs: ['a'] })).toEqual({ a: [-1, 3] })
    expect(evaluate).not.toHaveBeenCalled()
  })
  test('of one preparation are independent from run to run, and of other extents', () => {
    const growing = graphOf(g => {
      const x = g.input('x', 'float32', ['n'])
      return g.node('Concat', [x, x], { axis: 0 }, { outputs: ['y'] })
    })
    using prepared = executor.prepare(growing)
    for (const list of [[1], [2, 3], [4], []])
      expect(plain(prepared.run({ x: float32(list) }).get('y')!)).toEqual([...list, ...list])
  })
  test('of inputs with a default', () => {
    const defaulted: Graph = {
      ...graph,
      inputs: [...graph.inputs, { name: 'two', type: tensorType('float32', [1]) }],
    }
    using prepared = executor.prepare(defaulted)
    expect(plain(prepared.run(feeds).get('a')!)).toEqual([2, -6])
    expect(plain(prepared.run({ ...feeds, two: float32([10]) }).get('a')!)).toEqual([10, -30])
    expect(plain(prepared.run(feeds).get('a')!)).toEqual([2, -6])
  })
  test('of sparse constants, sequences and empty optionals', () => {
    const sparse = { dtype: 'float32', shape: [2], values: float32([5]), indices: int64([1]) } as const
    const mixed = graphOf(g => {
      const x = g.input('x', 'float32', [2])
      g.inputOf('none', { kind: 'optional', element: tensorType('float32') })
      const sum = g.node('Add', [x, g.constant(sparse)], {}, { outputs: ['sum'] })
      const both = g.node('SequenceConstruct', [x, sum], {}, { outputs: ['both'] })
      return [both, g.node('OptionalHasElement', [outer('none')], {}, { outputs: ['has'] }), outer('none')]
    })
    expect(run(mixed, { ...feeds, none: null })).toEqual({
      both: [
        [1, -3],
        [1, 2],
      ],
      has: [0],
      none: null,
    })
  })
  test('of nodes with outputs that are not wanted', () => {
    const top = graphOf(g => {
      const x = g.input('x', 'float32', [3])
      return g.nodes('TopK', [x, g.constant(int64([2]))], {}, { outputs: ['', 'index'] }).slice(1)
    })
    expect(run(top, { x: float32([4, 9, 6]) })).toEqual({ index: [1, 2] })
  })
  test("operators of one's own stand beside the library's", () => {
    const double = testOp({
      name: 'Double',
      evaluate: c => [float32(Array.from(numbers(c.tensor(0)), value => 2 * value))],
    })
    const own = on((g, x) => g.node('Neg', [g.node('Double', [x], {}, inTest)], {}, { outputs: ['y'] }))
    expect(run(own, feeds, withTestOps(double))).toEqual({ y: [-2, 6] })
  })
  test('progress is told after every node', () => {
    const onProgress = vi.fn()
    run(chain(3), feeds, { onProgress })
    expect(onProgress.mock.calls).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ])
  })
}

function bodyTests(run: Run): void {
  const x = float32([1, -3])
  test('see the values around them, and constants of their own', () => {
    expect(run(choice(), { c: bool(true), x })).toEqual({ y: [2, -2] })
    expect(run(choice(), { c: bool(false), x })).toEqual({ y: [1, -3] })
  })
  test('see all the graphs around them, at every depth', () => {
    const graph = graphOf(g => {
      const c = g.input('c', 'bool', [])
      g.node('Neg', [g.input('x', 'float32', [2])], {}, { outputs: ['a'] })
      const innermost = graphOf(b => b.node('Sum', [outer('x'), outer('a'), outer('b')]))
      const inner = graphOf(b => {
        b.node('Mul', [outer('a'), outer('a')], {}, { outputs: ['b'] })
        return b.node('If', [c], { then_branch: innermost, else_branch: innermost })
      })
      return g.node('If', [c], { then_branch: inner, else_branch: inner }, { outputs: ['y'] })
    })
    expect(run(graph, { c: bool(true), x })).toEqual({ y: [1, 9] })
  })
  test('keep what they take from outside alive', () => {
    const graph = graphOf(g => {
      const c = g.input('c', 'bool', [])
      const a = g.node('Neg', [g.input('x', 'float32', [2])], {}, { outputs: ['a'] })
      const b = g.node('Neg', [a], {}, { outputs: ['b'] }) // the last to read `a` by its inputs
      const body = graphOf(inner => inner.node('Add', [outer('a'), outer('a')]))
      return [b, g.node('If', [c], { then_branch: body, else_branch: body }, { outputs: ['y'] })]
    })
    expect(run(graph, { c: bool(true), x })).toEqual({ b: [1, -3], y: [-2, 6] })
  })
  test('may hide names of those around, and leave them as they were', () => {
    const graph = graphOf(g => {
      const c = g.input('c', 'bool', [])
      g.input('x', 'float32', [2])
      const body = graphOf(b => b.node('Neg', [b.constant(float32([7]), 'x')], {}, { outputs: ['z'] }))
      const y = g.node('If', [c], { then_branch: body, else_branch: body }, { outputs: ['y'] })
      return [g.node('Add', [y, outer('x')], {}, { outputs: ['z'] })]
    })
    expect(run(graph, { c: bool(true), x })).toEqual({ z: [-6, -10] })
  })
  test('of loops carry values along and collect others', () => {
    const body = graphOf(b => {
      b.input('i', 'int64', [])
      const going = b.input('going', 'bool', [])
      const next = b.node('Add', [b.input('v', 'float32', [2]), outer('x')])
      return [going, next, next]
    })
    const graph = graphOf(g => {
      const start = g.input('x', 'float32', [2])
      return g.nodes('Loop', [g.constant(int64(3)), undefined, start], { body }, { outputs: ['last', 'all'] })
    })
    expect(run(graph, { x })).toEqual({ last: [4, -12], all: [2, -6, 3, -9, 4, -12] })
  })
  test('of loops end at the bound on iterations', () => {
    const body = graphOf(b => {
      b.input('i', 'int64', [])
      return [b.input('going', 'bool', []), b.node('Identity', [b.input('v', 'float32', [2])])]
    })
    const graph = graphOf(g => {
      const v = g.input('x', 'float32', [2])
      return g.node('Loop', [undefined, g.constant(bool(true)), v], { body }, { name: 'loop' })
    })
    expect(() => run(graph, { x }, { maxIterations: 10 })).toThrow(
      expect.objectContaining({ code: 'too-large', where: { node: 'loop (Loop)' } }),
    )
  })
}

function randomTests(run: Run): void {
  const draw = (g: GraphBuilder, name: string): Handle =>
    g.node('RandomUniform', [], { shape: [4] }, { name, outputs: [name] })
  const graph = graphOf(g => [draw(g, 'a'), draw(g, 'b')])

  test('are the same for the same seed, and others for another', () => {
    const first = run(graph, {}, { seed: 1 })
    expect(run(graph, {}, { seed: 1 })).toEqual(first)
    expect(run(graph, {}, { seed: 2 })).not.toEqual(first)
    expect(run(graph, {})).toEqual(run(graph, {}, { seed: 0 }))
  })
  test('differ from node to node, and depend on nothing else', () => {
    const { a, b } = run(graph, {})
    expect(a).not.toEqual(b)
    const turned = graphOf(g => [draw(g, 'b'), draw(g, 'more'), draw(g, 'a')])
    expect(run(turned, {})).toMatchObject({ a, b })
    expect(run(graph, {}, { outputs: ['b'] })).toEqual({ b })
  })
  test('differ from iteration to iteration', () => {
    const body = graphOf(b => {
      b.input('i', 'int64', [])
      return [b.input('going', 'bool', []), draw(b, 'a')]
    })
    const loop = graphOf(g =>
      g.nodes('Loop', [g.constant(int64(2)), undefined], { body }, { outputs: ['all'] }),
    )
    const all = run(loop, {}).all as number[]
    expect(all.slice(0, 4)).not.toEqual(all.slice(4))
    expect(run(loop, {})).toEqual({ all })
  })
}

function memoryTests(executor: Executor, run: Run): void {
  test('what is fed and what is constant is never written to', () => {
    const graph = on((g, x) => {
      const w = g.constant(float32([-4, 5]), 'w')
      const same = g.node('Identity', [g.node('Reshape', [x, g.constant(int64([2]))])])
      const relu = g.node('Relu', [same], {}, { outputs: ['relu'] })
      return [g.node('Neg', [g.node('Identity', [w])], {}, { outputs: ['neg'] }), relu, same, w]
    })
    const [x, w] = [float32([1, -3]), graph.initializers.get('w') as Tensor]
    using prepared = executor.prepare(graph)
    const first = Array.from(prepared.run({ x }).values(), plain)
    expect(first).toEqual([
      [4, -5],
      [1, 0],
      [1, -3],
      [-4, 5],
    ])
    expect([plain(x), plain(w)]).toEqual([
      [1, -3],
      [-4, 5],
    ])
    expect(Array.from(prepared.run({ x }).values(), plain)).toEqual(first)
  })
  test('values go after their last use', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const size = 2 ** 22
    const held: number[] = []
    const grow = testOp({
      name: 'Grow',
      infer: () => [tensorType('float32')],
      evaluate() {
        collect()
        held.push(process.memoryUsage().arrayBuffers)
        return [tensor('float32', [size / 4], new Float32Array(size / 4))]
      },
    })
    const graph = on((g, x) => {
      let value = x
      for (let i = 0; i < 40; i++) value = g.node('Grow', [value], {}, inTest)
      return g.node('Shape', [value])
    })
    run(graph, { x: float32([1, 2]) }, withTestOps(grow))
    expect(held.length).toBe(40)
    // Two are alive at a time, and the collector may be some behind; without dropping, it would be 39.
    expect((held.at(-1)! - held[0]!) / size).toBeLessThan(10)
  })
  test('is given back once', () => {
    const prepared = executor.prepare(chain(1))
    prepared.dispose()
    prepared.dispose()
    expect(() => prepared.run({ x: float32([1, 2]) })).toThrow(expect.objectContaining({ code: 'disposed' }))
  })
}

function errorTests(executor: Executor, run: Run): void {
  const feeds = { x: float32([1, 2]) }
  const refusal = (code: string, where: unknown, message: string): unknown =>
    expect.objectContaining({ code, where, message: expect.stringContaining(message) })

  test('operators that are missing are named all at once, before anything is fed', () => {
    const graph = on((g, x) => {
      const body = graphOf(b => b.node('Inner', [outer('x')], {}, { name: 'inside' }))
      g.node('If', [x], { then_branch: body, else_branch: body })
      return [g.node('Gone', [x], {}, { name: 'first' }), g.node('Gone', [x], {}, { name: 'second' })]
    })
    expect(() => executor.prepare(graph)).toThrow(
      refusal(
        'unsupported-op',
        {},
        'Inner: not implemented; used by inside (Inner), inside (Inner)\n  Gone: not implemented; used by first (Gone), second (Gone)',
      ),
    )
  })
  test('an output that the graph does not have is refused at once', () => {
    expect(() => executor.prepare(chain(1), { outputs: ['y', 'z'] })).toThrow(
      refusal('bad-argument', {}, 'the graph has no value "z"'),
    )
  })
  test('feeds are checked', () => {
    expect(() => run(chain(1), {})).toThrow(refusal('missing-input', {}, '"x"'))
    expect(() => run(chain(1), { ...feeds, y: float32([1]) })).toThrow(refusal('unknown-input', {}, '"y"'))
    expect(() => run(chain(1), { x: float32([1]) })).toThrow(
      refusal('bad-shape', { tensor: 'x' }, 'expected 2, got 1'),
    )
    expect(() => run(chain(1), { x: int64([1, 2]) })).toThrow(
      refusal('bad-dtype', { tensor: 'x' }, 'expected float32, got int64'),
    )
  })
  test('what an operator refuses comes with its node', () => {
    const graph = on((g, x) => g.node('Reshape', [x, g.constant(int64([3]))], {}, { name: 'shape' }))
    expect(() => run(graph, feeds)).toThrow(
      refusal('bad-shape', { node: 'shape (Reshape)' }, 'node shape (Reshape): '),
    )
  })
  test('and in a body, with the node in the body', () => {
    const body = graphOf(b => b.node('Reshape', [outer('x'), b.constant(int64([3]))], {}, { name: 'inside' }))
    const graph = graphOf(g => {
      g.input('x', 'float32', [2])
      return g.node('If', [g.input('c', 'bool', [])], { then_branch: body, else_branch: body })
    })
    expect(() => run(graph, { ...feeds, c: bool(true) })).toThrow(
      refusal('bad-shape', { node: 'inside (Reshape)' }, 'node inside (Reshape): '),
    )
  })
  test('data types that a schema does not allow are refused, which inference need not have seen', () => {
    const graph = graphOf(g => {
      g.input('x', 'bool', [1])
      g.input('y', 'bool', [1])
      return g.node('And', [outer('x'), outer('y')], {}, { name: 'both' })
    })
    const untyped = { ...graph, inputs: graph.inputs.map(({ name }) => ({ name })) }
    const bools = tensor('bool', [1], Uint8Array.of(1))
    expect(run(untyped, { x: bools, y: bools })).toEqual({ 'both:0': [1] })
    const int = tensor('int32', [1], Int32Array.of(1))
    expect(() => run(untyped, { x: int, y: int })).toThrow(
      refusal(
        'bad-dtype',
        { node: 'both (And)' },
        'node both (And): input "A" has a type that the operator does not take; expected bool, got int32',
      ),
    )
  })
  test('an operator that does not give an output it owes', () => {
    const nothing = testOp({ name: 'Nothing', evaluate: () => [] })
    const graph = on((g, x) => g.node('Nothing', [x], {}, { ...inTest, name: 'n', outputs: ['y'] }))
    expect(() => run(graph, feeds, withTestOps(nothing))).toThrow(
      refusal('unsupported', { node: 'n (test.Nothing)', tensor: 'y' }, 'output 0 is not computed'),
    )
  })
}
