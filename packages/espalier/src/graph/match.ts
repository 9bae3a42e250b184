/** Patterns of operators, and whether one fits at a node. */
import { type Node, normalizeDomain } from './graph.ts'

/** A tree to match. A string captures a value under that name; the same name twice must be the same value. */
export type Pattern = string | OpPattern

export interface OpPattern {
  /** One operator name, or several that will do. */
  readonly op: string | readonly string[]
  readonly domain?: string
  /** Patterns of the inputs; `undefined` for an input that must be absent. Further inputs must be absent too. */
  readonly inputs: readonly (Pattern | undefined)[]
  /** Try the inputs in both orders (two inputs only). */
  readonly commutative?: boolean
  /** Captures the node under this name; the same name twice must be the same node. */
  readonly as?: string
  /** Which output of the node the tree goes on from; the first when left out. Has no meaning at the root. */
  readonly output?: number
}

export interface Captures {
  readonly values: ReadonlyMap<string, string>
  readonly nodes: ReadonlyMap<string, Node>
}

/** Goes on with what has been captured so far; `undefined` when that leads nowhere. */
type Rest = (captures: Captures) => Captures | undefined

/**
 * What `pattern` captures at `root`; `undefined` when it does not match. All orders of commutative inputs are tried
 * together.
 */
export function matchTree(
  producer: ReadonlyMap<string, Node>,
  pattern: OpPattern,
  root: Node,
): Captures | undefined {
  return matchNode(producer, pattern, root, { values: new Map(), nodes: new Map() }, captures => captures)
}

function matchNode(
  producer: ReadonlyMap<string, Node>,
  pattern: OpPattern,
  node: Node,
  captures: Captures,
  rest: Rest,
): Captures | undefined {
  const { inputs } = node
  const ops = typeof pattern.op === 'string' ? [pattern.op] : pattern.op
  if (!ops.includes(node.op) || normalizeDomain(node.domain) !== normalizeDomain(pattern.domain ?? ''))
    return undefined
  if (inputs.slice(pattern.inputs.length).some(name => name !== '')) return undefined
  const own = pattern.as === undefined ? captures : captureNode(captures, pattern.as, node)
  if (own === undefined) return undefined
  const straight = matchInputs(producer, pattern.inputs, inputs, own, rest)
  if (straight !== undefined || !pattern.commutative || inputs.length !== 2) return straight
  return matchInputs(producer, pattern.inputs, inputs.toReversed(), own, rest)
}

function matchInputs(
  producer: ReadonlyMap<string, Node>,
  patterns: OpPattern['inputs'],
  inputs: readonly string[],
  captures: Captures,
  rest: Rest,
  index = 0,
): Captures | undefined {
  if (index === patterns.length) return rest(captures)
  const pattern = patterns[index]
  const name = inputs[index] ?? ''
  const others: Rest = found => matchInputs(producer, patterns, inputs, found, rest, index + 1)
  if (pattern === undefined) return name === '' ? others(captures) : undefined
  if (name === '') return undefined
  if (typeof pattern === 'string') {
    const found = captureValue(captures, pattern, name)
    return found && others(found)
  }
  const node = producer.get(name)
  if (node === undefined || node.outputs[pattern.output ?? 0] !== name) return undefined
  return matchNode(producer, pattern, node, captures, others)
}

function captureValue(captures: Captures, as: string, name: string): Captures | undefined {
  const bound = captures.values.get(as)
  if (bound !== undefined) return bound === name ? captures : undefined
  return { ...captures, values: new Map(captures.values).set(as, name) }
}

function captureNode(captures: Captures, as: string, node: Node): Captures | undefined {
  const bound = captures.nodes.get(as)
  if (bound !== undefined) return bound === node ? captures : undefined
  return { ...captures, nodes: new Map(captures.nodes).set(as, node) }
}
