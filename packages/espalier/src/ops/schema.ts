/**
 * What an operator takes and gives, for each version of its operator set: inputs, outputs, type constraints,
 * attributes. Written in the form of the ONNX documentation, so that an op file can be checked against it line by line.
 *
 *   inputs: ['X: T', 'bias?: T', 'rest...: T']
 *
 * `?` marks an optional input, `...` one that repeats (one or more times; `...?` for zero or more). A type is a
 * name from `types` or a concrete type. Repeated inputs of differing types use a name ending in `*`: `'rest...: V*'`.
 */
import type { AttributeType } from '../graph/graph.ts'
import type { DType } from '../tensor/dtype.ts'

/** A concrete type: a data type for a tensor, `seq(...)` and `optional(...)` around one. */
export type TypeName = DType | `seq(${DType})` | `optional(${DType})` | `optional(seq(${DType}))`

export interface AttributeSchema {
  readonly type: AttributeType
  readonly required: boolean
  readonly default?: number | string | readonly number[] | readonly string[]
  /** The strings allowed. */
  readonly choices?: readonly string[]
}

export interface Schema {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly types?: Readonly<Record<string, readonly TypeName[]>>
  readonly attributes?: Readonly<Record<string, AttributeSchema>>
}

export const int = (value: number): AttributeSchema => ({ type: 'int', required: false, default: value })
export const float = (value: number): AttributeSchema => ({ type: 'float', required: false, default: value })
export const ints = (value: readonly number[]): AttributeSchema => ({
  type: 'ints',
  required: false,
  default: value,
})
export const string = (value: string, choices?: readonly string[]): AttributeSchema => ({
  type: 'string',
  required: false,
  default: value,
  ...(choices && { choices }),
})
/** An attribute that may be left out and then has no value. */
export const optional = (type: AttributeType, choices?: readonly string[]): AttributeSchema => ({
  type,
  required: false,
  ...(choices && { choices }),
})
/** An attribute that must be given. */
export const required = (type: AttributeType, choices?: readonly string[]): AttributeSchema => ({
  type,
  required: true,
  ...(choices && { choices }),
})

/** An input or output of a schema, read from its short form. */
export interface Parameter {
  readonly name: string
  /** A key of `Schema.types`, or a concrete type. */
  readonly type: string
  readonly optional: boolean
  readonly variadic: boolean
  /** For a variadic parameter: whether all its values have one type. */
  readonly homogeneous: boolean
}

const parameters = new Map<string, Parameter>()

/** Reads `'X?: T'`. Results are cached, schemas being read again and again. */
export function parseParameter(text: string): Parameter {
  let parameter = parameters.get(text)
  if (parameter === undefined) {
    const match = /^(\w+)(\.\.\.)?(\?)?: ([\w()]+)(\*)?$/.exec(text)
    if (match === null) throw new Error(`not a schema parameter: "${text}"`)
    parameter = {
      name: match[1]!,
      type: match[4]!,
      variadic: match[2] !== undefined,
      optional: match[3] !== undefined,
      homogeneous: match[5] === undefined,
    }
    parameters.set(text, parameter)
  }
  return parameter
}

/** How many values a list of parameters takes. */
export interface Arity {
  readonly min: number
  readonly max: number
}

const arities = new WeakMap<readonly string[], Arity>()

/** Fewest and most values that a list of parameters takes. */
export function arity(list: readonly string[]): Arity {
  let found = arities.get(list)
  if (found === undefined) {
    found = countParameters(list)
    arities.set(list, found)
  }
  return found
}

function countParameters(list: readonly string[]): Arity {
  let min = 0
  let max = 0
  for (const [index, text] of list.entries()) {
    const parameter = parseParameter(text)
    if (!parameter.optional) min = index + 1
    max = parameter.variadic ? Number.POSITIVE_INFINITY : max + 1
  }
  return { min, max }
}

