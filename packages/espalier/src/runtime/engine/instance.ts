/** A plan with memory of its own, ready to run: one run at a time. */
import { EspalierError, locate } from '../../errors.ts'
import { type Interpreter, interpreter, type RunOptions } from '../../ops/interpret.ts'
import type { Operators } from '../../ops/op.ts'
import type { Plan, Segment } from '../../plan/plan.ts'
import type { HostStep, HostValue } from '../../plan/step.ts'
import { byteLength, type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Backend, Block, Fault, Program } from './backend.ts'
import { alignedBytes, type ConstantStore } from './constants.ts'

/** What host steps need to run. */
export type HostOptions = Omit<RunOptions, 'outputs' | 'onProgress'>

/** Seconds spent in each step of a plan, by segment. */
export type Times = readonly Float64Array[]

export class Instance {
  readonly plan: Plan
  readonly #backend: Backend
  readonly #constants: ConstantStore
  readonly #arena: Block
  readonly #program: Program
  readonly #hosts: ReadonlyMap<HostStep, Interpreter>
  /** Number of the program's segment, for those of the plan that have code. */
  readonly #codes: readonly number[]

  /** Throws `too-large` where there is not memory enough; nothing is held then. */
  constructor(plan: Plan, backend: Backend, constants: ConstantStore, operators: Operators) {
    this.plan = plan
    this.#backend = backend
    this.#constants = constants
    let codes = 0
    this.#codes = plan.segments.map(({ kind }) => (kind === 'code' ? codes++ : -1))
    this.#arena = backend.allocate(plan.arenaBytes)
    let taken: readonly Block[] = []
    try {
      taken = constants.takeAll(plan.constants)
      this.#program = backend.program(
        plan.segments.flatMap(segment => (segment.kind === 'code' ? [segment.code] : [])),
        [this.#arena, ...taken],
        plan.inputs.map(({ buffer }) => buffer.bytes),
        plan.outputs.map(({ buffer }) => buffer.bytes),
      )
    } catch (error) {
      if (taken.length > 0) constants.giveBack(plan.constants)
      backend.release(this.#arena)
      throw error
    }
    this.#hosts = new Map(
      plan.segments.flatMap(segment =>
        segment.kind === 'host' ? [[segment.step, interpreter(segment.step.graph, operators)]] : [],
      ),
    )
  }

  /** Runs on the calling thread and `threads - 1` others. `times` gets the seconds of every step. */
  run(
    feeds: ReadonlyMap<string, RuntimeValue>,
    threads: number,
    options: HostOptions,
    times?: Times,
  ): Tensor[] {
    const outputs = this.#begin(feeds)
    try {
      for (const [index, segment] of this.plan.segments.entries()) {
        if (segment.kind === 'code')
          check(segment, this.#program.run(this.#codes[index]!, threads, times?.[index]))
        else this.#host(segment.step, options, times?.[index])
      }
    } finally {
      this.#program.end()
    }
    return outputs
  }

  /** As {@link run}, without holding up the caller where the backend can. */
  async start(
    feeds: ReadonlyMap<string, RuntimeValue>,
    threads: number,
    options: HostOptions,
  ): Promise<Tensor[]> {
    const outputs = this.#begin(feeds)
    try {
      for (const [index, segment] of this.plan.segments.entries()) {
        if (segment.kind === 'code') check(segment, await this.#program.start(this.#codes[index]!, threads))
        else this.#host(segment.step, options)
      }
    } finally {
      this.#program.end()
    }
    return outputs
  }

  dispose(): void {
    this.#program.dispose()
    this.#constants.giveBack(this.plan.constants)
    this.#backend.release(this.#arena)
  }

  #begin(feeds: ReadonlyMap<string, RuntimeValue>): Tensor[] {
    const inputs = this.plan.inputs.map(({ name }) =>
      locate({ tensor: name }, () => alignedBytes(feeds.get(name) as Tensor)),
    )
    const outputs = this.plan.outputs.map(({ dtype, shape, buffer }) =>
      tensorOver(dtype, shape, this.#backend.output(buffer.bytes)),
    )
    this.#program.begin(inputs, outputs.map(alignedBytes))
    return outputs
  }

  #host(step: HostStep, options: HostOptions, times?: Float64Array): void {
    const start = performance.now()
    const feeds = new Map(
      step.inputs.map(({ name, source }) => [name, 'operand' in source ? this.#read(source) : source]),
    )
    const names = step.outputs.map(({ name }) => name)
    const found = this.#hosts.get(step)!(feeds, { outputs: names, ...options })
    for (const output of step.outputs) this.#write(output, found.get(output.name)!)
    if (times) times[0]! += (performance.now() - start) / 1000
  }

  #bytes({ operand, dtype, shape }: HostValue): Uint8Array {
    const { space, offset } = this.plan.places.get(operand.buffer)!
    const start = offset + operand.offset
    return this.#program.bytes(space).subarray(start, start + byteLength(dtype, sizeOf(shape)))
  }

  /** A copy: evaluations may return what they were given, and this memory is used again. */
  #read(value: HostValue): Tensor {
    return tensorOver(value.dtype, value.shape, new Uint8Array(this.#bytes(value)).buffer)
  }

  #write(value: HostValue, found: RuntimeValue): void {
    if (!isTensor(found) || found.dtype !== value.dtype || sizeOf(found.shape) !== sizeOf(value.shape))
      throw new EspalierError('unsupported', 'the operator gave another type than it said', {
        where: { tensor: value.name },
      })
    this.#bytes(value).set(alignedBytes(found))
  }
}

/** A tensor over memory that is just as long. */
function tensorOver(dtype: DType, shape: readonly number[], memory: ArrayBuffer): Tensor {
  const Data = dtypeInfo(dtype).array as unknown as new (buffer: ArrayBuffer) => Tensor['data']
  return tensor(dtype, shape, new Data(memory) as never) as Tensor
}

const faults: Readonly<Record<number, { code: 'bad-argument' | 'bad-shape'; message: string }>> = {
  1: { code: 'bad-argument', message: 'an index is out of range' },
  2: { code: 'bad-argument', message: 'an integer is divided by zero' },
  3: { code: 'bad-shape', message: 'a length does not fit' },
}

/** Throws for a fault, with the name of the node whose step noted it. */
function check(segment: Segment & { kind: 'code' }, fault: Fault | undefined): void {
  if (fault === undefined) return
  const { code, message } = faults[fault.code] ?? { code: 'bad-argument', message: 'a kernel failed' }
  throw new EspalierError(code, message, {
    where: { node: segment.steps[fault.step]?.origin.join(', ') ?? '' },
    got: `${fault.value}`,
  })
}
