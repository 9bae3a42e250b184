/**
 * A step: one kernel call of a plan, as readable data. While compiling, operands are {@link Operand}s: a buffer that has
 * no place yet, and an offset into it. Placing them (memory.ts) and encoding (encode.ts) turn steps into words.
 */
import type { Graph } from '../graph/graph.ts'
import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { arrayLength, type Cost, type FieldKind, type FieldValues, isOperand } from './fields.ts'
import { type StepKind, type StepTable, steps } from './steps/index.ts'

/** Memory that a plan needs, before it has a place. Compared by identity. */
export interface Buffer {
  /** What it holds, for dumps: a value's name, or `scratch of NODE`. */
  readonly name: string
  readonly bytes: number
  /**
   * `arena`: activations and scratch, which take turns in one block. The others are blocks of their own: an input or
   * output of the plan, or a constant, which all plans of a session share.
   */
  readonly space: 'arena' | 'input' | 'output' | 'constant'
}

/** Part of a buffer. */
export interface Operand {
  readonly buffer: Buffer
  /** In bytes. */
  readonly offset: number
}

/** Values of the fields of a step of kind `K`. */
export type StepValues<K extends StepKind, Ref = Operand> = FieldValues<StepTable[K]['fields'], Ref>

export interface Step {
  readonly kind: StepKind
  readonly values: Readonly<Record<string, number | readonly number[] | Operand | undefined>>
  /** Names of the nodes it does the work of. */
  readonly origin: readonly string[]
  /** Why this kernel and not another one, where that is not plain; for explanations. */
  readonly note?: string
}

/** Work that no kernel does: it runs in TypeScript, through an operator's reference evaluation. */
export interface HostStep {
  readonly kind: 'host'
  /** A graph of the one node. */
  readonly graph: Graph
  readonly inputs: readonly { readonly name: string; readonly source: HostValue | Tensor }[]
  readonly outputs: readonly HostValue[]
  readonly origin: readonly string[]
  /** Why there is no kernel. */
  readonly reason: string
}

/** A tensor that lies in memory of the plan. */
export interface HostValue {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly operand: Operand
}

export function makeStep<K extends StepKind>(
  kind: K,
  values: StepValues<K>,
  origin: readonly string[],
  note?: string,
): Step {
  return { kind, values: values as Step['values'], origin, ...(note !== undefined && { note }) }
}

/** The kinds of a step's fields, in the order in which they are encoded. */
export function fieldsOf(kind: StepKind): readonly (readonly [string, FieldKind])[] {
  return Object.entries(steps[kind].fields)
}

/** The operands that are present, with what the step does to them. */
export function operandsOf(
  step: Step,
): { readonly name: string; readonly kind: FieldKind; readonly operand: Operand }[] {
  return fieldsOf(step.kind).flatMap(([name, kind]) => {
    const operand = step.values[name] as Operand | undefined
    return isOperand(kind) && operand !== undefined ? [{ name, kind, operand }] : []
  })
}

/** Work and traffic of one execution. */
export function costOf(step: Step): Cost {
  return (steps[step.kind].cost as (values: Step['values']) => Cost)(step.values)
}

/** Words that a step takes when encoded, its header of three included. */
export function wordsOf(step: Step): number {
  let words = 3
  for (const [name, kind] of fieldsOf(step.kind)) {
    if (isOperand(kind)) words += 2
    else if (kind === 'ints') words += 1 + (step.values[name] as readonly number[]).length
    else words += arrayLength(kind) || 1
  }
  return words
}

/** The operands of a step, host steps too. */
export function touched(step: Step | HostStep): readonly Operand[] {
  if (step.kind !== 'host') return operandsOf(step).map(({ operand }) => operand)
  const inputs = step.inputs.flatMap(({ source }) => ('operand' in source ? [source.operand] : []))
  return [...inputs, ...step.outputs.map(({ operand }) => operand)]
}
