/**
 * How element-wise operators become steps: each is an expression over its inputs, broadcast to the shape of its output,
 * in instructions of the element-wise kernel (plan/elementwise/). Integers have their exact semantics: results wrap to
 * their type after every operation. 16-bit floats are computed in float32. There are no kernels for float64.
 */

import { type RegisterType, type Storage, storages } from '../../plan/elementwise/instructions.ts'
import {
  type Computation,
  type Expression,
  encodeComputation,
  type Instruction,
} from '../../plan/elementwise/program.ts'
import type { DType } from '../../tensor/dtype.ts'
import { bigints, numbers } from '../../tensor/elements.ts'
import { broadcastStrides, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Lower, LowerContext } from '../lower.ts'
import { type Activation, activationCodes } from './activation.ts'

/** A number for every element: what an operator computes with. */
export interface Value {
  readonly expression: Expression
  readonly dtype: Storage
}

/** Thrown while an expression is built, caught by {@link lowerTo}: why there is no kernel. */
class Declined {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

/** Ends a lowering: the operator runs through its reference evaluation, and `reason` is shown. */
export function decline(reason: string): never {
  throw new Declined(reason)
}

/** A lowering that emits one step: the first output is the value that `build` gives. */
export function lowerTo(build: (c: LowerContext) => Value): Lower {
  return c => {
    try {
      const { expression, dtype } = build(c)
      const computation: Computation = {
        shape: c.outputType(0).shape,
        root: expression,
        y: c.output(0),
        storage: dtype,
      }
      const values = encodeComputation(computation)
      if (typeof values === 'string') return values
      c.emit('elementwise', values)
      return undefined
    } catch (error) {
      if (error instanceof Declined) return error.reason
      throw error
    }
  }
}

/** The value of an input, broadcast to `shape` (that of the first output). A known scalar becomes part of the program. */
export function inputValue(
  c: LowerContext,
  index: number,
  shape: readonly number[] = c.outputType(0).shape,
  dtype: Storage = storageOf(c.type(index).dtype),
): Value {
  const type = c.type(index)
  const known = sizeOf(type.shape) === 1 ? c.constant(index) : undefined
  if (known !== undefined && type.dtype === dtype) return scalar(known, dtype)
  const strides = sizeOf(type.shape) === 1 ? shape.map(() => 0) : broadcastStrides(type.shape, shape)
  return { expression: { kind: 'input', operand: c.input(index), storage: dtype, strides }, dtype }
}

/** The value of an input that is walked with strides of its own, one for every axis of the first output. */
export function stridedValue(c: LowerContext, index: number, strides: readonly number[]): Value {
  const dtype = storageOf(c.type(index).dtype)
  return { expression: { kind: 'input', operand: c.input(index), storage: dtype, strides }, dtype }
}

/** A table made while compiling, walked with `strides`. */
export function tableValue(c: LowerContext, data: Float32Array, strides: readonly number[]): Value {
  return {
    expression: { kind: 'input', operand: c.table(data), storage: 'float32', strides },
    dtype: 'float32',
  }
}

/** `dtype`, if the kernel knows it. */
export function storageOf(dtype: DType): Storage {
  return Object.hasOwn(storages, dtype) ? (dtype as Storage) : decline(`no kernel for ${dtype}`)
}

export function isFloatStorage(dtype: Storage): boolean {
  return registerOf(dtype) === 'f32'
}

function registerOf(dtype: Storage): RegisterType {
  return storages[dtype][0]
}

/** The same number for every element. */
export function constant(dtype: Storage, value: number | bigint): Value {
  const type = registerOf(dtype)
  const bits = type === 'f32' ? floatBits(Number(value)) : BigInt(value)
  return { expression: { kind: 'constant', type, bits }, dtype }
}

/** Whether a float value is the same for every element, known, and not NaN. */
export function isKnownNumber({ expression }: Value): boolean {
  return expression.kind === 'constant' && (expression.bits & 0x7fffffffn) <= 0x7f800000n
}

const floatView = new Float32Array(1)
const bitsView = new Int32Array(floatView.buffer)

function floatBits(value: number): bigint {
  floatView[0] = value
  return BigInt(bitsView[0]!)
}

function scalar(tensor: Tensor, dtype: Storage): Value {
  return constant(dtype, isFloatStorage(dtype) ? numbers(tensor)[0]! : bigints(tensor)[0]!)
}

function instruction(name: string, ...values: readonly Value[]): Instruction {
  return { kind: 'instruction', name, arguments: values.map(value => value.expression) }
}

/** Instructions on uint64 registers, which are held as int64: those that do not see the sign. */
const signless = ['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'shr', 'equal']

/** An operation on values of one type, which the result has too. */
export function apply(name: string, ...values: readonly Value[]): Value {
  const { dtype } = values[0]!
  return wrap({ expression: typedInstruction(name, values), dtype })
}

function typedInstruction(name: string, values: readonly Value[]): Instruction {
  const { dtype } = values[0]!
  const other = values.find(value => value.dtype !== dtype)
  if (other !== undefined) decline(`${dtype} with ${other.dtype}`)
  if (dtype === 'uint64' && !signless.includes(name)) decline('no kernel for uint64')
  return instruction(`${name}_${registerOf(dtype)}`, ...values)
}

const wraps: Readonly<Partial<Record<Storage, string>>> = {
  int8: 'wrap_i8',
  uint8: 'wrap_u8',
  int16: 'wrap_i16',
  uint16: 'wrap_u16',
  uint32: 'wrap_u32',
}

/** Brings an integer back into the range of its type. */
function wrap(value: Value): Value {
  const name = wraps[value.dtype]
  return name === undefined ? value : { ...value, expression: instruction(name, value) }
}

/** A comparison: bool. */
export function compare(name: 'equal' | 'less' | 'less_equal', a: Value, b: Value): Value {
  return { expression: typedInstruction(name, [a, b]), dtype: 'bool' }
}

/** `a` where the condition holds, otherwise `b`. */
export function choose(condition: Value, a: Value, b: Value): Value {
  const expression = instruction(`select_${registerOf(a.dtype)}`, condition, a, b)
  return { expression, dtype: a.dtype }
}

export function not(value: Value): Value {
  return apply('xor', value, constant('bool', 1))
}

/** The value as another data type: the rules of support/cast.ts. */
export function convert(value: Value, dtype: Storage): Value {
  if (dtype === value.dtype) return value
  const [from, to] = [registerOf(value.dtype), registerOf(dtype)]
  if (dtype === 'bool') return not(compare('equal', value, constant(value.dtype, 0)))
  if (to === 'f32') {
    if (value.dtype === 'uint64') decline('no kernel for uint64 to floats')
    if (dtype === 'bfloat16' && ['int32', 'int64', 'uint32'].includes(value.dtype))
      decline(`no kernel for ${value.dtype} to bfloat16`) // would round twice
  }
  const expression = from === to ? value.expression : instruction(`${from}_to_${to}`, value)
  return wrap({ expression, dtype })
}

/** An activation of a float value. */
export function activate(x: Value, { name, alpha, beta }: Activation): Value {
  const [a, b] = [constant(x.dtype, alpha), constant(x.dtype, beta)]
  if (name === 'none') return x
  if (!Object.hasOwn(activationCodes, name)) decline(`no kernel for the activation ${name}`)
  if (name === 'clip' || name === 'hard_sigmoid') return apply(name, x, a, b)
  return name === 'leaky_relu' || name === 'silu' || name === 'elu' ? apply(name, x, a) : apply(name, x)
}

// ---- What many operators share: a line in the operator's file each.

/** An instruction of one float argument; on integers the instruction `integer`, if there is one. */
export function lowerUnary(name: string, integer?: string): Lower {
  return lowerTo(c => {
    const x = inputValue(c, 0)
    if (isFloatStorage(x.dtype)) return apply(name, x)
    return integer === undefined ? decline(`no kernel for ${x.dtype}`) : apply(integer, x)
  })
}

/** A composition of one float argument. */
export function lowerFloat(build: (x: Value, c: LowerContext) => Value): Lower {
  return lowerTo(c => {
    const x = inputValue(c, 0)
    return isFloatStorage(x.dtype) ? build(x, c) : decline(`no kernel for ${x.dtype}`)
  })
}

/** An activation whose parameters the node's attributes give. */
export function lowerActivation(activation: (c: LowerContext) => Activation): Lower {
  return lowerFloat((x, c) => activate(x, activation(c)))
}

/** An instruction of two arguments, broadcast. */
export function lowerBinary(name: string): Lower {
  return lowerTo(c => apply(name, inputValue(c, 0), inputValue(c, 1)))
}

/** A division; the kernel reports integers divided by zero. */
export function lowerDivision(float: string, integer: (c: LowerContext) => string): Lower {
  return lowerTo(c => {
    const [a, b] = [inputValue(c, 0), inputValue(c, 1)]
    return apply(isFloatStorage(a.dtype) ? float : integer(c), a, b)
  })
}

/** A comparison of two tensors; `swapped` compares the second with the first. */
export function lowerComparison(name: 'equal' | 'less' | 'less_equal', swapped = false): Lower {
  return lowerTo(c => {
    const [a, b] = [inputValue(c, 0), inputValue(c, 1)]
    return swapped ? compare(name, b, a) : compare(name, a, b)
  })
}

/** A fold of one or more inputs, broadcast. */
export function lowerFold(name: string, finish?: (total: Value, count: number) => Value): Lower {
  return lowerTo(c => {
    const values = Array.from({ length: Math.max(1, c.node.inputs.length) }, (_, index) =>
      inputValue(c, index),
    )
    const total = values.reduce((a, b) => apply(name, a, b))
    return finish ? finish(total, values.length) : total
  })
}

/** A conversion to the data type of the output; nothing at all where that is the input's. */
export const lowerCast: Lower = c => {
  const { dtype } = c.outputType(0)
  if (dtype === c.type(0).dtype) {
    c.alias(0, 0)
    return undefined
  }
  return castToOutput(c)
}

const castToOutput = lowerTo(c => convert(inputValue(c, 0), storageOf(c.outputType(0).dtype)))
