/** Finding out, before anything runs, which operators of a graph are not implemented: all of them at once. */
import { EspalierError } from '../errors.ts'
import { bodiesOf, describeNode, type Graph, operatorName } from '../graph/graph.ts'
import type { Operators } from './op.ts'
import { lookUp } from './registry.ts'

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

/** Most nodes that are named for an operator. */
const NAMED = 5

/** Throws one `unsupported-op` that names every missing operator and its nodes. */
export function requireOps(graph: Graph, operators: Operators): void {
  const missing = missingOps(graph, operators)
  if (missing.length === 0) return
  const lines = missing.map(({ op, reason, nodes }) => {
    const rest = nodes.length > NAMED ? ` and ${nodes.length - NAMED} more` : ''
    return `\n  ${op}: ${reason}; used by ${nodes.slice(0, NAMED).join(', ')}${rest}`
  })
  throw new EspalierError(
    'unsupported-op',
    `${missing.length} operator${missing.length === 1 ? '' : 's'} of this graph cannot run:${lines.join('')}`,
    { hint: 'docs/operators.md lists the operators that can' },
  )
}

function visit(
  graph: Graph,
  operators: Operators,
  outermost: Graph,
  found: Map<string, { op: string; reason: string; nodes: string[] }>,
): void {
  for (const node of graph.nodes) {
    const reason = lookUp(operators, outermost, node)
    if (typeof reason === 'string') {
      const op = operatorName(node)
      const entry = found.get(op) ?? { op, reason, nodes: [] }
      entry.nodes.push(describeNode(node))
      found.set(op, entry)
    }
    for (const body of bodiesOf(node)) visit(body, operators, outermost, found)
  }
}
