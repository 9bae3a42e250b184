/**
 * Runs a graph on a backend: stage by stage (compile/stage.ts), each with a plan for the shapes at hand, which is kept.
 * A graph of fixed or symbolic shapes without data-dependent ones is one stage, so that a run is one look-up and one call.
 */
import { type Graph, isSparse, type Node } from '../../graph/graph.ts'
import { denseOf } from '../../graph/sparse.ts'
import { readsOf } from '../../graph/uses.ts'
import { interpreter } from '../../ops/interpret.ts'
import type { ConcreteType } from '../../ops/lower.ts'
import type { Operators } from '../../ops/op.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Target } from '../../plan/target.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../../tensor/tensor.ts'
import { compileStage } from '../compile/compile.ts'
import { canFix, findStage, graphOfNode, type Stage, typeOfValue } from '../compile/stage.ts'
import type { Values } from '../executor.ts'
import type { Backend } from './backend.ts'
import { ConstantStore } from './constants.ts'
import { type HostOptions, Instance, type Times } from './instance.ts'

/** Plans of one position that are kept; beyond it, the one that was used longest ago goes. */
const PLANS_KEPT = 16

/** A stage with its plan. Without nodes it is a single node that no plan can hold. */
interface Planned {
  readonly stage: Stage
  /** `undefined` for a stage that computes nothing. */
  readonly plan: Plan | undefined
  /** Instances that are not running. */
  readonly idle: Instance[]
}

/** Told what runs, for profiles and explanations. */
export interface Observer {
  /** Before a stage runs; may give arrays for the seconds of its steps. */
  stage?(plan: Plan): Times | undefined
  /** Before a node runs that no plan can hold. */
  alone?(node: Node): void
}

export interface EngineRun extends HostOptions {
  readonly observer?: Observer
  /** Called with the number of nodes done. */
  readonly onDone?: (nodes: number) => void
}

export class Engine {
  readonly #graph: Graph
  readonly #backend: Backend
  readonly #operators: Operators
  readonly #target: Target
  readonly #constants: ConstantStore
  readonly #planned = new Map<string, Planned>()
  /** Number of the last node that reads a value; beyond all nodes for outputs. */
  readonly #lastRead = new Map<string, number>()
  readonly #outputs: readonly string[]

