/**
 * Steps to words: what the executor in C++ walks. A step is `[opcode, words, flags, fields...]`; an operand is two
 * words, `space | (offset % 64) << 24` and `offset / 64` rounded down, or -1 and 0 when absent.
 */
import { EspalierError } from '../errors.ts'
import { arrayLength, isOperand } from './fields.ts'
import { type Buffer, fieldsOf, type Operand, type Step, wordsOf } from './step.ts'
import { steps as table } from './steps/index.ts'

/** Where a buffer lies: the number of a block of memory, and an offset into it in bytes. */
export interface Place {
  readonly space: number
  readonly offset: number
}

/** Flag of a step before which all threads meet. */
export const barrierFlag = 1

const opcodes: ReadonlyMap<string, number> = new Map(Object.keys(table).map((kind, index) => [kind, index]))

/** Words of the steps; `barriers[i]` says whether threads meet before step i. */
export function encode(
  steps: readonly Step[],
  barriers: readonly boolean[],
  placeOf: (buffer: Buffer) => Place,
): Int32Array {
  const code = new Int32Array(steps.reduce((sum, step) => sum + wordsOf(step), 0))
  const floats = new Float32Array(code.buffer)
  let at = 0
  const word = (value: number, step: Step, name: string): void => {
    if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) throw tooLarge(step, name, value)
    code[at++] = value
  }
  steps.forEach((step, index) => {
    code[at++] = opcodes.get(step.kind)!
    code[at++] = wordsOf(step)
    code[at++] = barriers[index] ? barrierFlag : 0
    for (const [name, kind] of fieldsOf(step.kind)) {
      const value = step.values[name]
      if (isOperand(kind)) {
        const operand = value as Operand | undefined
        if (operand === undefined) {
          code[at++] = -1
          code[at++] = 0
          continue
        }
        const { space, offset } = placeOf(operand.buffer)
        const total = offset + operand.offset
        code[at++] = space | ((total % 64) << 24)
        word(Math.floor(total / 64), step, name)
      } else if (kind === 'float') floats[at++] = value as number
      else if (kind === 'int') word(value as number, step, name)
      else {
        const list = value as readonly number[]
        if (kind === 'ints') code[at++] = list.length
        else if (list.length > arrayLength(kind))
          throw new Error(`${step.kind}.${name} has ${list.length} entries`)
        for (const entry of list) word(entry, step, name)
        if (kind !== 'ints') at += arrayLength(kind) - list.length
      }
    }
  })
  return code
}

function tooLarge(step: Step, name: string, value: number): EspalierError {
  return new EspalierError('too-large', `${step.kind}: ${name} is ${value}, beyond 32 bits`, {
    where: { node: step.origin.join(', ') },
    hint: 'Run smaller batches',
  })
}
