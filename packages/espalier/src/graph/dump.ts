/** A graph as text to read: inputs, constants, one line a node, outputs. Not a file format. */

import { numbers } from '../tensor/elements.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { describeType } from './describe.ts'
import { type Attribute, type Graph, isSparse, type Node } from './graph.ts'

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
  const typed = (name: string): string => {
    const type = graph.values.get(name)?.type
    return type === undefined ? quoted(name) : `${quoted(name)}: ${describeType(type)}`
  }
  const lines = [`${indent}${title} {`]
  for (const { name, type } of graph.inputs)
    lines.push(`${inner}input ${quoted(name)}${type ? `: ${describeType(type)}` : ''}`)
  for (const [name, value] of graph.initializers) {
    const kind = isSparse(value) ? 'sparse ' : ''
    const type = describeType({ kind: 'tensor', dtype: value.dtype, shape: value.shape })
    lines.push(
      `${inner}constant ${quoted(name)}: ${kind}${type}${isSparse(value) ? '' : shortContents(value, elements)}`,
    )
  }
  for (const node of graph.nodes) lines.push(nodeText(node, typed, inner, elements))
  for (const { name, type } of graph.outputs)
    lines.push(`${inner}output ${quoted(name)}${type ? `: ${describeType(type)}` : ''}`)
  return [...lines, `${indent}}`].join('\n')
}

function nodeText(node: Node, typed: (name: string) => string, indent: string, elements: number): string {
  const plain: string[] = []
  const bodies: string[] = []
  for (const [name, attribute] of node.attributes) {
    if (attribute.type === 'graph') bodies.push(block(attribute.value, name, `${indent}  `, elements))
    else if (attribute.type === 'graphs')
      for (const [index, body] of attribute.value.entries())
        bodies.push(block(body, `${name}[${index}]`, `${indent}  `, elements))
    else plain.push(`${name}=${attributeText(attribute, elements)}`)
  }
  const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`
  const outputs = node.outputs.map(name => (name === '' ? '_' : typed(name))).join(', ')
  const inputs = node.inputs.map(name => (name === '' ? '_' : quoted(name))).join(', ')
  const attributes = plain.length > 0 ? ` {${plain.join(', ')}}` : ''
  return [`${indent}${outputs} = ${op}(${inputs})${attributes}`, ...bodies].join('\n')
}

function attributeText(attribute: Attribute, elements: number): string {
  switch (attribute.type) {
    case 'string':
      return stringText(attribute.value)
    case 'strings':
      return `[${attribute.value.map(stringText).join(', ')}]`
    case 'floats':
    case 'ints':
      return `[${attribute.value.join(', ')}]`
    case 'tensor': {
      const { dtype, shape } = attribute.value
      return `${describeType({ kind: 'tensor', dtype, shape })}${shortContents(attribute.value, elements)}`
    }
    case 'float':
    case 'int':
      return `${attribute.value}`
    case 'type':
      return describeType(attribute.value)
    default:
      return attribute.type
  }
}

function stringText(value: string | Uint8Array): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${value.length} bytes`
}

/** ` = [1, 2, 3]` for a small constant, nothing for a large one. */
function shortContents(tensor: Tensor, elements: number): string {
  if (sizeOf(tensor.shape) > elements) return ''
  const values =
    tensor.dtype === 'string'
      ? tensor.data.map(text => JSON.stringify(text))
      : Array.from(numbers(tensor), short)
  return ` = ${tensor.shape.length === 0 ? values.join(', ') : `[${values.join(', ')}]`}`
}

function short(value: number): string {
  return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(6))}`
}

/** A name as it is where it reads as one word, otherwise in quotes. */
function quoted(name: string): string {
  return /^[\w./:\-#]+$/.test(name) ? name : JSON.stringify(name)
}
