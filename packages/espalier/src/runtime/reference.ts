/**
 * The reference executor: walks the nodes in order and calls each operator's reference evaluation. Slow and plain
 * on purpose: it is the oracle that every other executor is tested against.
 */
import { EspalierError, locate } from '../errors.ts'
import { bodiesOf, describeNode, type Graph, type Node } from '../graph/graph.ts'
import { denseOf } from '../graph/sparse.ts'
import { evaluateContext, type Surroundings } from '../ops/context.ts'
import { operators as standard } from '../ops/index.ts'
import { requireOps } from '../ops/missing.ts'
import type { Operators } from '../ops/op.ts'
import { resolve } from '../ops/registry.ts'
import type { RuntimeValue } from '../tensor/tensor.ts'
import type { Executor, Feeds, Prepared, PrepareOptions, Values } from './executor.ts'
import { checkFeeds } from './feeds.ts'

export const reference: Executor = {
  name: 'reference',
  available: () => ({ ok: true }),
  prepare(graph, options = {}): Prepared {
    requireOps(graph, options.operators ?? standard)
    return { run: feeds => runReference(graph, feeds, options), dispose: () => {} }
  },
}

/** Runs a graph once on the reference executor. */
export function runReference(graph: Graph, feeds: Feeds, options: PrepareOptions = {}): Values {
  const operators = options.operators ?? standard
  const wanted = options.outputs ?? graph.outputs.map(({ name }) => name)
  let draws = 0
  const surroundings: Pick<Surroundings, 'random'> = {
    random: seed => randomNumbers(seed ?? (options.seed ?? 0) + draws++),
  }
  const scope = new Scope(undefined, checkFeeds(graph, feeds))
  runNodes({ graph, operators, surroundings, opsets: graph }, scope, wanted, options.onProgress)
  return new Map(wanted.map(name => [name, scope.need(name)]))
}

interface Run {
  readonly graph: Graph
  readonly operators: Operators
  readonly surroundings: Pick<Surroundings, 'random'>
  /** The outermost graph, whose operator-set versions hold in bodies too. */
  readonly opsets: Graph
}

/** Values by name; a body's scope looks into the one around it. */
class Scope {
  readonly #outer: Scope | undefined
  readonly #values: Map<string, RuntimeValue>

  constructor(outer: Scope | undefined, values: Values) {
    this.#outer = outer
    this.#values = new Map(values)
  }

  find(name: string): RuntimeValue | undefined {
    const value = this.#values.get(name)
    return value === undefined ? this.#outer?.find(name) : value
  }

  need(name: string): RuntimeValue {
    const value = this.find(name)
    if (value !== undefined) return value
    throw new EspalierError('invalid-graph', 'the value is made by no node, input or initialiser', {
      where: { tensor: name },
    })
  }

  set(name: string, value: RuntimeValue): void {
    this.#values.set(name, value)
  }

  drop(name: string): void {
    this.#values.delete(name)
  }
}

function runNodes(
  run: Run,
  scope: Scope,
  keep: readonly string[],
  onProgress?: (done: number, total: number) => void,
): void {
  const { graph } = run
  for (const [name, initializer] of graph.initializers)
    if (scope.find(name) === undefined || !graph.inputs.some(input => input.name === name))
      scope.set(name, denseOf(initializer))
  const lastUse = lastUses(graph, keep)
  for (const [index, node] of graph.nodes.entries()) {
    const outputs = locate({ node: describeNode(node) }, () => evaluate(run, node, scope))
    for (const [position, name] of node.outputs.entries()) {
      if (name === '') continue
      const value = outputs[position]
      if (value === undefined)
        throw new EspalierError('unsupported', `output ${position} is not computed`, {
          where: { node: describeNode(node), tensor: name },
        })
      scope.set(name, value)
    }
    for (const name of lastUse[index]!) scope.drop(name)
    onProgress?.(index + 1, graph.nodes.length)
  }
}

function evaluate(run: Run, node: Node, scope: Scope): readonly RuntimeValue[] {
  const resolved = resolve(run.operators, run.opsets, node)
  const inputs = node.inputs.map(name => (name === '' ? undefined : scope.need(name)))
  const runGraph: Surroundings['runGraph'] = (body, values) => {
    if (values.length !== body.inputs.length)
      throw new EspalierError('invalid-graph', `body "${body.name}" is given ${values.length} inputs`, {
        expected: `${body.inputs.length}`,
      })
    const inner = new Scope(scope, new Map(values.map((value, index) => [body.inputs[index]!.name, value])))
    const names = body.outputs.map(({ name }) => name)
    runNodes({ ...run, graph: body }, inner, names)
    return names.map(name => inner.need(name))
  }
  return resolved.op.evaluate(evaluateContext(node, resolved, inputs, { ...run.surroundings, runGraph }))
}

/** For every node, the values that nothing needs after it. */
function lastUses(graph: Graph, keep: readonly string[]): string[][] {
  const last = new Map<string, number>()
  for (const [index, node] of graph.nodes.entries()) {
    for (const name of node.outputs) last.set(name, index)
    for (const name of usedNames(node)) if (last.has(name)) last.set(name, index)
  }
  const kept = new Set(keep)
  const result = graph.nodes.map((): string[] => [])
  for (const [name, index] of last) if (!kept.has(name) && name !== '') result[index]!.push(name)
  return result
}

/** Names that a node reads, those read inside its bodies counted. */
function usedNames(node: Node): string[] {
  const names = [...node.inputs]
  for (const body of bodiesOf(node)) {
    for (const inner of body.nodes) names.push(...usedNames(inner))
    names.push(...body.outputs.map(({ name }) => name))
  }
  return names
}

/** Numbers in [0, 1) from a seed: SplitMix32. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let z = state ^ (state >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  return () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992
}
