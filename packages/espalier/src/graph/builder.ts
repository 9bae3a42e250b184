/**
 * Building a graph in code: values are made by calling operators, names are given where none is wanted, and the
 * result is an ordinary graph. The builder is the only thing here that changes; `build()` hands out plain data.
 */
import { EspalierError } from '../errors.ts'
import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Attribute, Dim, Graph, Initializer, Node, Value, ValueType } from './graph.ts'
import { tensorType } from './graph.ts'

/** A value of the graph being built. */
export interface Handle {
  readonly name: string
}

/**
 * Attribute values as a caller writes them. A plain number is an `int`, a list of numbers `ints`, text a `string`;
 * floats are written `{ type: 'float', value: 0.5 }` or with {@link floatAttribute}.
 */
export type PlainAttribute =
  | Attribute
  | number
  | string
  | readonly number[]
  | readonly string[]
  | Tensor
  | Graph

export interface NodeOptions {
  /** Name of the node; made from the operator when left out. */
  readonly name?: string
  /** Names of the outputs; made from the node's name when left out. Their number is the number of outputs. */
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

/** Starts a graph. Throws `bad-argument` when two values are given one name. */
export function graphBuilder({ name = 'graph', opset = 21, opsets = {} }: BuilderOptions = {}): GraphBuilder {
  const inputs: Value[] = []
  const outputs: Value[] = []
  const nodes: Node[] = []
  const initializers = new Map<string, Initializer>()
  const taken = new Set<string>()
  const counters = new Map<string, number>()

  function claim(wanted: string): string {
    if (taken.has(wanted))
      throw new EspalierError('bad-argument', 'two values have one name', { where: { tensor: wanted } })
    taken.add(wanted)
    return wanted
  }
  function fresh(stem: string): string {
    for (;;) {
      const count = (counters.get(stem) ?? 0) + 1
      counters.set(stem, count)
      if (!taken.has(`${stem}_${count}`)) return `${stem}_${count}`
    }
  }
  function addNode(
    op: string,
    operands: readonly (Handle | undefined)[],
    attributes: Readonly<Record<string, PlainAttribute>>,
    options: NodeOptions,
  ): Handle[] {
    const nodeName = options.name ?? fresh(op.toLowerCase())
    const names = (options.outputs ?? [options.name === undefined ? nodeName : `${nodeName}:0`]).map(claim)
    nodes.push({
      name: nodeName,
      op,
      domain: options.domain ?? '',
      inputs: operands.map(operand => operand?.name ?? ''),
      outputs: names,
      attributes: new Map(Object.entries(attributes).map(([key, value]) => [key, attributeOf(value)])),
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
    node: (op, operands, attributes = {}, options = {}) => addNode(op, operands, attributes, options)[0]!,
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

function attributeOf(value: PlainAttribute): Attribute {
  if (typeof value === 'number') return { type: 'int', value }
  if (typeof value === 'string') return { type: 'string', value }
  if (Array.isArray(value)) {
    const list = value as readonly (number | string)[]
    return typeof list[0] === 'string'
      ? { type: 'strings', value: list as readonly string[] }
      : { type: 'ints', value: list as readonly number[] }
  }
  const object = value as Attribute | Tensor | Graph
  if ('type' in object) return object
  return 'dtype' in object ? { type: 'tensor', value: object } : { type: 'graph', value: object }
}
