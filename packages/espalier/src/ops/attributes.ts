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
  function find<T extends keyof Values>(name: string, type: T): Values[T] | undefined {
    const attribute = node.attributes.get(name)
    if (attribute !== undefined) {
      if (attribute.type === type) return attribute.value as Values[T]
      throw new EspalierError('invalid-graph', 'an attribute has the wrong type', {
        where: { node: describeNode(node), field: name },
        expected: type,
        got: attribute.type,
      })
    }
    const declared = schema.attributes
    const fallback =
      declared !== undefined && Object.hasOwn(declared, name) ? declared[name]!.default : undefined
    return fallback as Values[T] | undefined
  }
  function need<T>(name: string, value: T | undefined): T {
    if (value !== undefined) return value
    throw new EspalierError('invalid-graph', 'a required attribute is missing', {
      where: { node: describeNode(node), field: name },
    })
  }
  function allowed(name: string, value: string): string {
    const choices = schema.attributes?.[name]?.choices
    if (choices === undefined || choices.includes(value)) return value
    throw new EspalierError('bad-argument', 'an attribute has a value that the operator does not know', {
      where: { node: describeNode(node), field: name },
      expected: choices.join(', '),
      got: `"${value}"`,
    })
  }
  const self: Attributes = {
    has: name => node.attributes.has(name),
    get: name => node.attributes.get(name),
    optionalInt(name) {
      const value = find(name, 'int')
      return value === undefined ? undefined : integer(value)
    },
    optionalFloat: name => find(name, 'float'),
    optionalString(name) {
      const value = find(name, 'string')
      return value === undefined ? undefined : allowed(name, text(value))
    },
    optionalInts: name => find(name, 'ints')?.map(integer),
    optionalFloats: name => find(name, 'floats'),
    optionalStrings: name => find(name, 'strings')?.map(value => allowed(name, text(value))),
    int: name => need(name, self.optionalInt(name)),
    float: name => need(name, self.optionalFloat(name)),
    string: name => need(name, self.optionalString(name)),
    ints: name => need(name, self.optionalInts(name)),
    floats: name => need(name, self.optionalFloats(name)),
    strings: name => need(name, self.optionalStrings(name)),
    tensor: name => need(name, find(name, 'tensor')),
    sparse: name => need(name, find(name, 'sparse_tensor')),
    graph: name => need(name, find(name, 'graph')),
    type: name => need(name, find(name, 'type')),
  }
  return self
}
