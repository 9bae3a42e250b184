/**
 * Whether the types of a node's inputs are those of its schema: each one allowed, and equal where the schema has one
 * name for several. Asked of inferred types before a run (analysis/check.ts), and of values before each evaluation
 * (interpret.ts), so that evaluations need not check.
 */
import { EspalierError } from '../errors.ts'
import { describeNode, type Node, type ValueType } from '../graph/graph.ts'
import type { Problem } from '../graph/validate.ts'
import { isTensor, type RuntimeValue } from '../tensor/tensor.ts'
import { type Parameter, parameterName, parseParameter, type Schema } from './schema.ts'

/** Where the types of a node's inputs are not those of its schema. Unknown types are passed over. */
export function dtypeProblems(
  node: Node,
  schema: Schema,
  types: readonly (ValueType | undefined)[],
): Problem[] {
  const names = types.map(type => type && typeName(type))
  const input = (index: number): string => parameterName(schema.inputs, index)
  return Array.from(misfits(schema, names), ({ index, found, allowed, like }) => ({
    message: like
      ? `inputs ${input(like.index)} and ${input(index)} must have one type, but are ${like.found} and ${found}`
      : `input ${input(index)} is ${found}, the operator takes ${choice(allowed)}`,
    node: describeNode(node),
  }))
}

/** Throws `bad-dtype`, naming the input, where a value does not have a type that the schema allows. */
export function checkValues(schema: Schema, values: readonly (RuntimeValue | undefined)[]): void {
  const input = (index: number): string => parameterName(schema.inputs, index)
  for (const { index, found, allowed, like } of misfits(schema, values.map(typeNameOfValue))) {
    const summary = like
      ? `input ${input(index)} must have the type of input ${input(like.index)}`
      : `input ${input(index)} has a type that the operator does not take`
    throw new EspalierError('bad-dtype', summary, { expected: like?.found ?? choice(allowed), got: found })
  }
}

/** An input whose type does not fit. */
interface Misfit {
  readonly index: number
  readonly found: string
  readonly allowed: ReadonlySet<string>
  /** The input whose type this one should have, when it is not the type as such that is wrong. */
  readonly like?: { readonly index: number; readonly found: string }
}

/** Inputs whose types do not fit, in order. `names` are types as schemas write them. */
function* misfits(schema: Schema, names: readonly (string | undefined)[]): Generator<Misfit> {
  const slots = slotsOf(schema)
  const bound = new Map<string, { index: number; found: string }>()
  for (let index = 0; index < names.length; index++) {
    const found = names[index]
    const slot = slots[index] ?? slots.at(-1)
    if (found === undefined || slot === undefined) continue
    const { allowed, shared } = slot
    const like = shared === undefined ? undefined : bound.get(shared)
    if (!allowed.has(found)) yield { index, found, allowed }
    else if (like !== undefined && like.found !== found) yield { index, found, allowed, like }
    else if (shared !== undefined && like === undefined) bound.set(shared, { index, found })
  }
}

/** What an input of a schema may be. */
interface Slot {
  readonly allowed: ReadonlySet<string>
  /** The name that its type shares with that of other inputs. */
  readonly shared: string | undefined
}

const prepared = new WeakMap<Schema, readonly Slot[]>()

function slotsOf(schema: Schema): readonly Slot[] {
  let slots = prepared.get(schema)
  if (slots === undefined) {
    slots = schema.inputs.map(text => slotOf(parseParameter(text), schema))
    prepared.set(schema, slots)
  }
  return slots
}

function slotOf({ type, homogeneous }: Parameter, { types = {} }: Schema): Slot {
  const named = Object.hasOwn(types, type)
  const names: readonly string[] = named ? types[type]! : [type]
  // What an optional holds may be given as it is.
  const held = names.map(name => name.replace(/^optional\((.*)\)$/, '$1'))
  return { allowed: new Set([...names, ...held]), shared: named && homogeneous ? type : undefined }
}

/** `a, b or c`. */
function choice(names: Iterable<string>): string {
  const list = [...names]
  return list.length === 1 ? list[0]! : `${list.slice(0, -1).join(', ')} or ${list.at(-1)}`
}

/** A type as schemas write it: `float32`, `seq(float32)`; `undefined` for what they cannot write, or do not know. */
function typeName(type: ValueType): string | undefined {
  if (type.kind === 'tensor') return type.dtype
  if (type.kind !== 'sequence' && type.kind !== 'optional') return undefined
  const inner = type.element && typeName(type.element)
  return inner && `${type.kind === 'sequence' ? 'seq' : 'optional'}(${inner})`
}

/** As {@link typeName}; an empty sequence or optional may be of any type. */
function typeNameOfValue(value: RuntimeValue | undefined): string | undefined {
  if (isTensor(value)) return value.dtype
  const inner = value?.length ? typeNameOfValue(value[0]) : undefined
  return inner && `seq(${inner})`
}
