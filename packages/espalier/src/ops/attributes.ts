/** Reading a node's attributes through its schema: defaults filled in, types checked, 64-bit integers clamped to 2^53. */
import { EspalierError } from '../errors.ts'
import { type Attribute, describeNode, type Node } from '../graph/graph.ts'
import type { Attributes } from './op.ts'
import type { Schema } from './schema.ts'

type Values = { [A in Attribute as A['type']]: A['value'] }

const decoder = new TextDecoder()
const text = (value: string | Uint8Array): string =>
  typeof value === 'string' ? value : decoder.decode(value)

/** An int64 as a number; beyond 2^53 (where files write "to the end") the nearest safe integer. */
function integer(value: number | bigint): number {
  return Math.min(Math.max(Number(value), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
}

/** The attributes of `node` under `schema`. */
export function readAttributes(node: Node, schema: Schema): Attributes {
  return new NodeAttributes(node, schema)
}

/** A class, since one is made for every node again and again: closures for all of these would be most of the cost. */
class NodeAttributes implements Attributes {
  readonly #node: Node
  readonly #schema: Schema

  constructor(node: Node, schema: Schema) {
    this.#node = node
    this.#schema = schema
  }

  has(name: string): boolean {
    return this.#node.attributes.has(name)
  }

  get(name: string): Attribute | undefined {
    return this.#node.attributes.get(name)
  }

  optionalInt(name: string): number | undefined {
    const value = this.#find(name, 'int')
    return value === undefined ? undefined : integer(value)
  }

  optionalFloat(name: string): number | undefined {
    return this.#find(name, 'float')
  }

  optionalString(name: string): string | undefined {
    const value = this.#find(name, 'string')
    return value === undefined ? undefined : this.#allowed(name, text(value))
  }

  optionalInts(name: string): readonly number[] | undefined {
    return this.#find(name, 'ints')?.map(integer)
  }

  optionalFloats(name: string): readonly number[] | undefined {
    return this.#find(name, 'floats')
  }

  optionalStrings(name: string): readonly string[] | undefined {
    return this.#find(name, 'strings')?.map(value => this.#allowed(name, text(value)))
  }

  int(name: string): number {
    return this.#need(name, this.optionalInt(name))
  }

  float(name: string): number {
    return this.#need(name, this.optionalFloat(name))
  }

  string(name: string): string {
    return this.#need(name, this.optionalString(name))
  }

  ints(name: string): readonly number[] {
    return this.#need(name, this.optionalInts(name))
  }

  floats(name: string): readonly number[] {
    return this.#need(name, this.optionalFloats(name))
  }

  strings(name: string): readonly string[] {
    return this.#need(name, this.optionalStrings(name))
  }

  tensor(name: string): Values['tensor'] {
    return this.#need(name, this.#find(name, 'tensor'))
  }

  sparse(name: string): Values['sparse_tensor'] {
    return this.#need(name, this.#find(name, 'sparse_tensor'))
  }

  graph(name: string): Values['graph'] {
    return this.#need(name, this.#find(name, 'graph'))
  }

  type(name: string): Values['type'] {
    return this.#need(name, this.#find(name, 'type'))
  }

  #find<T extends keyof Values>(name: string, type: T): Values[T] | undefined {
    const attribute = this.#node.attributes.get(name)
    if (attribute !== undefined) {
      if (attribute.type === type) return attribute.value as Values[T]
      throw new EspalierError('invalid-graph', 'an attribute has the wrong type', {
        where: { node: describeNode(this.#node), field: name },
        expected: type,
        got: attribute.type,
      })
    }
    const declared = this.#schema.attributes
    const fallback =
      declared !== undefined && Object.hasOwn(declared, name) ? declared[name]!.default : undefined
    return fallback as Values[T] | undefined
  }

  #need<T>(name: string, value: T | undefined): T {
    if (value !== undefined) return value
    throw new EspalierError('invalid-graph', 'a required attribute is missing', {
      where: { node: describeNode(this.#node), field: name },
    })
  }

  #allowed(name: string, value: string): string {
    const choices = this.#schema.attributes?.[name]?.choices
    if (choices === undefined || choices.includes(value)) return value
    throw new EspalierError('bad-argument', 'an attribute has a value that the operator does not know', {
      where: { node: describeNode(this.#node), field: name },
      expected: choices.join(', '),
      got: `"${value}"`,
    })
  }
}
