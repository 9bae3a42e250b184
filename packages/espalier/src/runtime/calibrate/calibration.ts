/**
 * What kernels for weights with zeros take on this machine, measured when somebody first asks: costs by probes (probes.ts),
 * once a machine, and close calls between kernels by running the node itself, once a shape. Only sessions of models with
 * such weights ever ask.
 */
import { EspalierError } from '../../errors.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import { readsOf } from '../../graph/uses.ts'
import type { KernelTimes } from '../../ops/lower.ts'
import type { Operators } from '../../ops/op.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Target } from '../../plan/target.ts'
import { DENSE, type TimedKernel } from '../../sparse/choice.ts'
import { builtInCosts, type Costs, denseKey, layoutKey } from '../../sparse/costs.ts'
import type { SparseLayout } from '../../sparse/layout.ts'
import { sparseLayouts } from '../../sparse/layouts/index.ts'
import { byteLength, dtypeInfo } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import { compileStage } from '../compile/compile.ts'
import type { StageTimes } from '../compile/lower.ts'
import type { Stage } from '../compile/stage.ts'
import type { Backend } from '../engine/backend.ts'
import { type Machine, probeCosts, probeMemory } from './probes.ts'
import { keep, type Measured, measuredOn, remember } from './store.ts'
import { timePlans } from './time-plans.ts'

/** Seconds that the close calls of an engine are timed for at most: beyond, what is predicted decides. */
const BUDGET = 0.3
/** Seconds for one kernel of a close call. */
const EACH = 0.006
/** Bytes of the dense weight of a node that is timed, at most. */
const MOST_BYTES = 2 ** 24
/** Elements from which a constant is taken to be a weight. */
const WEIGHT_FROM = 1024

/** Whether sessions measure when they are not told: `ESPALIER_CALIBRATE=0` says that they do not. */
export function calibratesByDefault(): boolean {
  return globalThis.process?.env?.ESPALIER_CALIBRATE !== '0'
}

/** Measures for the plans of an engine. */
export function calibration(
  graph: Graph,
  backend: Backend,
  target: Target,
  operators: Operators,
): StageTimes {
  const machine: Machine = { backend, target: { ...target, winograd: false } }
  let left = BUDGET
  return (stage): KernelTimes => ({
    costs: (layouts, few) => costsOn(machine, layouts, few),
    timed(node, kernels) {
      const known = measuredOn(target)
      const key = keyOf(node, stage, kernels)
      const found = known.timed[key]
      if (found?.length === kernels.length) return found
      const open = undecided.get(known) ?? new Set()
      undecided.set(known, open)
      if (left <= 0 || open.has(key) || !canBeTimed(node, stage)) return undefined
      const started = performance.now()
      const plans = kernels.map(({ name }) => planOf(graph, node, stage, target, operators, name))
      const options = { threads: target.threads, budget: EACH, steps: 'all' } as const
      const times = plans.some(plan => plan.segments.some(({ kind }) => kind === 'host'))
        ? []
        : whereThereIsMemory(() => timePlans(plans, backend, operators, options))
      left -= (performance.now() - started) / 1000
      if (!times?.length || !times.every(({ steady }) => steady)) {
        open.add(key)
        return undefined
      }
      const seconds = times.map(time => time.seconds)
      remember(known, key, seconds)
      keep(target)
      return seconds
    },
  })
}

/** Close calls that could not be told in this process: other work was in the way, or there was no memory. */
const undecided = new WeakMap<Measured, Set<string>>()

/** What `measure` gives; `undefined` where there is not memory enough: models that run should not fail for being measured. */
function whereThereIsMemory<T>(measure: () => T): T | undefined {
  try {
    return measure()
  } catch (error) {
    if (error instanceof EspalierError && error.code === 'too-large') return undefined
    throw error
  }
}

/** Times that something is measured in a process while other work keeps getting in the way; then, what is built in is used. */
const ATTEMPTS = 3
const attempts = new WeakMap<Measured, number>()

/** Costs of these layouts, all of one data type, and of what they compete with, measured where that has not been done. */
function costsOn(machine: Machine, layouts: readonly SparseLayout[], few: boolean): Costs {
  const { target } = machine
  const known = measuredOn(target)
  let failed = attempts.get(known) ?? 0
  let done = isKnown(known, layouts, few)
  while (!done && failed < ATTEMPTS) {
    done = whereThereIsMemory(() => measure(known, machine, layouts, few)) ?? false
    if (done) keep(target)
    else attempts.set(known, ++failed)
  }
  const builtIn = builtInCosts(target, sparseLayouts)
  if (!done) return builtIn
  return {
    byte: known.byte ?? builtIn.byte,
    builtIn: false,
    dense: { ...builtIn.dense, ...known.dense },
    layouts: { ...builtIn.layouts, ...known.layouts },
  }
}

