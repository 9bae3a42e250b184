/** A graph as text to read: inputs, constants, one line a node, outputs. Not a file format. */
import { isBigInt } from '../tensor/dtype.ts'
import { numbers } from '../tensor/elements.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { describeType } from './describe.ts'
import {
  type Attribute,
  type Graph,
  type Initializer,
  isSparse,
  type Node,
  nodeName,
  operatorName,
  type Value,
} from './graph.ts'

export interface DumpOptions {
  /** Most elements of a constant that are written out; 8 when left out. */
  readonly elements?: number
}

/** The text of a graph; `annotate` it first to see every type. Ends with a line break. */
export function dump(graph: Graph, { elements = 8 }: DumpOptions = {}): string {
  const opsets = [...graph.opsets].map(([domain, version]) => `${domain === '' ? 'onnx' : domain} ${version}`)
  return `${block(graph, `graph ${quoted(graph.name)} (${opsets.join(', ')})`, '', elements)}\n`
}

function block(graph: Graph, title: string, indent: string, elements: number): string {
  const inner = `${indent}  `
  return [
    `${indent}${title} {`,
    ...graph.inputs.map(value => `${inner}input ${typed(value)}`),
    ...[...graph.initializers].map(
      ([name, value]) => `${inner}constant ${quoted(name)}: ${constantText(value, elements)}`,
    ),
    ...graph.nodes.map(node => nodeText(node, graph, inner, elements)),
    ...graph.outputs.map(value => `${inner}output ${typed(value)}`),
    `${indent}}`,
  ].join('\n')
}

function typed({ name, type }: Value): string {
  return type === undefined ? quoted(name) : `${quoted(name)}: ${describeType(type)}`
}

/** `y: float32 3 = Relu(x)`, the node's name behind it where it is not that of the output, its bodies below it. */
function nodeText(node: Node, graph: Graph, indent: string, elements: number): string {
  const plain: string[] = []
  const bodies: string[] = []
  for (const [name, attribute] of node.attributes) {
    if (attribute.type === 'graph') bodies.push(block(attribute.value, name, `${indent}  `, elements))
    else if (attribute.type === 'graphs')
      for (const [index, body] of attribute.value.entries())
        bodies.push(block(body, `${name}[${index}]`, `${indent}  `, elements))
    else plain.push(`${name}=${attributeText(attribute, elements)}`)
  }
  const outputs = node.outputs.map(name => (name === '' ? '_' : typed({ ...graph.values.get(name), name })))
  const inputs = node.inputs.map(name => (name === '' ? '_' : quoted(name)))
  const made = outputs.length > 0 ? `${outputs.join(', ')} = ` : ''
  const attributes = plain.length > 0 ? ` {${plain.join(', ')}}` : ''
  const name = nodeName({ ...node, name: '' }) === nodeName(node) ? '' : `  # ${node.name}`
  return [`${indent}${made}${operatorName(node)}(${inputs.join(', ')})${attributes}${name}`, ...bodies].join(
    '\n',
  )
}

function attributeText(attribute: Attribute, elements: number): string {
  switch (attribute.type) {
    case 'float':
      return short(attribute.value)
    case 'floats':
      return listText(attribute.value, short)
    case 'int':
      return `${attribute.value}`
    case 'ints':
      return listText(attribute.value, String)
    case 'string':
      return stringText(attribute.value)
    case 'strings':
      return listText(attribute.value, stringText)
    case 'tensor':
    case 'sparse_tensor':
      return constantText(attribute.value, elements)
    case 'tensors':
    case 'sparse_tensors':
      return listText<Initializer>(attribute.value, value => constantText(value, elements))
    case 'type':
      return describeType(attribute.value)
    case 'types':
      return listText(attribute.value, describeType)
    case 'graph':
    case 'graphs':
      return '' // bodies stand below their node
  }
}

function listText<T>(list: readonly T[], text: (item: T) => string): string {
  return `[${list.map(text).join(', ')}]`
}

function stringText(value: string | Uint8Array): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${value.length} bytes`
}

/** Type and shape of a constant; its contents too where they are short. */
function constantText(value: Initializer, elements: number): string {
  const { dtype, shape } = value
  if (!isSparse(value))
    return `${describeType({ kind: 'tensor', dtype, shape })}${shortContents(value, elements)}`
  return `${describeType({ kind: 'sparse', dtype, shape })} with ${sizeOf(value.values.shape)} values`
}

/** ` = [1, 2, 3]` for a small constant, nothing for a large one. */
function shortContents(tensor: Tensor, elements: number): string {
  if (sizeOf(tensor.shape) > elements) return ''
  const values = contents(tensor)
  return ` = ${tensor.shape.length === 0 ? values.join(', ') : `[${values.join(', ')}]`}`
}

function contents(tensor: Tensor): string[] {
  if (tensor.dtype === 'string') return tensor.data.map(text => JSON.stringify(text))
  if (isBigInt(tensor.dtype)) return Array.from(tensor.data as BigInt64Array, String)
  return Array.from(numbers(tensor), short)
}

function short(value: number): string {
  return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(6))}`
}

/** A name as it is where it reads as one word, otherwise in quotes. */
function quoted(name: string): string {
  return /^[\w./:\-#]+$/.test(name) && name !== '_' ? name : JSON.stringify(name)
}
