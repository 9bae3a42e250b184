/**
 * Runs a graph on a backend: stage by stage (compile/stage.ts), each with a plan for the shapes at hand, which is kept.
 * A graph of fixed or symbolic shapes without data-dependent ones is one stage, so that a run is one look-up and one call.
 */
import { EspalierError } from '../../errors.ts'
import { type Graph, isSparse, type Node } from '../../graph/graph.ts'
import { denseOf } from '../../graph/sparse.ts'
import { readsOf } from '../../graph/uses.ts'
import { interpreter } from '../../ops/interpret.ts'
import type { ConcreteType } from '../../ops/lower.ts'
import type { Operators } from '../../ops/op.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Target } from '../../plan/target.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../../tensor/tensor.ts'
import { calibration } from '../calibrate/calibration.ts'
import { compileStage } from '../compile/compile.ts'
import type { StageTimes } from '../compile/lower.ts'
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
  /** Instances that are not running, and how many are. */
  readonly idle: Instance[]
  running: number
  /** Whether it is kept no longer, so that instances go when their run ends. */
  forgotten: boolean
}

/** A plan that is to run now. */
interface Turn {
  readonly planned: Planned
  readonly plan: Plan
  readonly inputs: Values
  readonly times: Times | undefined
  /** Takes the results. */
  give(outputs: readonly Tensor[]): void
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

/** Bytes that an engine holds. */
export interface EngineMemory {
  /**
   * Constants in the layouts that kernels read, each once, whatever the number of plans: weights with zeros without these,
   * where sparse kernels take them.
   */
  readonly constants: number
  /** Activations and scratch of all plans that are kept. */
  readonly activations: number
}

/** Which of several kernels may do the same work, as far as a caller decides it; see {@link Target}. */
export interface KernelChoice extends Partial<Pick<Target, 'winograd' | 'sparse' | 'sparseLayout'>> {
  /** Whether what kernels take is measured on this machine; by rule, and for the same plans everywhere, when left out. */
  readonly calibrate?: boolean
}

export class Engine {
  readonly #graph: Graph
  readonly #backend: Backend
  readonly #operators: Operators
  readonly #target: Target
  readonly #times: StageTimes | undefined
  readonly #constants: ConstantStore
  /** By the number of the first node, and by {@link keyOf}; the one that was used last comes last. */
  readonly #planned = new Map<number, Map<string, Planned>>()
  /** Number of the last node that reads a value; beyond all nodes for outputs. */
  readonly #lastRead = new Map<string, number>()
  /** Names of the inputs that are read. */
  readonly #inputs: readonly string[]
  readonly #outputs: readonly string[]

  constructor(
    graph: Graph,
    backend: Backend,
    threads: number,
    operators: Operators,
    { winograd = true, sparse = 'auto', sparseLayout, calibrate = false }: KernelChoice = {},
  ) {
    this.#graph = graph
    this.#backend = backend
    this.#operators = operators
    this.#target = {
      ...{ isa: backend.isa, threads, traits: backend.traits, winograd, sparse },
      ...(sparseLayout !== undefined && { sparseLayout }),
    }
    this.#times = calibrate ? calibration(graph, backend, this.#target, operators) : undefined
    this.#constants = new ConstantStore(backend, threads)
    this.#outputs = graph.outputs.map(({ name }) => name)
    for (const [index, node] of graph.nodes.entries())
      for (const name of readsOf(node)) this.#lastRead.set(name, index)
    for (const name of this.#outputs) this.#lastRead.set(name, graph.nodes.length)
    this.#inputs = graph.inputs.map(({ name }) => name).filter(name => this.#lastRead.has(name))
  }

  /** Values of the graph's outputs. Feeds are taken as they are. */
  run(feeds: Values, options: EngineRun): Values {
    const steps = this.#steps(feeds, options)
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
      const { planned, plan, inputs, times, give } = value
      const instance = this.#take(planned, plan)
      try {
        give(instance.run(inputs, instance.plan.threads, options, times))
      } finally {
        giveBack(planned, instance)
      }
    }
  }