function isKnown(known: Measured, layouts: readonly SparseLayout[], few: boolean): boolean {
  const fews = new Set([few, ...layouts.map(({ probe }) => probe.few)])
  if (fews.has(true) && known.byte === undefined) return false
  const { dtype } = layouts[0]!
  return (
    layouts.every(layout => known.layouts[layoutKey(layout)] !== undefined) &&
    [...fews].every(each => known.dense[denseKey(dtype, each)] !== undefined)
  )
}

/** Adds what is not known; nothing where other work was in the way. Says whether it did. */
function measure(known: Measured, machine: Machine, layouts: readonly SparseLayout[], few: boolean): boolean {
  const { dtype } = layouts[0]!
  const builtIn = builtInCosts(machine.target, sparseLayouts)
  for (const each of new Set([few, ...layouts.map(({ probe }) => probe.few)])) {
    const rival = denseKey(dtype, each)
    const missing = layouts.filter(
      layout => layout.probe.few === each && known.layouts[layoutKey(layout)] === undefined,
    )
    if (each && known.byte === undefined) {
      // The heap of WebAssembly would keep what this takes.
      const inPlace = machine.backend.name === 'native'
      const { byte, steady } = inPlace ? probeMemory(machine) : { byte: builtIn.byte, steady: true }
      if (!steady) return false
      known.byte = byte
    }
    if (missing.length === 0 && known.dense[rival] !== undefined) continue
    const found = probeCosts(machine, dtype, each, missing)
    if (!found.steady) return false
    // The machine may be quicker now than when the dense kernel was first timed.
    known.dense[rival] ??= found.dense
    const factor = known.dense[rival] / found.dense
    for (const [i, layout] of missing.entries()) {
      const { kept, fixed } = found.layouts[i] ?? builtIn.layouts[layoutKey(layout)]!
      known.layouts[layoutKey(layout)] = { kept: kept * factor, fixed: fixed * factor }
    }
  }
  return true
}

/** What a node does, on which kernels. */
function keyOf(node: Node, { types, constants }: Stage, kernels: readonly TimedKernel[]): string {
  const shapes = node.inputs.map(name => {
    const type = types.get(name) ?? constants.get(name)
    return type === undefined ? '-' : `${type.dtype}[${type.shape}]`
  })
  const attributes = Array.from(Object.entries(node.attributes), ([name, value]) => [
    name,
    'value' in value ? String(value.value) : '',
  ])
  const each = kernels.map(({ name, share }) => `${name} ${share.toFixed(2)}`)
  return [node.op, ...shapes, JSON.stringify(attributes), ...each].join(' ')
}

function canBeTimed(node: Node, { types, constants }: Stage): boolean {
  return readsOf(node).every(name => {
    const { dtype, shape } = types.get(name) ?? constants.get(name) ?? {}
    return dtype !== undefined && shape !== undefined && byteLength(dtype, sizeOf(shape)) <= MOST_BYTES
  })
}

/** The node by itself, its weight on a kernel. Dense kernels get a weight of zeros: they take as long, and none is read. */
function planOf(
  graph: Graph,
  node: Node,
  stage: Stage,
  target: Target,
  operators: Operators,
  kernel: string,
): Plan {
  const dense = kernel === DENSE
  const reads = new Set(readsOf(node))
  const constants = new Map<string, Tensor>()
  for (const name of reads) {
    const constant = stage.constants.get(name)
    if (constant !== undefined)
      constants.set(name, dense && sizeOf(constant.shape) >= WEIGHT_FROM ? zerosLike(constant) : constant)
  }
  const single: Stage = {
    ...{ end: stage.end, nodes: [node], types: stage.types, constants },
    inputs: [...reads].filter(name => !constants.has(name)),
    // Nothing is handed out: results stay in memory that each run takes again, as within a model.
    outputs: [],
  }
  const wanted: Target = dense
    ? { ...target, sparse: 'never' }
    : { ...target, sparse: 'always', sparseLayout: kernel }
  return compileStage(graph, single, wanted, operators)
}

function zerosLike({ dtype, shape }: Tensor): Tensor {
  const Data = dtypeInfo(dtype).array as unknown as new (buffer: ArrayBuffer) => Tensor['data']
  return tensor(dtype, shape, new Data(new ArrayBuffer(byteLength(dtype, sizeOf(shape)))) as never) as Tensor
}
