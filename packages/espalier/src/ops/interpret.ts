/**
 * Running a graph through the reference evaluations of its operators: node by node, each value dropped after its
 * last use. Slow and plain on purpose; the reference executor and constant folding stand on it.
 */
import { EspalierError, locate } from '../errors.ts'
import { describeNode, type Graph, type Node, nodeName } from '../graph/graph.ts'
import { denseOf } from '../graph/sparse.ts'
import { readsOf } from '../graph/uses.ts'
import { hashText } from '../tensor/hash.ts'
import { foldIn, generator, type RandomKey, randomKey } from '../tensor/random.ts'
import type { RuntimeValue, Tensor } from '../tensor/tensor.ts'
import { evaluateContext, type Surroundings } from './context.ts'
import type { Operators } from './op.ts'
import { type Resolved, resolve } from './registry.ts'
import { checkValues } from './typecheck.ts'

export interface RunOptions {
  /** Names of the values to return. */
  readonly outputs: readonly string[]
  /** Seed of operators that draw random numbers; 0 when left out. */
  readonly seed?: number
  /** Iterations after which a `Loop` that has not ended is an error; without it, a loop may run for ever. */
  readonly maxIterations?: number
  /** Called after every node of the outermost graph. */
  readonly onProgress?: (done: number, total: number) => void
}

export interface InterpretOptions extends RunOptions {
  readonly operators: Operators
}

/** Runs a graph on inputs that are taken as they are. */
export type Interpreter = (
  feeds: ReadonlyMap<string, RuntimeValue>,
  options: RunOptions,
) => ReadonlyMap<string, RuntimeValue>

/**
 * Values of `outputs` when the inputs of `graph` are `feeds`, which are taken as they are. Throws `invalid-graph` for
 * a value that nothing makes, `unsupported-op`, `bad-dtype` where a value is not what an operator's schema allows, and
 * what operators throw; all with the node's name.
 */
export function interpret(
  graph: Graph,
  feeds: ReadonlyMap<string, RuntimeValue>,
  { operators, ...options }: InterpretOptions,
): ReadonlyMap<string, RuntimeValue> {
  return interpreter(graph, operators)(feeds, options)
}

/** {@link interpret} for many runs: operators are looked up and sparse constants made dense once, in the first. */
export function interpreter(graph: Graph, operators: Operators): Interpreter {
  const programs = new Map<Graph, Program>()
  const programOf = (part: Graph): Program => {
    let program = programs.get(part)
    if (program === undefined) {
      program = prepare(part, graph, operators)
      programs.set(part, program)
    }
    return program
  }
  return (feeds, { outputs, seed = 0, maxIterations, onProgress }) => {
    const run: Run = {
      programOf,
      random: randomSource(randomKey(seed)),
      ...(maxIterations !== undefined && { maxIterations }),
    }
    const scope = new Scope(programOf(graph).constants, feeds)
    runNodes(run, graph, scope, outputs, '', onProgress)
    return new Map(outputs.map(name => [name, scope.need(name)]))
  }
}

/** A graph or body made ready to run. */
interface Program {
  /** Initialisers, dense. */
  readonly constants: ReadonlyMap<string, Tensor>
  readonly steps: readonly Step[]
}

interface Step {
  readonly node: Node
  readonly resolved: Resolved
  /** Values that no node needs after this one. */
  readonly last: readonly string[]
}

/** `outermost` has the operator-set versions that hold in bodies too. */
function prepare(graph: Graph, outermost: Graph, operators: Operators): Program {
  const last = lastUses(graph)
  return {
    constants: new Map(
      Array.from(graph.initializers, ([name, value]) => [
        name,
        locate({ tensor: name }, () => denseOf(value)),
      ]),
    ),
    steps: graph.nodes.map((node, index) => ({
      node,
      resolved: locate({ node: describeNode(node) }, () => resolve(operators, outermost, node)),
      last: last[index]!,
    })),
  }
}

