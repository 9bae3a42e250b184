/**
 * What an element-wise step computes, as an expression over its inputs, and back and forth between that and the words
 * that the kernel reads. Expressions are what lowering builds and what merging puts into one another; equal parts are
 * computed once. Registers are given out here: as few as there are values alive at once.
 */
import type { Operand, Step, StepValues } from '../step.ts'
import {
  codeOf,
  instructionNames,
  type RegisterType,
  resultType,
  type Storage,
  storageNames,
  storages,
} from './instructions.ts'

/** Limits of kernels/elementwise.hpp. */
export const maxInputs = 8
const maxRegisters = 16
const maxRank = 8
const maxExtent = 2 ** 31 - 1

export type Expression = InputLeaf | ConstantLeaf | Instruction

/** Elements of a tensor: a stride, in elements, for every axis of the computation; 0 repeats. */
export interface InputLeaf {
  readonly kind: 'input'
  readonly operand: Operand
  readonly storage: Storage
  readonly strides: readonly number[]
}

export interface ConstantLeaf {
  readonly kind: 'constant'
  readonly type: RegisterType
  /** Its bits: for float32 as a 32-bit integer. */
  readonly bits: bigint
}

export interface Instruction {
  readonly kind: 'instruction'
  readonly name: string
  readonly arguments: readonly Expression[]
}

/** `y[i] = root` for every index `i` of `shape`, in row-major order. */
export interface Computation {
  readonly shape: readonly number[]
  readonly root: Expression
  readonly y: Operand
  readonly storage: Storage
}

/** The inputs of an expression, each once. */
export function leavesOf(root: Expression): InputLeaf[] {
  const leaves: InputLeaf[] = []
  const seen = new Set<Expression>()
  const visit = (e: Expression): void => {
    if (seen.has(e)) return
    seen.add(e)
    if (e.kind === 'input' && !leaves.some(leaf => sameLeaf(leaf, e))) leaves.push(e)
    if (e.kind === 'instruction') e.arguments.forEach(visit)
  }
  visit(root)
  return leaves
}

function sameLeaf(a: InputLeaf, b: InputLeaf): boolean {
  return (
    a.operand.buffer === b.operand.buffer &&
    a.operand.offset === b.operand.offset &&
    a.storage === b.storage &&
    a.strides.every((stride, axis) => stride === b.strides[axis])
  )
}

/** The expression with every input replaced by what `change` makes of it. */
export function mapLeaves(root: Expression, change: (leaf: InputLeaf) => Expression): Expression {
  const done = new Map<Expression, Expression>()
  const visit = (e: Expression): Expression => {
    let result = done.get(e)
    if (result === undefined) {
      if (e.kind === 'input') result = change(e)
      else if (e.kind === 'constant') result = e
      else result = { ...e, arguments: e.arguments.map(visit) }
      done.set(e, result)
    }
    return result
  }
  return visit(root)
}

/** Axes of extent 1 left out, and neighbours that every input walks through as through one axis put together. */
export function collapse(computation: Computation): Computation {
  const leaves = leavesOf(computation.root)
  const shape: number[] = []
  const kept: number[] = [] // for every axis left, an axis of before that has its strides
  for (const [axis, extent] of computation.shape.entries()) {
    if (extent === 1) continue
    const last = shape.length - 1
    const before = kept[last]
    const joined =
      before !== undefined &&
      shape[last]! * extent <= maxExtent &&
      leaves.every(({ strides }) => strides[before] === strides[axis]! * extent)
    if (joined) {
      shape[last] = shape[last]! * extent
      kept[last] = axis
    } else {
      shape.push(extent)
      kept.push(axis)
    }
  }
  const root = mapLeaves(computation.root, leaf => ({
    ...leaf,
    strides: kept.map(axis => leaf.strides[axis]!),
  }))
  return { ...computation, shape, root }
}

/** The values of a step, or why it cannot be one step. */
export function encodeComputation(computation: Computation): StepValues<'elementwise'> | string {
  const { shape, root, y, storage } = collapse(computation)
  if (shape.length > maxRank) return `more than ${maxRank} axes`
  const inputs = leavesOf(root)
  if (inputs.length > maxInputs) return `more than ${maxInputs} inputs`
  const { constants, instructions, result } = number(root, inputs)
  const fixed = inputs.length + constants.length
  const { code, count } = allocate(instructions, fixed)
  if (fixed + count > maxRegisters) return `more than ${maxRegisters} registers`
  const wide = [...inputs.map(leaf => storages[leaf.storage][0]), ...constants.map(({ type }) => type)]
  const isWide = wide.includes('i64') || instructions.some(({ name }) => resultType(name) === 'i64')
  const x = (index: number): Operand | undefined => inputs[index]?.operand
  return {
    ...{ x0: x(0), x1: x(1), x2: x(2), x3: x(3), x4: x(4), x5: x(5), x6: x(6), x7: x(7) },
    y,
    rank: shape.length,
    shape,
    program: [
      ...[inputs.length, constants.length, count, isWide ? 1 : 0, storageNames.indexOf(storage)],
      ...[code.length > 0 ? code.at(-1)![1]! : result, code.length],
      ...inputs.flatMap(leaf => [storageNames.indexOf(leaf.storage), ...leaf.strides]),
      ...constants.flatMap(({ type, bits }) => [
        type === 'i64' ? 1 : 0,
        Number(BigInt.asIntN(32, bits)),
        Number(BigInt.asIntN(32, bits >> 32n)),
      ]),
      ...code.flat(),
    ],
  }
}

