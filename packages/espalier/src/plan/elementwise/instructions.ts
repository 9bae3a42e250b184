/**
 * The instructions of the element-wise kernel and what they work on. The order is that of the enumerations in
 * kernels/elementwise.hpp, whose comments say what is special about an instruction.
 */

/** Number types of registers; narrower integers are held in `i32`, uint32 and uint64 in `i64`, 16-bit floats in `f32`. */
export type RegisterType = 'f32' | 'i32' | 'i64'

type Integer = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64'
export type Storage = 'float32' | 'float16' | 'bfloat16' | 'bool' | Integer

/** Data types that the kernel reads and writes, with their register type and their bytes. */
export const storages: Readonly<Record<Storage, readonly [type: RegisterType, bytes: number]>> = {
  float32: ['f32', 4],
  int32: ['i32', 4],
  int64: ['i64', 8],
  uint8: ['i32', 1],
  int8: ['i32', 1],
  bool: ['i32', 1],
  int16: ['i32', 2],
  uint16: ['i32', 2],
  uint32: ['i64', 4],
  uint64: ['i64', 8],
  float16: ['f32', 2],
  bfloat16: ['f32', 2],
}

export const storageNames = Object.keys(storages) as readonly Storage[]

/** On float32. */
const floats = [
  ...['add', 'sub', 'mul', 'div', 'min', 'max', 'pow', 'fmod', 'fma'],
  ...['neg', 'abs', 'sqrt', 'reciprocal', 'exp', 'log', 'erf', 'floor', 'ceil', 'round', 'sign'],
  ...['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'asinh', 'acosh', 'atanh'],
  ...['expm1', 'softplus', 'mish'],
  ...[
    'relu',
    'clip',
    'leaky_relu',
    'sigmoid',
    'tanh',
    'hard_sigmoid',
    'hard_swish',
    'silu',
    'gelu',
    'gelu_tanh',
    'elu',
  ],
  ...['equal', 'less', 'less_equal', 'select'],
]
const integers = [
  ...['add', 'sub', 'mul', 'div', 'rem', 'mod', 'min', 'max', 'and', 'or', 'xor', 'shl', 'shr'],
  ...['abs', 'sign', 'equal', 'less', 'less_equal', 'select'],
]
const conversions = [
  ...['wrap_i8', 'wrap_u8', 'wrap_i16', 'wrap_u16', 'wrap_u32'],
  ...['f32_to_i32', 'f32_to_i64', 'i32_to_f32', 'i64_to_f32', 'i32_to_i64', 'i64_to_i32'],
]

/** Names such as `add_f32`; the index is the code. */
export const instructionNames: readonly string[] = [
  ...floats.map(name => `${name}_f32`),
  ...integers.map(name => `${name}_i32`),
  ...integers.map(name => `${name}_i64`),
  ...conversions,
]

const codes: ReadonlyMap<string, number> = new Map(instructionNames.map((name, code) => [name, code]))

/** The code of an instruction; throws for a name that there is not, which is a mistake in this library. */
export function codeOf(name: string): number {
  const code = codes.get(name)
  if (code === undefined) throw new Error(`no element-wise instruction ${name}`)
  return code
}

/** What an instruction leaves in its register. */
export function resultType(name: string): RegisterType {
  if (/^(equal|less|less_equal)_/.test(name)) return 'i32'
  if (name === 'wrap_u32') return 'i64'
  if (name.startsWith('wrap_')) return 'i32'
  return name.slice(-3) as RegisterType
}
