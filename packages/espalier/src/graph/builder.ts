/**
 * Building a graph in code: values are made by calling operators, names are given where none is wanted, and the
 * result is an ordinary graph. The builder is the only thing here that changes; `build()` hands out plain data.
 */
import { EspalierError } from '../errors.ts'
import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import {
  type Attribute,
  type Dim,
  type Graph,
  type Initializer,
  isSparse,
  type Node,
  normalizeDomain,
  type SparseTensor,
  tensorType,
  type Value,
  type ValueType,
} from './graph.ts'

/** A value of the graph being built. */
export interface Handle {
  readonly name: string
}

/**
 * Attribute values as a caller writes them. A plain number is an `int`, a list of numbers `ints` (an empty one too),
 * text a `string`; floats are written with {@link floatAttribute} and {@link floatsAttribute}.
 */
export type PlainAttribute =
  | Attribute
  | number
  | string
  | readonly number[]
  | readonly string[]
  | Tensor
  | SparseTensor
  | Graph

export interface NodeOptions {
  /** Name of the node; made from the operator when left out. */
  readonly name?: string
  /** Names of the outputs, `''` for one that is not wanted; made from the node's name when left out. */
  readonly outputs?: readonly string[]
  readonly domain?: string
}

export interface BuilderOptions {
  readonly name?: string
  /** Operator-set version; 21 when left out. */
  readonly opset?: number
  /** Further operator sets, by domain. */
  readonly opsets?: Readonly<Record<string, number>>
}

export interface GraphBuilder {
  /** Adds an input. */
  input(name: string, dtype: DType, shape?: readonly Dim[]): Handle
  /** Adds an input of any type. */
  inputOf(name: string, type: ValueType): Handle
  /** Adds a constant; the name is made when left out. */
  constant(value: Initializer, name?: string): Handle
  /** Adds a node with one output. `undefined` among the inputs is an omitted optional. */
  node(
    op: string,
    inputs: readonly (Handle | undefined)[],
    attributes?: Readonly<Record<string, PlainAttribute>>,
    options?: NodeOptions,
  ): Handle
  /** Adds a node and gives all its outputs. */
  nodes(
    op: string,
    inputs: readonly (Handle | undefined)[],
    attributes: Readonly<Record<string, PlainAttribute>>,
    options: NodeOptions & { readonly outputs: readonly string[] },
  ): Handle[]
  /** Declares a value as an output, under its own name; `type` when it is known. */
  output(value: Handle, type?: ValueType): void
  /** The graph so far. */
  build(): Graph
}

/** A float attribute. */
export function floatAttribute(value: number): Attribute {
  return { type: 'float', value }
}

/** A list of floats as an attribute. */
export function floatsAttribute(value: readonly number[]): Attribute {
  return { type: 'floats', value }
}

/**
 * Starts a graph. What is asked of the builder throws `bad-argument` when two values or two nodes are given one name, a
 * name is empty, or a fraction is given for an integer attribute. `validate` checks the rest.
 */
export function graphBuilder({ name = 'graph', opset = 21, opsets = {} }: BuilderOptions = {}): GraphBuilder {
  const inputs: Value[] = []
  const outputs: Value[] = []
  const nodes: Node[] = []
  const initializers = new Map<string, Initializer>()
  const taken = new Set<string>()
  const nodeNames = new Set<string>()
  const counters = new Map<string, number>()

  function claim(wanted: string): string {
    if (wanted === '') throw new EspalierError('bad-argument', 'a value has no name')
    if (taken.has(wanted))
      throw new EspalierError('bad-argument', 'two values have this name', { where: { tensor: wanted } })
    taken.add(wanted)
    return wanted
  }
  function fresh(stem: string): string {
    for (;;) {
      const count = (counters.get(stem) ?? 0) + 1
      counters.set(stem, count)
      const name = `${stem}_${count}`
      if (!taken.has(name) && !nodeNames.has(name)) return name
    }
  }
  function addNode(
    op: string,
    operands: readonly (Handle | undefined)[],
    attributes: Readonly<Record<string, PlainAttribute>>,
    options: NodeOptions,
  ): Handle[] {
    const nodeName = options.name ?? fresh(op.toLowerCase())
    if (nodeNames.has(nodeName))
      throw new EspalierError('bad-argument', 'two nodes have this name', {
        where: { node: `${nodeName} (${op})` },
      })
    const wanted = options.outputs ?? [options.name === undefined ? nodeName : `${nodeName}:0`]
    const names = wanted.map(output => (output === '' ? '' : claim(output)))
    if (nodeName !== '') nodeNames.add(nodeName)
    nodes.push({
      name: nodeName,
      op,
      domain: normalizeDomain(options.domain ?? ''),
      inputs: operands.map(operand => operand?.name ?? ''),
      outputs: names,
      attributes: new Map(Object.entries(attributes).map(([key, value]) => [key, attributeOf(key, value)])),
    })
    return names.map(output => ({ name: output }))
  }

  return {
    input: (wanted, dtype, shape) => {
      inputs.push({ name: claim(wanted), type: tensorType(dtype, shape) })
      return { name: wanted }
    },
    inputOf: (wanted, type) => {
      inputs.push({ name: claim(wanted), type })
      return { name: wanted }
    },
    constant: (value, wanted = fresh('constant')) => {
      initializers.set(claim(wanted), value)
      return { name: wanted }
    },
    node(op, operands, attributes = {}, options = {}) {
      if (options.outputs?.length === 0) throw new EspalierError('bad-argument', `${op} is given no output`)
      return addNode(op, operands, attributes, options)[0]!
    },
    nodes: addNode,
    output: (value, type) => {
      outputs.push(type === undefined ? { name: value.name } : { name: value.name, type })
    },
    build: () => ({
      name,
      inputs: [...inputs],
      outputs: [...outputs],
      nodes: [...nodes],
      initializers: new Map(initializers),
      values: new Map(),
      opsets: new Map([['', opset], ...Object.entries(opsets)]),
    }),
  }
}

/** A plain value as an attribute, `name` for messages. Throws `bad-argument` for a fraction. */
export function attributeOf(name: string, value: PlainAttribute): Attribute {
  if (typeof value === 'number') return { type: 'int', value: integer(name, value) }
  if (typeof value === 'string') return { type: 'string', value }
  if (Array.isArray(value)) {
    const list = value as readonly (number | string)[]
    return typeof list[0] === 'string'
      ? { type: 'strings', value: list as readonly string[] }
      : { type: 'ints', value: (list as readonly number[]).map(item => integer(name, item)) }
  }
  const object = value as Attribute | Initializer | Graph
  if ('type' in object) return object
  if (!('dtype' in object)) return { type: 'graph', value: object }
  return isSparse(object) ? { type: 'sparse_tensor', value: object } : { type: 'tensor', value: object }
}

function integer(name: string, value: number): number {
  if (Number.isSafeInteger(value)) return value
  throw new EspalierError('bad-argument', 'a plain number is an integer attribute', {
    where: { field: name },
    got: `${value}`,
    hint: 'Write a float as floatAttribute(x), floats as floatsAttribute([x, y])',
  })
}
