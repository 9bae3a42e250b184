/**
 * What a step is made of. A table of fields (steps/) says it once; from it follow the TypeScript type of a step, its
 * encoding in words of 32 bits, and the C++ struct that the kernels read (scripts/steps.mjs), so they cannot drift.
 */

/**
 * - `in`, `out`, `inout`: an operand, two words; with `?` it may be absent. `out` is wholly written before it is read.
 * - `scratch`: an operand whose contents matter only inside the step.
 * - `int`, `float`: one word. `int[8]`: as many words, the rest filled with zeros.
 * - `ints`: a count and that many words; only as the last field.
 */
export type FieldKind =
  | 'in'
  | 'in?'
  | 'out'
  | 'out?'
  | 'inout'
  | 'inout?'
  | 'scratch'
  | 'scratch?'
  | 'int'
  | 'float'
  | `int[${number}]`
  | 'ints'

export type Fields = Readonly<Record<string, FieldKind>>

type Present<Ref> = {
  in: Ref
  'in?': Ref | undefined
  out: Ref
  'out?': Ref | undefined
  inout: Ref
  'inout?': Ref | undefined
  scratch: Ref
  'scratch?': Ref | undefined
  int: number
  float: number
  ints: readonly number[]
}
type FieldValue<K extends FieldKind, Ref> = K extends keyof Present<Ref> ? Present<Ref>[K] : readonly number[]

/** The values of a step's fields; `Ref` is what stands for an operand: a buffer while compiling, a place afterwards. */
export type FieldValues<F extends Fields, Ref> = {
  -readonly [K in keyof F]: FieldValue<F[K], Ref>
}

/** Floating-point or integer operations (a multiply-add counts two) and bytes that must move, of one execution. */
export interface Cost {
  readonly flops: number
  readonly bytes: number
}

/** One kind of step. */
export interface StepSpec<F extends Fields = Fields> {
  readonly doc: string
  readonly fields: F
  /** For profiles and the roofline. Operand bytes are what the step touches at least once. */
  cost(values: FieldValues<F, unknown>): Cost
}

export function isOperand(kind: FieldKind): boolean {
  return /^(in|out|inout|scratch)\??$/.test(kind)
}

/** Whether a step reads what the operand held before. */
export function isRead(kind: FieldKind): boolean {
  return kind.startsWith('in') && isOperand(kind)
}

/** Whether a step writes the operand. */
export function isWritten(kind: FieldKind): boolean {
  return /^(out|inout|scratch)\??$/.test(kind)
}

/** Length of an `int[n]` field; 0 for other kinds. */
export function arrayLength(kind: FieldKind): number {
  const found = /^int\[(\d+)\]$/.exec(kind)
  return found ? Number(found[1]) : 0
}
