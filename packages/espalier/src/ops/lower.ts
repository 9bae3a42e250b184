/**
 * What an operator sees when it becomes steps of a plan. Shapes are numbers by now, constants are known, and the
 * operator says which kernels do its work: `lower(c)` emits steps that read `c.input(i)` and write `c.output(i)`.
 * An operator that cannot (a data type or a mode without a kernel) emits nothing and returns the reason; its reference
 * evaluation then runs inside the plan, and `explain` says so.
 */
import type { Node } from '../graph/graph.ts'
import type { Operand, Step, StepValues } from '../plan/step.ts'
import type { StepKind } from '../plan/steps/index.ts'
import type { Target } from '../plan/target.ts'
import type { TimedKernel } from '../sparse/choice.ts'
import type { Costs } from '../sparse/costs.ts'
import type { SparseLayout } from '../sparse/layout.ts'
import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { NodeContext } from './op.ts'

/** A tensor type without anything unknown. */
export interface ConcreteType {
  readonly dtype: DType
  readonly shape: readonly number[]
}

export interface LowerContext extends NodeContext {
  readonly target: Target
  /** Type of an input; throws when it is omitted. */
  type(input: number): ConcreteType
  outputType(output: number): ConcreteType
  /** The value of an input that is the same in every run. */
  constant(input: number): Tensor | undefined
  /** Where an input lies: row-major, without gaps, aligned to its elements. Throws when it is omitted. */
  input(index: number): Operand
  /** As {@link input}; `undefined` when it is omitted. */
  optionalInput(index: number): Operand | undefined
  /** Where an output is to be written: row-major, without gaps. */
  output(index: number): Operand
  /** Makes an output the same memory as an input, from `offset` bytes on: a reshape, a slice of the outermost axis. */
  alias(output: number, input: number, offset?: number): void
  /** Memory for the steps of this node, `bytes` long. */
  scratch(bytes: number): Operand
  /** A small constant made here: an index table, a scale. */
  table(data: ArrayBufferView): Operand
  /**
   * A weight in the layout of its kernel: `bytes` long, made once a session by the step that `pack` gives, which reads
   * `source` at `from` and writes `to`. `layout` names the result: the same source and layout are packed once.
   */
  packed(
    layout: string,
    source: Tensor,
    bytes: number,
    pack: (from: Operand, to: Operand) => PackStep,
  ): Operand
  /** As {@link packed}, where no step packs it: `make` gives the bytes, each time that a session needs them. */
  made(layout: string, source: Tensor, bytes: number, make: () => Uint8Array): Operand
  /** Bytes of all constants of the plan, dense. */
  readonly weightBytes: number
  /** What makes plans depend on the machine that they are for, beside its target; nothing where plans are made by rule. */
  readonly machine: KernelTimes | undefined
  /** Why the next step that is emitted is of its kind, for explanations. */
  note(text: string): void
  emit<K extends StepKind>(kind: K, values: StepValues<K>): void
}

/** What kernels for weights with zeros take on a machine, measured there. */
export interface KernelTimes {
  /** Costs of these layouts and of the dense kernels for as many rows; of others they may be anything. */
  costs(layouts: readonly SparseLayout[], few: boolean): Costs
  /** Seconds that a node takes on each of some kernels for its weight; `undefined` where it is not timed. */
  timed(node: Node, kernels: readonly TimedKernel[]): readonly number[] | undefined
}

/** A step as data, for {@link LowerContext.packed}: made with `makeStep` (plan/step.ts). */
export type PackStep = Step

/** Emits the steps of a node, or says why there are none. */
export type Lower = (c: LowerContext) => string | undefined
