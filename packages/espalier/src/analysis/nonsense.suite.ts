/**
 * Graphs of one node that make no sense, or nearly none: wrong numbers of inputs, types that do not fit, shapes and
 * constants that lie, attributes of every value. A graph is a function of the choices it is given.
 */
import type { Choices } from '../formats/mutations.suite.ts'
import type { Attribute, AttributeType, Dim, Graph, Initializer, Node, Value } from '../graph/graph.ts'
import { tensorType } from '../graph/graph.ts'
import { operators } from '../ops/index.ts'
import type { Op } from '../ops/op.ts'
import { type AttributeSchema, parseParameter, type Schema, type TypeName } from '../ops/schema.ts'
import { type DType, dtypes, isDType } from '../tensor/dtype.ts'
import { fromBigInts, fromNumbers } from '../tensor/elements.ts'
import { sizeOf } from '../tensor/shape.ts'
import { type Tensor, tensor } from '../tensor/tensor.ts'

const INTEGERS = [
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  8,
  16,
  100,
  4096,
  -1,
  -2,
  -3,
  -100,
  2 ** 20,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 40,
  2 ** 53 - 1,
  2 ** 62,
  -(2 ** 63),
]
const SMALL = [0, 1, 2, 3, 4, -1, -2]
const FLOATS = [
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  3,
  1e9,
  1e30,
  -1e30,
  1e-40,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
]
const EXTENTS: readonly Dim[] = [
  0,
  1,
  1,
  2,
  2,
  3,
  4,
  5,
  8,
  'n',
  'm',
  'n+1',
  null,
  1000,
  2 ** 31,
  2 ** 40,
  2 ** 52,
]
const TEXTS = [
  '',
  'x',
  'NOTSET',
  'SAME_UPPER',
  'VALID',
  'linear',
  'sum',
  'ij,jk->ik',
  '...a,ab->...b',
  'aaaa,aaaa->',
  'a'.repeat(300),
  '(a+)+$',
  '\\',
  '[',
  '-1',
  '__proto__',
]

/** The graph of one case: a node of one operator, its inputs from outside or constant. */
export function nonsense(choices: Choices): Graph {
  const { int, pick } = choices
  const op = pick(operators.all)
  const version = Number(pick(Object.keys(op.versions)))
  const schema = op.versions[version]!
  const inputs: Value[] = []
  const initializers = new Map<string, Initializer>()
  const names: string[] = []
  for (let index = 0; index < inputCount(schema, choices); index++) {
    const name = `in${index}`
    const dtype = inputType(schema, index, choices)
    const omitted = isOptional(schema, index) ? int(3) === 0 : int(40) === 0
    names.push(omitted ? '' : name)
    if (omitted) continue
    if (int(5) > 1) initializers.set(name, constant(dtype, choices))
    else inputs.push({ name, ...(int(6) > 0 && { type: valueType(dtype, choices) }) })
  }
  const attributes = new Map<string, Attribute>()
  for (const [name, declared] of Object.entries(schema.attributes ?? {}))
    if (declared.required ? int(20) > 0 : int(3) > 0) attributes.set(name, attribute(declared, choices))
  const outputCount = int(20) === 0 ? int(6) : 1 + int(schema.outputs.length)
  const outputs = Array.from({ length: outputCount }, (_, index) => (int(12) === 0 ? '' : `out${index}`))
  const node: Node = { name: '', op: op.name, domain: op.domain ?? '', inputs: names, outputs, attributes }
  return {
    name: '',
    inputs,
    outputs: outputs.filter(name => name !== '').map(name => ({ name })),
    nodes: [node],
    initializers,
    values: new Map(),
    opsets: opsetsFor(op, version),
  }
}

function opsetsFor({ domain = '' }: Op, version: number): ReadonlyMap<string, number> {
  return new Map([
    ['', 21],
    ...(domain === '' ? [] : [[domain, version] as const]),
    ...(domain === '' ? [['', version] as const] : []),
  ])
}

function inputCount({ inputs }: Schema, { int, pick }: Choices): number {
  const usual = inputs.some(text => parseParameter(text).variadic) ? int(5) : inputs.length
  return Math.max(0, usual + (int(20) === 0 ? pick([-1, 1]) : 0))
}

function isOptional({ inputs }: Schema, index: number): boolean {
  const text = inputs[Math.min(index, inputs.length - 1)]
  return text !== undefined && parseParameter(text).optional
}