/** Why a node's inputs or outputs, omitted ones as `''`, are not what a list of parameters takes; `undefined` when they are. */
export function arityProblem(
  side: 'input' | 'output',
  names: readonly string[],
  list: readonly string[],
): string | undefined {
  const { min, max } = arity(list)
  const given = names.findLastIndex(name => name !== '') + 1
  if (given > max || given < min) {
    const most = max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`
    const range = min === max ? `${min}` : most
    const does = side === 'input' ? 'takes' : 'gives'
    return `has ${given} ${side}${given === 1 ? '' : 's'}, the operator ${does} ${range}`
  }
  if (side === 'output') return undefined // one that is not wanted may be omitted
  for (const [index, name] of names.slice(0, given).entries()) {
    const parameter = parseParameter(list[index] ?? list.at(-1)!)
    if (name === '' && !parameter.optional) return `lacks input ${parameterName(list, index)}`
  }
  return undefined
}

/** The parameter at a position: `"X"`; of those that repeat, which one: `2 ("X")`. */
export function parameterName(list: readonly string[], index: number): string {
  const text = list[index] ?? list.at(-1)
  if (text === undefined) return `${index}`
  const { name, variadic } = parseParameter(text)
  return variadic ? `${index} ("${name}")` : `"${name}"`
}

// Type lists that recur in ONNX's documentation.
export const floats16: readonly DType[] = ['float16', 'float32', 'float64']
export const floats: readonly DType[] = ['bfloat16', ...floats16]
export const float8s: readonly DType[] = ['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz']
export const signed: readonly DType[] = ['int8', 'int16', 'int32', 'int64']
export const unsigned: readonly DType[] = ['uint8', 'uint16', 'uint32', 'uint64']
export const integers: readonly DType[] = [...unsigned, ...signed]
/** "All numeric types", without bfloat16. */
export const numeric16: readonly DType[] = [...integers, ...floats16]
/** "All numeric types", with bfloat16. */
export const numeric: readonly DType[] = [...integers, ...floats]
/** "High-precision numeric types", without bfloat16. */
export const highPrecision16: readonly DType[] = ['uint32', 'uint64', 'int32', 'int64', ...floats16]
/** "High-precision numeric types", with bfloat16. */
export const highPrecision: readonly DType[] = [...highPrecision16, 'bfloat16']
const others: readonly DType[] = ['string', 'bool', 'complex64', 'complex128']
/** "All tensor types", without bfloat16 (opset 1 to 12). */
export const allTypes: readonly DType[] = [...numeric16, ...others]
/** "All tensor types", with bfloat16 (opset 13). */
export const allTypes13: readonly DType[] = [...numeric, ...others]
/** "All tensor types" of IR version 9 (opset 19): with the float8 types. */
export const allTypes19: readonly DType[] = [...allTypes13, ...float8s]
/** "All tensor types" of IR version 10 (opset 21): with the 4-bit integers. */
export const allTypes21: readonly DType[] = [...allTypes19, 'uint4', 'int4']
/** "All tensor types" of IR version 11 (opset 23): with float4e2m1. */
export const allTypes23: readonly DType[] = [...allTypes21, 'float4e2m1']
/** "All tensor types" of IR version 12 (opset 24): with float8e8m0. */
export const allTypes24: readonly DType[] = [...allTypes23, 'float8e8m0']
/** "All tensor types" of IR version 13 (opset 25): with the 2-bit integers. */
export const allTypes25: readonly DType[] = [...allTypes24, 'uint2', 'int2']

export const sequencesOf = (types: readonly DType[]): TypeName[] => types.map(type => `seq(${type})` as const)
/** Optionals of tensors, and of sequences of the types in `elements`. */
export const optionalsOf = (types: readonly DType[], elements: readonly DType[] = types): TypeName[] => [
  ...elements.map(type => `optional(seq(${type}))` as const),
  ...types.map(type => `optional(${type})` as const),
]