/** For every node, the values made by nodes that none needs after it. */
function lastUses(graph: Graph): string[][] {
  const last = new Map<string, number>()
  for (const [index, node] of graph.nodes.entries()) {
    for (const name of node.outputs) if (name !== '') last.set(name, index)
    for (const name of readsOf(node)) if (last.has(name)) last.set(name, index)
  }
  const result = graph.nodes.map((): string[] => [])
  for (const [name, index] of last) result[index]!.push(name)
  return result
}

/** What all nodes of one run share. */
interface Run {
  programOf(graph: Graph): Program
  /** Numbers for the node of this label. */
  random(label: string): Surroundings['random']
  readonly maxIterations?: number
}

/** Values by name; a body's scope looks into the one around it. */
class Scope {
  readonly #constants: ReadonlyMap<string, Tensor>
  readonly #values: Map<string, RuntimeValue>
  readonly #outer: Scope | undefined

  constructor(
    constants: ReadonlyMap<string, Tensor>,
    values: Iterable<readonly [string, RuntimeValue]>,
    outer?: Scope,
  ) {
    this.#constants = constants
    this.#values = new Map(values)
    this.#outer = outer
  }

  find(name: string): RuntimeValue | undefined {
    const value = this.#values.get(name)
    if (value !== undefined) return value
    return this.#constants.get(name) ?? this.#outer?.find(name)
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

/** `path` leads to the graph through the nodes that hold it: `outer/inner/`. */
function runNodes(
  run: Run,
  graph: Graph,
  scope: Scope,
  keep: Iterable<string>,
  path: string,
  onProgress?: (done: number, total: number) => void,
): void {
  const { steps } = run.programOf(graph)
  const kept = new Set(keep)
  for (const [index, step] of steps.entries()) {
    const { node, last } = step
    locate({ node: describeNode(node) }, () => {
      const outputs = evaluate(run, step, scope, `${path}${nodeName(node)}`)
      for (const [position, name] of node.outputs.entries()) {
        if (name === '') continue
        const value = outputs[position]
        if (value === undefined)
          throw new EspalierError('unsupported', `output ${position} is not computed`, {
            where: { tensor: name },
          })
        scope.set(name, value)
      }
    })
    for (const name of last) if (!kept.has(name)) scope.drop(name)
    onProgress?.(index + 1, steps.length)
  }
}

function evaluate(run: Run, { node, resolved }: Step, scope: Scope, label: string): readonly RuntimeValue[] {
  const inputs = node.inputs.map(name => (name === '' ? undefined : scope.need(name)))
  checkValues(resolved.schema, inputs)
  const { maxIterations } = run
  return resolved.op.evaluate(
    evaluateContext(node, resolved, inputs, {
      runGraph: (body, values) => runBody(run, body, values, scope, `${label}/`),
      random: run.random(label),
      ...(maxIterations !== undefined && { maxIterations }),
    }),
  )
}

function runBody(
  run: Run,
  body: Graph,
  values: readonly RuntimeValue[],
  outer: Scope,
  path: string,
): RuntimeValue[] {
  if (values.length !== body.inputs.length)
    throw new EspalierError('invalid-graph', `body "${body.name}" takes another number of inputs`, {
      expected: `${body.inputs.length}`,
      got: `${values.length}`,
    })
  const feeds = values.map((value, index) => [body.inputs[index]!.name, value] as const)
  const scope = new Scope(run.programOf(body).constants, feeds, outer)
  const names = body.outputs.map(({ name }) => name)
  runNodes(run, body, scope, names, path)
  return names.map(name => scope.need(name))
}

/**
 * Random numbers that depend on the seed, on the name of the node that draws, and on how often it has drawn: neither on
 * what other nodes draw nor on the order in which an executor comes to them.
 */
function randomSource(key: RandomKey): Run['random'] {
  const draws = new Map<string, number>()
  return label => own => {
    if (own !== undefined) return generator(randomKey(own))
    const count = draws.get(label) ?? 0
    draws.set(label, count + 1)
    return generator(foldIn(foldIn(key, hashText(label)), count))
  }
}