/** Mostly one that the schema allows, and the same for inputs that share it. */
function inputType({ inputs, types = {} }: Schema, index: number, { int, pick }: Choices): DType {
  const text = inputs[Math.min(index, inputs.length - 1)]
  if (text === undefined || int(20) === 0) return pick(dtypes)
  const { type } = parseParameter(text)
  const allowed = (Object.hasOwn(types, type) ? types[type]! : [type as TypeName]).filter(isDType)
  if (allowed.length === 0) return pick(dtypes)
  return int(4) > 0 ? (allowed.find(dtype => dtype === 'float32') ?? allowed[0]!) : pick(allowed)
}

function valueType(dtype: DType, { int, pick }: Choices): NonNullable<Value['type']> {
  const shape =
    int(10) === 0 ? undefined : Array.from({ length: pick([0, 1, 2, 3, 3, 4, 4, 5]) }, () => pick(EXTENTS))
  const type = tensorType(dtype, shape)
  const kind = int(20)
  return kind < 2 ? { kind: kind === 0 ? 'sequence' : 'optional', element: type } : type
}

function constant(dtype: DType, choices: Choices): Tensor {
  const { int, pick } = choices
  const shape = Array.from({ length: pick([0, 1, 1, 1, 2, 3, 4]) }, () => pick([0, 1, 1, 2, 2, 3, 4, 5]))
  if (int(40) === 0) shape[0] = 4096
  const count = Math.min(sizeOf(shape), 5000)
  if (sizeOf(shape) > count) return constant(dtype, choices)
  if (dtype === 'string')
    return tensor(
      'string',
      shape,
      Array.from({ length: count }, () => pick(TEXTS)),
    )
  const integers = pick([SMALL, SMALL, INTEGERS])
  const parts = dtype.startsWith('complex') ? 2 : 1
  return dtype.includes('int')
    ? fromBigInts(
        dtype,
        shape,
        Array.from({ length: count }, () => BigInt(pick(integers))),
      )
    : fromNumbers(
        dtype,
        shape,
        Array.from({ length: count * parts }, () => pick(pick([FLOATS, SMALL]))),
      )
}

const TYPES: readonly AttributeType[] = [
  'int',
  'float',
  'string',
  'ints',
  'floats',
  'strings',
  'tensor',
  'graph',
  'type',
  'sparse_tensor',
]

function attribute({ type: declared, choices: texts }: AttributeSchema, choices: Choices): Attribute {
  const { int, pick } = choices
  const type = int(25) === 0 ? pick(TYPES) : declared
  const some = <T>(make: () => T): T[] => Array.from({ length: pick([0, 1, 2, 2, 3, 4, 4, 6]) }, make)
  const list = pick([SMALL, SMALL, INTEGERS])
  const text = (): string => pick(int(6) > 0 ? (texts ?? TEXTS) : TEXTS)
  switch (type) {
    case 'float':
      return { type, value: pick(FLOATS) }
    case 'string':
      return { type, value: text() }
    case 'ints':
      return { type, value: some(() => pick(list)) }
    case 'floats':
      return { type, value: some(() => pick(FLOATS)) }
    case 'strings':
      return { type, value: some(text) }
    case 'tensor':
      return { type, value: constant(pick(dtypes), choices) }
    case 'sparse_tensor': {
      const values = constant('float32', choices)
      const indices = tensor('int64', [0], new BigInt64Array(0))
      return {
        type,
        value: {
          dtype: 'float32',
          shape: [...values.shape],
          values: tensor('float32', [0], new Float32Array(0)),
          indices,
        },
      }
    }
    case 'graph':
      return { type, value: body(choices) }
    case 'type':
      return { type, value: valueType(pick(dtypes), choices) }
    default:
      return { type: 'int', value: pick([...list, int(30)]) }
  }
}

/** A body that passes on what it is given, more or less. */
function body(choices: Choices): Graph {
  const { int, pick } = choices
  const inputs = Array.from({ length: int(5) }, (_, index): Value => {
    const type = valueType(pick(['int64', 'bool', 'float32']), choices)
    return { name: `b${index}`, ...(int(2) === 0 && { type }) }
  })
  const known = [...inputs.map(({ name }) => name), 'in0']
  const nodes = Array.from({ length: int(3) }, (_, index): Node => {
    const made = `m${index}`
    const op = pick(['Identity', 'Neg', 'Add', 'Shape', 'Concat', 'Unsqueeze'])
    const node = {
      name: '',
      op,
      domain: '',
      inputs: [pick(known), pick(known)].slice(0, op === 'Add' ? 2 : 1),
      outputs: [made],
      attributes: new Map(),
    }
    known.push(made)
    return node
  })
  const outputs = Array.from({ length: int(5) }, () => ({ name: pick(known) }))
  return {
    name: 'body',
    inputs,
    outputs,
    nodes,
    initializers: new Map(),
    values: new Map(),
    opsets: new Map(),
  }
}
