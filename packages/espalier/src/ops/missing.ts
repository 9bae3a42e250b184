/** Finding out, before anything runs, which operators of a graph are not implemented: all of them at once. */
import { EspalierError } from '../errors.ts'
import { bodiesOf, describeNode, type Graph, type Node } from '../graph/graph.ts'
import type { Operators } from './op.ts'
import { normalizeDomain, opsetOf, schemaVersion } from './registry.ts'

export interface MissingOp {
  /** `Conv`, or `domain.Op` outside ONNX's own set. */
  readonly op: string
  /** Why it cannot run. */
  readonly reason: string
  /** The nodes that need it. */
  readonly nodes: readonly string[]
}

/** Operators that a graph and its bodies need and `operators` lacks. */
export function missingOps(graph: Graph, operators: Operators): MissingOp[] {
  const found = new Map<string, { op: string; reason: string; nodes: string[] }>()
  visit(graph, operators, graph, found)
  return [...found.values()]
}

/** Throws one `unsupported-op` that names every missing operator and its nodes. */
export function requireOps(graph: Graph, operators: Operators): void {
  const missing = missingOps(graph, operators)
  if (missing.length === 0) return
  const lines = missing.map(({ op, reason, nodes }) => {
    const shown = nodes.slice(0, 5).join(', ')
    const rest = nodes.length > 5 ? ` and ${nodes.length - 5} more` : ''
    return `\n  ${op}: ${reason}; used by ${shown}${rest}`
  })
  throw new EspalierError(
    'unsupported-op',
    `${missing.length} operator${missing.length === 1 ? '' : 's'} of this graph cannot run:${lines.join('')}`,
    { hint: '\nThe table of supported operators is docs/operators.md' },
  )
}

function visit(
  graph: Graph,
  operators: Operators,
  outermost: Graph,
  found: Map<string, { op: string; reason: string; nodes: string[] }>,
): void {
  for (const node of graph.nodes) {
    const reason = whyMissing(node, operators, outermost)
    if (reason !== undefined) {
      const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`
      const entry = found.get(op) ?? { op, reason, nodes: [] }
      entry.nodes.push(describeNode(node))
      found.set(op, entry)
    }
    for (const body of bodiesOf(node)) visit(body, operators, outermost, found)
  }
}

function whyMissing(node: Node, operators: Operators, graph: Graph): string | undefined {
  const op = operators.find(node.domain, node.op)
  if (op === undefined) return 'not implemented'
  const domain = normalizeDomain(node.domain)
  const opset = opsetOf(graph, domain)
  if (opset === undefined) return `the model does not import operator set "${domain}"`
  if (schemaVersion(op, opset) === undefined)
    return `came with operator set ${Object.keys(op.versions)[0]}, the model uses ${opset}`
  return undefined
}
