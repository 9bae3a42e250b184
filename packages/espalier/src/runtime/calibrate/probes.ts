/**
 * What kernels for weights with zeros cost on this machine (sparse/costs.ts), measured by small products: dense ones, and
 * for every layout two with other shares of units kept, from which follows what a unit takes and what is taken anyway.
 */
import { graphBuilder, type Handle } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { operators } from '../../ops/index.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Target } from '../../plan/target.ts'
import type { KernelCosts, Work } from '../../sparse/costs.ts'
import { lineOf, type SparseDtype, type SparseLayout } from '../../sparse/layout.ts'
import { productMatrix } from '../../sparse/matrix.ts'
import { nonzerosOfDense } from '../../sparse/nonzeros.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import { compileStage } from '../compile/compile.ts'
import { findStage, typeOfValue } from '../compile/stage.ts'
import type { Backend } from '../engine/backend.ts'
import { type PlanTime, timePlans } from './time-plans.ts'

/** Seconds that a probe runs for. */
const BUDGET = 0.012
/** Extents of the weights of probes: a panel of outputs, and blocks of inputs as most layers have them. */
const SIZE = { inputs: 768, outputs: 256 } as const

/** Few rows, and enough of them to keep a core from waiting for weights. */
const FEW_ROWS = 4

export interface Machine {
  readonly backend: Backend
  readonly target: Target
}

/** What was measured. */
export interface ProbedCosts {
  /** Seconds of a multiply-add of the dense kernel. */
  readonly dense: number
  /** Costs of the layouts, in their order; `undefined` where one cannot be timed. */
  readonly layouts: readonly (KernelCosts | undefined)[]
  /** Whether nothing else was in the way. */
  readonly steady: boolean
}

/**
 * What the dense kernel and layouts cost, all of one data type and for many rows or for few; timed by turns. On one thread,
 * which others on a busy machine keep waiting least, and divided by the threads that there are.
 */
export function probeCosts(
  { backend, target: { threads, ...target } }: Machine,
  dtype: SparseDtype,
  few: boolean,
  layouts: readonly SparseLayout[],
): ProbedCosts {
  const machine: Machine = { backend, target: { ...target, threads: 1 } }
  const rows = few ? FEW_ROWS : 16 * target.traits.lanes
  const plans = [
    planOf(
      machine,
      dtype,
      rows,
      weightOf(dtype, () => true),
      'never',
    ),
  ]
  const works = layouts.map(layout => {
    const found = planLayout(machine, layout, rows)
    plans.push(...found.map(({ plan }) => plan))
    return found.map(({ work }) => work)
  })
  const [dense, ...others] = time(machine, plans) as [PlanTime, ...PlanTime[]]
  let at = 0
  const costs = works.map((own, i) => {
    const seconds = own.map(() => others[at++]!.seconds / threads)
    return own.length === 0 ? undefined : fitCosts(own, seconds, layouts[i]!.costs)
  })
  return {
    dense: dense.seconds / threads / (rows * SIZE.inputs * SIZE.outputs),
    layouts: costs,
    steady: [dense, ...others].every(({ steady }) => steady),
  }
}

/** The products that a layout is timed on; none where its kernel does not take them. */
function planLayout(
  machine: Machine,
  layout: SparseLayout,
  rows: number,
): { readonly plan: Plan; readonly work: Work }[] {
  const { dtype, probe, name } = layout
  const matrix = productMatrix([SIZE.inputs, SIZE.outputs], false)
  const cut = layout.cut({ matrix, window: lineOf(rows) }, machine.target)
  return probe.shares.flatMap(share => {
    const weight = weightOf(dtype, keeps(layout, share))
    const kept = cut?.kept(nonzerosOfDense(weight.data as Float32Array | Int8Array, matrix)!)
    if (cut === undefined || kept === undefined) return []
    return [{ plan: planOf(machine, dtype, rows, weight, 'always', name), work: cut.work(kept) }]
  })
}

/**
 * Costs with which works take these seconds: exactly where there are two that tell both costs apart, which are positive then;
 * else those of `guess`, all multiplied by one factor.
 */
