/**
 * Pattern rewriting: a rule names a tree of operators with captured values, and gives nodes to stand in its place.
 * Matching is by structure only; what a rule needs to know beyond it (constants, shapes, attributes) it checks in
 * `replace`, which may decline. Rules see one graph: bodies count as part of the node that holds them and are not
 * entered.
 */
import { EspalierError } from '../errors.ts'
import { removeUnused } from './extract.ts'
import type { Attribute, Graph, Initializer, Node } from './graph.ts'
import { matchTree, type OpPattern } from './match.ts'
import { sortNodes } from './order.ts'
import type { Uses } from './uses.ts'
import { Workspace } from './workspace.ts'

/** What a pattern matched. The facts hold while `replace` runs. */
export interface Match {
  /** The graph as it is now. Made when asked for: a rule that only needs producers and consumers takes `uses`. */
  readonly graph: Graph
  /** Who makes and who reads each value now; the lists of readers are in no particular order. */
  readonly uses: Uses
  /** The node at the top of the tree; its outputs are to be made by the replacement. */
  readonly root: Node
  /** Captured values. */
  readonly values: ReadonlyMap<string, string>
  /** Captured nodes. */
  readonly nodes: ReadonlyMap<string, Node>
  /** The captured value's name; throws `bad-argument` when the pattern has no such capture. */
  value(name: string): string
  /** The captured node; throws `bad-argument` when the pattern has no such capture. */
  node(name: string): Node
  /** The constant behind a captured value, when it is one that no caller can override. */
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
   * The replacement, whose nodes or constants make every output of `match.root` that has a use, under its name;
   * `undefined` to decline. Nodes inside the match that something else still uses are kept.
   */
  replace(match: Match): Replacement | undefined
}

export interface RewriteOptions {
  /** Most replacements; a rule set that never ends throws `no-convergence`. Ten for each node and 1000 when left out. */
  readonly limit?: number
  /** Called before every replacement. */
  readonly onRewrite?: (rule: Rule, match: Match) => void
}

/**
 * Applies `rules` until none matches. A rule goes once through the nodes in order; whenever one has changed something,
 * the first is next, so that a rule sees a graph in which nothing is left to the rules before it. The result is in
 * order and free of unused nodes and initialisers; it is `graph` itself when that needs no change. Throws
 * `no-convergence`, and `bad-argument` for a replacement that does not fit.
 */
export function rewrite(graph: Graph, rules: readonly Rule[], options: RewriteOptions = {}): Graph {
  const limit = options.limit ?? 10 * graph.nodes.length + 1000
  const workspace = new Workspace(removeUnused(sortNodes(graph)))
  let count = 0
  const sweep = (rule: Rule): boolean => {
    const before = count
    for (const root of workspace.nodes()) {
      if (!workspace.has(root)) continue // a replacement has made it superfluous
      const match = matchAt(workspace, rule.pattern, root)
      const replacement = match && rule.replace(match)
      if (match === undefined || replacement === undefined) continue
      if (count === limit) throw endless(rules, limit)
      count++
      options.onRewrite?.(rule, match)
      const { nodes, initializers = new Map() } = replacement
      workspace.replace(root, nodes, initializers, `rule ${rule.name}`)
    }
    return count > before
  }
  for (let next = 0; next < rules.length; ) next = sweep(rules[next]!) ? 0 : next + 1
  return workspace.graph()
}

function endless(rules: readonly Rule[], limit: number): EspalierError {
  const names = rules.map(({ name }) => name).join(', ')
  return new EspalierError('no-convergence', `the rules still match after ${limit} replacements: ${names}`, {
    hint: 'A rule may undo another, or match what it made: let it decline',
  })
}

/** Every match of a pattern, whether they overlap or not. */
export function findMatches(graph: Graph, pattern: OpPattern): Match[] {
  const workspace = new Workspace(graph)
  return workspace.nodes().flatMap(node => matchAt(workspace, pattern, node) ?? [])
}

function matchAt(workspace: Workspace, pattern: OpPattern, root: Node): Match | undefined {
  const captures = matchTree(workspace.uses.producer, pattern, root)
  if (captures === undefined) return undefined
  const need = <T>(map: ReadonlyMap<string, T>, name: string): T => {
    const found = map.get(name)
    if (found !== undefined) return found
    throw new EspalierError('bad-argument', `the pattern captures nothing called "${name}"`)
  }
  return {
    ...captures,
    root,
    uses: workspace.uses,
    get graph() {
      return workspace.graph()
    },
    value: name => need(captures.values, name),
    node: name => need(captures.nodes, name),
    constant: name => workspace.constant(need(captures.values, name)),
    fresh: workspace.fresh,
  }
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
