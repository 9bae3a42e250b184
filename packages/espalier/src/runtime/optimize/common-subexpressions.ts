/**
 * Sharing what is computed twice: nodes of the same operator with the same inputs and attributes, and small constants
 * with the same contents. Outputs of the graph keep the nodes that make them; nodes that draw random numbers or hold
 * bodies are left alone.
 */
import { removeUnused } from '../../graph/extract.ts'
import { type Attribute, bodiesOf, type Graph, isSparse, type Node, operatorName } from '../../graph/graph.ts'
import { pieceOf } from '../../graph/piece.ts'
import { capturesOf } from '../../graph/uses.ts'
import { operators as standard } from '../../ops/index.ts'
import type { Operators } from '../../ops/op.ts'
import { sizeOf } from '../../tensor/shape.ts'

/** Most elements of a constant that is compared by contents. */
const SMALL = 16

/** The graph without repetitions; the same object when there are none. */
export function shareCommon(graph: Graph, operators: Operators = standard): Graph {
  const kept = keptNames(graph)
  const names = sameConstants(graph, kept)
  const seen = new Map<string, Node>()
  let changed = names.size > 0
  const nodes: Node[] = []
  for (const original of graph.nodes) {
    const node = renamed(original, names)
    const key = keyOf(node, operators)
    const earlier = key === undefined ? undefined : seen.get(key)
    if (earlier === undefined || node.outputs.some(name => kept.has(name))) {
      if (key !== undefined) seen.set(key, earlier ?? node)
      nodes.push(node)
      continue
    }
    for (const [index, name] of node.outputs.entries())
      if (name !== '') names.set(name, earlier.outputs[index]!)
    changed = true
  }
  if (!changed) return graph
  const { inputs, initializers } = graph
  return removeUnused(pieceOf(graph, { inputs, outputs: graph.outputs, nodes, initializers }))
}

/** Values that keep their names: outputs of the graph, inputs, and what bodies take from outside. */
function keptNames(graph: Graph): ReadonlySet<string> {
  const kept = new Set([...graph.outputs, ...graph.inputs].map(({ name }) => name))
  for (const body of graph.nodes.flatMap(bodiesOf)) for (const name of capturesOf(body)) kept.add(name)
  return kept
}

function renamed(node: Node, names: ReadonlyMap<string, string>): Node {
  if (!node.inputs.some(name => names.has(name))) return node
  return { ...node, inputs: node.inputs.map(name => names.get(name) ?? name) }
}

/** Small constants by the name of an earlier one with the same contents. */
function sameConstants(graph: Graph, kept: ReadonlySet<string>): Map<string, string> {
  const names = new Map<string, string>()
  const seen = new Map<string, string>()
  for (const [name, value] of graph.initializers) {
    if (isSparse(value) || sizeOf(value.shape) > SMALL || kept.has(name)) continue
    const contents = Array.from(value.data as ArrayLike<unknown>, item =>
      Object.is(item, -0) ? '-0' : `${item}`,
    )
    const key = JSON.stringify([value.dtype, value.shape, contents])
    const earlier = seen.get(key)
    if (earlier === undefined) seen.set(key, name)
    else names.set(name, earlier)
  }
  return names
}

/** What a node computes, as text; `undefined` where another like it may compute something else. */
function keyOf(node: Node, operators: Operators): string | undefined {
  const op = operators.find(node.domain, node.op)
  if (op === undefined || op.impure || bodiesOf(node).length > 0) return undefined
  const attributes: string[] = []
  for (const [name, attribute] of node.attributes) {
    const text = attributeKey(attribute)
    if (text === undefined) return undefined
    attributes.push(`${name}=${text}`)
  }
  const made = node.outputs.map(name => (name === '' ? '0' : '1')).join('')
  return [operatorName(node), made, node.inputs.join('\0'), attributes.sort().join('\0')].join('\n')
}

/** An attribute as text; `undefined` for large ones. */
function attributeKey({ type, value }: Attribute): string | undefined {
  switch (type) {
    case 'int':
    case 'float':
    case 'string':
      return typeof value === 'object' ? undefined : `${value}`
    case 'ints':
    case 'floats':
      return `[${value.join()}]`
    default:
      return undefined
  }
}