  /** As {@link run}, without holding up the caller where the backend can. */
  async start(feeds: Values, options: EngineRun): Promise<Values> {
    const steps = this.#steps(feeds, options)
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
      const { planned, plan, inputs, give } = value
      const instance = this.#take(planned, plan)
      try {
        give(await instance.start(inputs, instance.plan.threads, options))
      } finally {
        giveBack(planned, instance)
      }
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
    if (planned.plan !== undefined) giveBack(planned, this.#take(planned, planned.plan))
    return planned.plan
  }

  /** What is held at present. */
  memory(): EngineMemory {
    let activations = 0
    for (const plans of this.#planned.values())
      for (const { plan, idle, running } of plans.values())
        activations += (idle.length + running) * (plan?.arenaBytes ?? 0)
    return { constants: this.#constants.bytes, activations }
  }

  /** Gives all memory back. Not while it runs. */
  dispose(): void {
    for (const plans of this.#planned.values()) for (const planned of plans.values()) forget(planned)
    this.#planned.clear()
    this.#backend.dispose()
  }

  *#steps(feeds: Values, options: EngineRun): Generator<Turn, Values> {
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
          const times = observer?.stage?.(plan)
          let outputs: readonly Tensor[] = []
          yield { planned, plan, inputs: values, times, give: found => (outputs = found) }
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

  /** What is fed and read, in the order of the graph's inputs. */
  #relevant(feeds: Values): Map<string, RuntimeValue> {
    const found = new Map<string, RuntimeValue>()
    for (const name of this.#inputs) {
      const value = feeds.get(name)
      if (value !== undefined) found.set(name, value)
    }
    return found
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
    const plans = this.#planned.get(at) ?? new Map<string, Planned>()
    this.#planned.set(at, plans)
    const key = keyOf(values, fixed)
    const known = plans.get(key)
    if (known !== undefined) {
      plans.delete(key)
      plans.set(key, known)
      return known
    }
    const stage = findStage(
      {
        graph: this.#graph,
        from: at,
        types: new Map(Array.from(values, ([name, value]) => [name, typeOfValue(value)])),
        fixed: new Map(Array.from(fixed, name => [name, copyOf(values.get(name) as Tensor)])),
      },
      this.#operators,
    )
    const plan =
      stage.outputs.some(name => !stage.constants.has(name)) && stage.end > at
        ? compileStage(this.#graph, stage, this.#target, this.#operators, this.#times)
        : undefined
    const planned: Planned = { stage, plan, idle: [], running: 0, forgotten: false }
    plans.set(key, planned)
    if (plans.size > PLANS_KEPT) {
      const [oldest, gone] = plans.entries().next().value!
      plans.delete(oldest)
      forget(gone)
    }
    return planned
  }

  #take(planned: Planned, plan: Plan): Instance {
    const instance = planned.idle.pop() ?? new Instance(plan, this.#backend, this.#constants, this.#operators)
    planned.running++
    return instance
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
    if (found === undefined)
      throw new EspalierError('invalid-graph', 'nothing makes this value', { where: { tensor: name } })
    return isSparse(found) ? denseOf(found) : found
  }
}

function giveBack(planned: Planned, instance: Instance): void {
  planned.running--
  if (planned.forgotten) instance.dispose()
  else planned.idle.push(instance)
}

function forget(planned: Planned): void {
  planned.forgotten = true
  for (const instance of planned.idle.splice(0)) instance.dispose()
}

/** What a plan holds on to must not change with what a caller does to a feed after its run. */
function copyOf(value: Tensor): Tensor {
  const { dtype, shape, data } = value
  return { dtype, shape, data: data.slice() } as Tensor
}

/** Equal where one plan serves. */
function keyOf(values: ReadonlyMap<string, RuntimeValue>, fixed: ReadonlySet<string>): string {
  let key = ''
  for (const [name, value] of values) {
    key += `${JSON.stringify(name)}:`
    if (!isTensor(value)) key += JSON.stringify(typeOfValue(value))
    else if (fixed.has(name)) key += `=${value.dtype}[${value.shape}]${value.data.join()}`
    else key += `${value.dtype}[${value.shape}]`
  }
  return key
}