export function fitCosts(
  works: readonly Work[],
  seconds: readonly number[],
  guess: KernelCosts,
): KernelCosts {
  const [first, last] = [works[0]!, works.at(-1)!]
  const determinant = first.kept * last.fixed - last.kept * first.fixed
  if (determinant !== 0) {
    const kept = (seconds[0]! * last.fixed - seconds.at(-1)! * first.fixed) / determinant
    const fixed = (first.kept * seconds.at(-1)! - last.kept * seconds[0]!) / determinant
    if (kept > 0 && fixed > 0) return { kept, fixed }
  }
  const guessed = works.reduce((sum, work) => sum + work.kept * guess.kept + work.fixed * guess.fixed, 0)
  const factor = guessed > 0 ? seconds.reduce((a, b) => a + b, 0) / guessed : 1
  return { kept: guess.kept * factor, fixed: guess.fixed * factor }
}

/** Floats that caches do not hold. */
const MEMORY = 12 * 2 ** 20

/** Seconds of a byte that comes from memory, to all threads, or to one where others hinder them. */
export function probeMemory(machine: Machine): { readonly byte: number; readonly steady: boolean } {
  const g = graphBuilder()
  g.output(g.node('ReduceMax', [g.input('x', 'float32', [MEMORY])]))
  const graph = g.build()
  const plans = [...new Set([1, machine.target.threads])].map(threads =>
    compiled({ ...machine.target, threads }, graph, [MEMORY]),
  )
  const times = time(machine, plans)
  return {
    byte: Math.min(...times.map(({ seconds }) => seconds)) / (4 * MEMORY),
    steady: times.some(({ steady }) => steady),
  }
}

function time({ backend, target }: Machine, plans: readonly Plan[]): PlanTime[] {
  return timePlans(plans, backend, operators, { threads: target.threads, budget: BUDGET, steps: 'product' })
}

/** Which numbers of a weight a probe keeps: of every group of units along the inputs as many, elsewhere for every output. */
function keeps(
  { probe: { unit, group } }: SparseLayout,
  share: number,
): (output: number, k: number) => boolean {
  const wanted = Math.round(share * group)
  return (output, k) => {
    const across = Math.floor(output / unit[0])
    const along = Math.floor(k / unit[1])
    const place = along % group
    // A step that has no divisor in common with most groups spreads what is kept.
    const turned = (place * 7 + across * 11 + Math.floor(along / group) * 5) % group
    return turned < wanted
  }
}

function weightOf(dtype: SparseDtype, kept: (output: number, k: number) => boolean): Tensor {
  const { inputs, outputs } = SIZE
  const data = new (dtype === 'float32' ? Float32Array : Int8Array)(inputs * outputs)
  for (let k = 0, i = 0; k < inputs; k++)
    for (let output = 0; output < outputs; output++, i++) if (kept(output, k)) data[i] = 1 + (i % 3)
  return tensor(dtype, [inputs, outputs], data as never) as Tensor
}

/** A product with the weight, on dense kernels or on the layout of a name. */
function planOf(
  { target }: Machine,
  dtype: SparseDtype,
  rows: number,
  weight: Tensor,
  sparse: Target['sparse'],
  sparseLayout?: string,
): Plan {
  const g = graphBuilder()
  const x = g.input('x', dtype === 'float32' ? dtype : 'uint8', [rows, SIZE.inputs])
  const y = g.node(dtype === 'float32' ? 'MatMul' : 'MatMulInteger', [x, g.constant(weight)])
  // One element is handed out: the rest stays in memory that each run takes again, as within a model.
  const [starts, ends] = [0, 1].map(at => g.constant(fromNumbers('int64', [2], [at, at]))) as [Handle, Handle]
  g.output(g.node('Slice', [y, starts, ends]))
  const wanted: Target = { ...target, sparse, ...(sparseLayout !== undefined && { sparseLayout }) }
  return compiled(wanted, g.build(), [rows, SIZE.inputs])
}

function compiled(target: Target, graph: Graph, shape: readonly number[]): Plan {
  const [input] = graph.inputs
  if (input?.type?.kind !== 'tensor') throw new Error('a probe has one input')
  const types = new Map([[input.name, typeOfValue({ dtype: input.type.dtype, shape, data: [] } as never)]])
  const stage = findStage({ graph, from: 0, types, fixed: new Map() }, operators)
  return compileStage(graph, stage, target, operators)
}
