/**
 * How long plans take on this machine: several beside each other, by turns, so that what else the machine does meets all
 * of them. Inputs are made up; kernels take as long for any.
 */
import type { Operators } from '../../ops/op.ts'
import type { Plan, Port } from '../../plan/plan.ts'
import type { Step } from '../../plan/step.ts'
import { byteLength, dtypeInfo } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Backend } from '../engine/backend.ts'
import { ConstantStore } from '../engine/constants.ts'
import { Instance } from '../engine/instance.ts'

export interface PlanTime {
  /** The least seconds of some runs, of the steps that count. */
  readonly seconds: number
  /** Whether half of the runs took hardly longer, so that nothing else was in the way, and the clock can tell. */
  readonly steady: boolean
}

export interface TimePlansOptions {
  readonly threads: number
  /** Seconds that each plan is timed for, beside a run that is not looked at. */
  readonly budget: number
  /** Which steps count; those that multiply weights are told by their kind. */
  readonly steps: 'all' | 'product'
}

const FEWEST_RUNS = 3
const MOST_RUNS = 40
/** The middle of steady runs is below so many times the least. */
const STEADY = 1.25
/** What is timed takes so many ticks of the clock: pages that are not isolated see no more than ten a millisecond. */
const TICKS = 10

/** Times plans, which must not have host steps. Throws `too-large` where there is no memory for them. */
export function timePlans(
  plans: readonly Plan[],
  backend: Backend,
  operators: Operators,
  { threads, budget, steps }: TimePlansOptions,
): PlanTime[] {
  const constants = new ConstantStore(backend, threads)
  const sides: {
    readonly plan: Plan
    readonly instance: Instance
    readonly inputs: Map<string, Tensor>
    readonly seconds: number[]
  }[] = []
  try {
    const values = new Map<string, Tensor>()
    for (const plan of plans) {
      const instance = new Instance(plan, backend, constants, operators)
      const inputs = new Map<string, Tensor>()
      for (const port of plan.inputs) {
        const type = `${port.dtype}[${port.shape}]`
        const value = values.get(type) ?? madeUp(port)
        values.set(type, value)
        inputs.set(port.name, value)
      }
      sides.push({ plan, instance, inputs, seconds: [] })
    }
    const run = ({ plan, instance, inputs }: (typeof sides)[number]): number => {
      const times = plan.segments.map(
        segment => new Float64Array(segment.kind === 'code' ? segment.steps.length : 1),
      )
      instance.run(inputs, plan.threads, {}, times)
      let sum = 0
      for (const [i, segment] of plan.segments.entries())
        for (const [j, seconds] of times[i]!.entries())
          if (segment.kind === 'host' || steps === 'all' || isProduct(segment.steps[j]!)) sum += seconds
      return sum
    }
    for (const side of sides) run(side)
    const started = performance.now()
    const end = started + 1000 * budget * sides.length
    for (let runs = 0; runs < FEWEST_RUNS || (runs < MOST_RUNS && performance.now() < end); runs++)
      for (const side of sides) side.seconds.push(run(side))
  } finally {
    for (const { instance } of sides) instance.dispose()
  }
  const shortest = TICKS * clockTick()
  return sides.map(({ seconds }) => {
    seconds.sort((a, b) => a - b)
    const [least, middle] = [seconds[0]!, seconds[seconds.length >> 1]!]
    return { seconds: least, steady: least >= shortest && middle < STEADY * least }
  })
}

/** Seconds that the clock goes on by at a time. */
function clockTick(): number {
  let tick = Number.POSITIVE_INFINITY
  for (let seen = 0, before = performance.now(); seen < 4; ) {
    const now = performance.now()
    if (now === before) continue
    tick = Math.min(tick, now - before)
    before = now
    seen++
  }
  return tick / 1000
}

/** Whether a step does what a probe is for, and is none of those around it. */
function isProduct({ kind }: Step): boolean {
  return kind !== 'copy' && kind !== 'prepare_i8'
}

/** A value for an input: ones of floats, other bytes of small numbers. */
function madeUp({ dtype, shape }: Port): Tensor {
  const Data = dtypeInfo(dtype).array as unknown as new (buffer: ArrayBuffer) => Tensor['data']
  const data = new Data(new ArrayBuffer(byteLength(dtype, sizeOf(shape))))
  if (data instanceof Float32Array || data instanceof Int8Array || data instanceof Uint8Array) data.fill(1)
  return tensor(dtype, shape, data as never) as Tensor
}