/** An instruction whose arguments are numbers of values: inputs, constants, then the results in order. */
interface Numbered {
  readonly name: string
  readonly arguments: readonly number[]
}

/** Numbers the values of an expression in the order in which they are computed; equal ones once. */
function number(
  root: Expression,
  inputs: readonly InputLeaf[],
): { constants: ConstantLeaf[]; instructions: Numbered[]; result: number } {
  const constants = new Map<string, ConstantLeaf>()
  const walked = new Set<Expression>()
  const collect = (e: Expression): void => {
    if (walked.has(e)) return
    walked.add(e)
    // A 32-bit register does not know what its bits mean.
    if (e.kind === 'constant') constants.set(constantKey(e), e)
    if (e.kind === 'instruction') e.arguments.forEach(collect)
  }
  collect(root)
  const keys = [...constants.keys()]
  const instructions: Numbered[] = []
  const known = new Map<string, number>()
  const numbers = new Map<Expression, number>()
  const visit = (e: Expression): number => {
    const before = numbers.get(e)
    if (before !== undefined) return before
    const value = numberOf(e)
    numbers.set(e, value)
    return value
  }
  const numberOf = (e: Expression): number => {
    if (e.kind === 'input') return inputs.findIndex(leaf => sameLeaf(leaf, e))
    if (e.kind === 'constant') return inputs.length + keys.indexOf(constantKey(e))
    const operands = e.arguments.map(visit)
    const key = [e.name, ...operands].join()
    const same = known.get(key)
    if (same !== undefined) return same
    instructions.push({ name: e.name, arguments: operands })
    const value = inputs.length + constants.size + instructions.length - 1
    known.set(key, value)
    return value
  }
  const result = visit(root)
  return { constants: [...constants.values()], instructions, result }
}

function constantKey({ type, bits }: ConstantLeaf): string {
  return `${type === 'i64'}${bits}`
}

/** Words `[code, to, a, b, c]` of every instruction: a register is free again after the last use of what it holds. */
function allocate(instructions: readonly Numbered[], fixed: number): { code: number[][]; count: number } {
  const lastUse = new Map<number, number>()
  instructions.forEach((instruction, index) => {
    for (const value of instruction.arguments) lastUse.set(value, index)
  })
  const registers = new Map<number, number>()
  const free: number[] = []
  let count = 0
  const registerOf = (value: number): number => (value < fixed ? value : registers.get(value)!)
  const code = instructions.map(({ name, arguments: values }, index) => {
    const [a = 0, b = 0, c = 0] = values.map(registerOf)
    for (const value of new Set(values))
      if (value >= fixed && lastUse.get(value) === index) free.push(registers.get(value)!)
    const to = free.pop() ?? fixed + count++
    registers.set(fixed + index, to)
    return [codeOf(name), to, a, b, c]
  })
  return { code, count }
}

/** How many arguments an instruction takes. */
function arityOf(name: string): number {
  if (/^(fma|clip|hard_sigmoid|select)_/.test(name)) return 3
  if (
    /^(add|sub|mul|div|rem|mod|fmod|min|max|pow|and|or|xor|shl|shr|equal|less|less_equal|leaky_relu|silu|elu)_/.test(
      name,
    )
  )
    return 2
  return 1
}

/** What a step computes. */
export function decodeComputation(step: Step): Computation {
  const values = step.values as StepValues<'elementwise'>
  const { y, rank, program } = values
  const operands = [values.x0, values.x1, values.x2, values.x3, values.x4, values.x5, values.x6, values.x7]
  const word = (index: number): number => program[index]!
  const [inputs, constants, storage, result, count] = [word(0), word(1), word(4), word(5), word(6)]
  const registers: Expression[] = []
  let at = 7
  for (let i = 0; i < inputs; i++, at += 1 + rank)
    registers.push({
      kind: 'input',
      operand: operands[i]!,
      storage: storageNames[word(at)]!,
      strides: program.slice(at + 1, at + 1 + rank),
    })
  for (let i = 0; i < constants; i++, at += 3) {
    const low = BigInt.asUintN(32, BigInt(word(at + 1)))
    const bits = BigInt.asIntN(64, (BigInt(word(at + 2)) << 32n) | low)
    registers.push({ kind: 'constant', type: word(at) === 1 ? 'i64' : 'i32', bits })
  }
  for (let i = 0; i < count; i++, at += 5) {
    const name = instructionNames[word(at)]!
    const sources = program.slice(at + 2, at + 2 + arityOf(name)).map(register => registers[register]!)
    registers[word(at + 1)] = { kind: 'instruction', name, arguments: sources }
  }
  return {
    shape: values.shape.slice(0, rank),
    root: registers[result]!,
    y,
    storage: storageNames[storage]!,
  }
}
