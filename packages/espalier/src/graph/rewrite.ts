/**
 * Pattern rewriting: a rule names a tree of operators with captured values, and gives nodes to stand in its place.
 * Matching is by structure only; what a rule needs to know beyond it (constants, shapes, attributes) it checks in
 * `replace`, which may decline.
 */
import { EspalierError } from '../errors.ts'
import { removeUnused } from './extract.ts'
import type { Attribute, Graph, Initializer, Node } from './graph.ts'
import { sortNodes } from './order.ts'
import { type Uses, usesOf } from './uses.ts'

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
  /** Captures the node under this name. */
  readonly as?: string
}

/** What a pattern matched. */
export interface Match {
  readonly graph: Graph
  /** The node at the top of the tree; its outputs are to be made by the replacement. */
  readonly root: Node
  /** Captured values. */
  readonly values: ReadonlyMap<string, string>
  /** Captured nodes. */
  readonly nodes: ReadonlyMap<string, Node>
  /** The captured value's name; throws when the pattern has no such capture. */
  value(name: string): string
  /** The captured node; throws when the pattern has no such capture. */
  node(name: string): Node
  /** The constant behind a captured value, when it is one. */
  constant(name: string): Initializer | undefined
  /** A name for a value or node that nothing else has. */
  fresh(stem: string): string
}

/** Nodes and constants that take the place of a match. */
export interface Replacement {
  readonly nodes: readonly Node[]
  readonly initializers?: ReadonlyMap<string, Initializer>
}

export interface Rule {
  readonly name: string
  readonly pattern: OpPattern
  /**
   * The replacement, whose nodes make every output of `match.root`; `undefined` to decline. Nodes inside the match
   * that something else still uses are kept.
   */
  replace(match: Match): Replacement | undefined
}

export interface RewriteOptions {
  /** Most replacements; a rule set that never ends throws `no-convergence`. */
  readonly limit?: number
  /** Called for every replacement. */
  readonly onRewrite?: (rule: Rule, match: Match) => void
}

/** Applies `rules`, earlier rules first, until none matches. The result is in order and free of unused nodes. */
export function rewrite(graph: Graph, rules: readonly Rule[], options: RewriteOptions = {}): Graph {
  const limit = options.limit ?? 10 * graph.nodes.length + 1000
  let current = graph
  for (let count = 0; ; count++) {
    const next = applyOnce(current, rules, options.onRewrite)
    if (next === undefined) return current
    if (count >= limit)
      throw new EspalierError(
        'no-convergence',
        `the rules ${rules.map(({ name }) => name).join(', ')} do not end`,
        {
          got: `${limit} replacements`,
        },
      )
    current = next
  }
}

function applyOnce(
  graph: Graph,
  rules: readonly Rule[],
  onRewrite: RewriteOptions['onRewrite'],
): Graph | undefined {
  const uses = usesOf(graph)
  const taken = namesOf(graph)
  for (const rule of rules)
    for (const root of graph.nodes) {
      const match = matchAt(graph, uses, rule.pattern, root, taken)
      const replacement = match && rule.replace(match)
      if (match === undefined || replacement === undefined) continue
      onRewrite?.(rule, match)
      return substitute(graph, root, replacement, rule)
    }
  return undefined
}

function substitute(graph: Graph, root: Node, { nodes, initializers }: Replacement, rule: Rule): Graph {
  const made = new Set(nodes.flatMap(node => node.outputs))
  const lost = root.outputs.find(name => name !== '' && !made.has(name))
  if (lost !== undefined)
    throw new EspalierError(
      'bad-argument',
      `rule ${rule.name} does not make an output of the node it replaces`,
      {
        where: { tensor: lost },
      },
    )
  return removeUnused(
    sortNodes({
      ...graph,
      nodes: graph.nodes.flatMap(node => (node === root ? nodes : [node])),
      initializers: new Map([...graph.initializers, ...(initializers ?? [])]),
    }),
  )
}

/** Every match of a pattern, whether they overlap or not. */
export function findMatches(graph: Graph, pattern: OpPattern): Match[] {
  const uses = usesOf(graph)
  const taken = namesOf(graph)
  return graph.nodes.flatMap(node => matchAt(graph, uses, pattern, node, taken) ?? [])
}

interface Captures {
  readonly values: ReadonlyMap<string, string>
  readonly nodes: ReadonlyMap<string, Node>
}

function matchAt(
  graph: Graph,
  uses: Uses,
  pattern: OpPattern,
  root: Node,
  taken: Set<string>,
): Match | undefined {
  const captures = matchNode(uses, pattern, root, { values: new Map(), nodes: new Map() })
  if (captures === undefined) return undefined
  const need = <T>(map: ReadonlyMap<string, T>, name: string): T => {
    const found = map.get(name)
    if (found !== undefined) return found
    throw new EspalierError('bad-argument', `the pattern captures nothing called "${name}"`)
  }
  return {
    graph,
    root,
    ...captures,
    value: name => need(captures.values, name),
    node: name => need(captures.nodes, name),
    constant: name => graph.initializers.get(need(captures.values, name)),
    fresh(stem) {
      let name = stem
      for (let count = 1; taken.has(name); count++) name = `${stem}_${count}`
      taken.add(name)
      return name
    },
  }
}

function matchNode(uses: Uses, pattern: OpPattern, node: Node, captures: Captures): Captures | undefined {
  const ops = typeof pattern.op === 'string' ? [pattern.op] : pattern.op
  if (!ops.includes(node.op) || node.domain !== (pattern.domain ?? '')) return undefined
  if (node.inputs.slice(pattern.inputs.length).some(name => name !== '')) return undefined
  const own: Captures =
    pattern.as === undefined
      ? captures
      : { ...captures, nodes: new Map(captures.nodes).set(pattern.as, node) }
  const straight = matchInputs(uses, pattern.inputs, node.inputs, own)
  if (straight !== undefined || !pattern.commutative || node.inputs.length !== 2) return straight
  return matchInputs(uses, pattern.inputs, node.inputs.toReversed(), own)
}

function matchInputs(
  uses: Uses,
  patterns: readonly (Pattern | undefined)[],
  inputs: readonly string[],
  captures: Captures,
): Captures | undefined {
  let current: Captures | undefined = captures
  for (const [index, pattern] of patterns.entries()) {
    const name = inputs[index] ?? ''
    if ((pattern === undefined) !== (name === '')) return undefined
    if (pattern === undefined) continue
    current = matchValue(uses, pattern, name, current)
    if (current === undefined) return undefined
  }
  return current
}

function matchValue(uses: Uses, pattern: Pattern, name: string, captures: Captures): Captures | undefined {
  if (typeof pattern !== 'string') {
    const node = uses.producer.get(name)
    return node && matchNode(uses, pattern, node, captures)
  }
  const bound = captures.values.get(pattern)
  if (bound !== undefined) return bound === name ? captures : undefined
  return { ...captures, values: new Map(captures.values).set(pattern, name) }
}

function namesOf(graph: Graph): Set<string> {
  const names = new Set<string>([...graph.initializers.keys(), ...graph.values.keys()])
  for (const { name } of [...graph.inputs, ...graph.outputs]) names.add(name)
  for (const node of graph.nodes) for (const name of [node.name, ...node.outputs]) names.add(name)
  return names
}

/** A node in short, for replacements. */
export function makeNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  name = '',
): Node {
  return { name, op, domain: '', inputs, outputs, attributes: new Map(Object.entries(attributes)) }
}