  constructor(graph: Graph, backend: Backend, threads: number, operators: Operators) {
    this.#graph = graph
    this.#backend = backend
    this.#operators = operators
    this.#target = { isa: backend.isa, threads, traits: backend.traits }
    this.#constants = new ConstantStore(backend, threads)
    this.#outputs = graph.outputs.map(({ name }) => name)
    for (const [index, node] of graph.nodes.entries())
      for (const name of readsOf(node)) this.#lastRead.set(name, index)
    for (const name of this.#outputs) this.#lastRead.set(name, graph.nodes.length)
  }

  /** Values of the graph's outputs. Feeds are taken as they are. */
  run(feeds: Values, options: EngineRun): Values {
    const steps = this.#steps(feeds, options)
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
      const { instance, inputs, times, give } = value
      give(instance.run(inputs, this.#target.threads, options, times))
    }
  }

  /** As {@link run}, without holding up the caller where the backend can. */
  async start(feeds: Values, options: EngineRun): Promise<Values> {
    const steps = this.#steps(feeds, options)
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
      const { instance, inputs, give } = value
      give(await instance.start(inputs, this.#target.threads, options))
    }
  }

  /**
   * Makes the first plan for inputs of these types ahead of a run, memory and packed weights included. `undefined` where
   * nothing can be planned before there is data.
   */
  planFor(types: ReadonlyMap<string, ConcreteType>): Plan | undefined {
    const typed = Array.from(types, ([name, type]): [string, RuntimeValue] => [
      name,
      { ...type, data: [] } as never,
    ])
    const planned = this.#lookUp(0, this.#relevant(new Map(typed)), new Set())
    if (planned.plan !== undefined && planned.idle.length === 0)
      planned.idle.push(this.#instance(planned.plan))
    return planned.plan
  }

  dispose(): void {
    for (const { idle } of this.#planned.values()) for (const instance of idle) instance.dispose()
    this.#planned.clear()
    this.#constants.release()
    this.#backend.dispose()
  }

  *#steps(
    feeds: Values,
    options: EngineRun,
  ): Generator<
    {
      readonly instance: Instance
      readonly inputs: Values
      readonly times: Times | undefined
      give(outputs: readonly Tensor[]): void
    },
    Values
  > {
    const { observer, onDone } = options
    const values = this.#relevant(feeds)
    let at = 0
    while (at < this.#graph.nodes.length) {
      const planned = this.#plannedAt(at, values)
      const { stage, plan } = planned
      if (stage.end === at) {
        observer?.alone?.(this.#graph.nodes[at]!)
        this.#runAlone(this.#graph.nodes[at]!, values, options)
        at++
      } else {
        if (plan !== undefined) {
          const instance = planned.idle.pop() ?? this.#instance(plan)
          const times = observer?.stage?.(plan)
          let outputs: readonly Tensor[] = []
          let complete = false
          try {
            yield { instance, inputs: values, times, give: found => (outputs = found) }
            complete = true
          } finally {
            // After a failure its memory may still be in use: a run that was left behind.
            if (complete) planned.idle.push(instance)
            else instance.dispose()
          }
          for (const [index, { name }] of plan.outputs.entries()) values.set(name, outputs[index]!)
        }
        for (const name of stage.outputs) {
          const constant = stage.constants.get(name)
          if (constant !== undefined && !values.has(name)) values.set(name, constant)
        }
        at = stage.end
      }
      onDone?.(at)
      for (const name of values.keys()) if ((this.#lastRead.get(name) ?? -1) < at) values.delete(name)
    }
    return new Map(this.#outputs.map(name => [name, this.#valueOf(name, values)]))
  }

  /** What is fed and read. */
  #relevant(feeds: Values): Map<string, RuntimeValue> {
    return new Map([...feeds].filter(([name]) => this.#lastRead.has(name)))
  }

  #plannedAt(at: number, values: ReadonlyMap<string, RuntimeValue>): Planned {
    const loose = this.#lookUp(at, values, new Set())
    if (loose.stage.end > at) return loose
    const fixed = new Set(
      readsOf(this.#graph.nodes[at]!).filter(name => values.has(name) && canFix(values.get(name)!)),
    )
    return fixed.size === 0 ? loose : this.#lookUp(at, values, fixed)
  }

  #lookUp(at: number, values: ReadonlyMap<string, RuntimeValue>, fixed: ReadonlySet<string>): Planned {
    const key = keyOf(at, values, fixed)
    const known = this.#planned.get(key)
    if (known !== undefined) return known
    const stage = findStage(
      {
        graph: this.#graph,
        from: at,
        types: new Map(Array.from(values, ([name, value]) => [name, typeOfValue(value)])),
        fixed: new Map(Array.from(fixed, name => [name, values.get(name) as Tensor])),
      },
      this.#operators,
    )
    const plan =
      stage.outputs.some(name => !stage.constants.has(name)) && stage.end > at
        ? compileStage(this.#graph, stage, this.#target, this.#operators)
        : undefined
    const planned: Planned = { stage, plan, idle: [] }
    if (this.#planned.size >= PLANS_KEPT * 4) this.#forgetOne()
    this.#planned.set(key, planned)
    return planned
  }

  #forgetOne(): void {
    for (const [key, { idle }] of this.#planned) {
      for (const instance of idle) instance.dispose()
      this.#planned.delete(key)
      return
    }
  }

  #instance(plan: Plan): Instance {
    return new Instance(plan, this.#backend, this.#constants, this.#operators)
  }

  #runAlone(node: Node, values: Map<string, RuntimeValue>, options: HostOptions): void {
    const reads = [...new Set(readsOf(node))]
    const feeds = new Map(reads.map(name => [name, this.#valueOf(name, values)]))
    const outputs = node.outputs.filter(name => name !== '')
    const { seed, maxIterations } = options
    const found = interpreter(graphOfNode(this.#graph, node, reads), this.#operators)(feeds, {
      outputs,
      ...(seed !== undefined && { seed }),
      ...(maxIterations !== undefined && { maxIterations }),
    })
    for (const [name, value] of found) values.set(name, value)
  }

  #valueOf(name: string, values: ReadonlyMap<string, RuntimeValue>): RuntimeValue {
    const value = values.get(name)
    if (value !== undefined) return value
    const found = this.#graph.initializers.get(name)
    if (found === undefined) throw new Error(`"${name}" is made by nothing`)
    return isSparse(found) ? denseOf(found) : found
  }
}

/** Equal for positions that one plan serves. */
function keyOf(at: number, values: ReadonlyMap<string, RuntimeValue>, fixed: ReadonlySet<string>): string {
  let key = `${at}`
  for (const [name, value] of values) {
    key += `|${name}:`
    if (!isTensor(value)) key += JSON.stringify(typeOfValue(value))
    else if (fixed.has(name)) key += `=${value.dtype}[${value.shape}]${value.data.join()}`
    else key += `${value.dtype}[${value.shape}]`
  }
  return key
}
