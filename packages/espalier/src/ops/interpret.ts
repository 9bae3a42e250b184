/**
 * Running a graph through the reference evaluations of its operators: node by node, each value dropped after its
 * last use. Slow and plain on purpose; the reference executor and constant folding stand on it.
 */
import { EspalierError, locate } from '../errors.ts'
import { describeNode, type Graph, type Node } from '../graph/graph.ts'
import { denseOf } from '../graph/sparse.ts'
import { readsOf } from '../graph/uses.ts'
import { foldIn, generator, randomKey } from '../tensor/random.ts'
import type { RuntimeValue } from '../tensor/tensor.ts'
import { evaluateContext, type Surroundings } from './context.ts'
import type { Operators } from './op.ts'
import { resolve } from './registry.ts'

export interface InterpretOptions {
  readonly operators: Operators
  /** Names of the values to return. */
  readonly outputs: readonly string[]
  /** Seed of operators that draw random numbers; 0 when left out. */
  readonly seed?: number
  /** Called after every node of the outermost graph. */
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Values of `outputs` when the inputs of `graph` are `feeds`, which are taken as they are. Throws `invalid-graph` for
 * a value that nothing makes, `unsupported-op`, and what operators throw, with the node's name.
 */
export function interpret(
  graph: Graph,
  feeds: ReadonlyMap<string, RuntimeValue>,
  { operators, outputs, seed = 0, onProgress }: InterpretOptions,
): ReadonlyMap<string, RuntimeValue> {
  const key = randomKey(seed)
  let draws = 0
  const random: Surroundings['random'] = own => generator(own === undefined ? foldIn(key, draws++) : randomKey(own))
  const scope = new Scope(undefined, feeds)
  runNodes({ graph, operators, random, opsets: graph }, scope, outputs, onProgress)
  return new Map(outputs.map(name => [name, scope.need(name)]))
}

interface Run {
  readonly graph: Graph
  readonly operators: Operators
  readonly random: Surroundings['random']
  /** The outermost graph, whose operator-set versions hold in bodies too. */
  readonly opsets: Graph
}

/** Values by name; a body's scope looks into the one around it. */
class Scope {
  readonly #outer: Scope | undefined
  readonly #values: Map<string, RuntimeValue>

  constructor(outer: Scope | undefined, values: ReadonlyMap<string, RuntimeValue>) {
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
  return resolved.op.evaluate(evaluateContext(node, resolved, inputs, { random: run.random, runGraph }))
}

/** For every node, the values that nothing needs after it. */
function lastUses(graph: Graph, keep: readonly string[]): string[][] {
  const last = new Map<string, number>()
  for (const [index, node] of graph.nodes.entries()) {
    for (const name of node.outputs) last.set(name, index)
    for (const name of readsOf(node)) if (last.has(name)) last.set(name, index)
  }
  const kept = new Set(keep)
  const result = graph.nodes.map((): string[] => [])
  for (const [name, index] of last) if (!kept.has(name) && name !== '') result[index]!.push(name)
  return result
}
