/** Looking operators up: by name, and by the operator-set version a graph asks for. */
import { EspalierError } from '../errors.ts'
import { describeNode, type Graph, type Node } from '../graph/graph.ts'
import type { Op, Operators } from './op.ts'
import type { Schema } from './schema.ts'

/** ONNX's own operator set has two spellings. */
export function normalizeDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

/** A lookup over a list of operators. Throws `bad-argument` when two share a name. */
export function operatorsOf(list: readonly Op[]): Operators {
  const byKey = new Map<string, Op>()
  for (const op of list) {
    const key = `${normalizeDomain(op.domain ?? '')}:${op.name}`
    if (byKey.has(key)) throw new EspalierError('bad-argument', `two operators are called ${op.name}`)
    byKey.set(key, op)
  }
  return {
    all: list,
    find: (domain, name) => byKey.get(`${normalizeDomain(domain)}:${name}`),
  }
}

/** An operator with the schema that a graph's operator-set version selects. */
export interface Resolved {
  readonly op: Op
  readonly version: number
  readonly schema: Schema
}

/** Newest operator-set version of `op` that is not above `opset`; `undefined` when the operator came later. */
export function schemaVersion(op: Op, opset: number): number | undefined {
  let best: number | undefined
  for (const key of Object.keys(op.versions)) {
    const version = Number(key)
    if (version <= opset && (best === undefined || version > best)) best = version
  }
  return best
}

/** Version of the operator set `domain` in `graph`; `undefined` when the graph does not import it. */
export function opsetOf(graph: Graph, domain: string): number | undefined {
  return graph.opsets.get(domain) ?? (normalizeDomain(domain) === '' ? graph.opsets.get('ai.onnx') : undefined)
}

/** The operator and schema of a node. Throws `unsupported-op` or `invalid-graph`. */
export function resolve(operators: Operators, graph: Graph, node: Node): Resolved {
  const op = operators.find(node.domain, node.op)
  if (op === undefined)
    throw new EspalierError('unsupported-op', `operator ${node.op} is not implemented`, {
      where: { node: describeNode(node) },
    })
  const opset = opsetOf(graph, normalizeDomain(node.domain))
  if (opset === undefined)
    throw new EspalierError('invalid-graph', `the graph does not import operator set "${node.domain}"`, {
      where: { node: describeNode(node) },
    })
  const version = schemaVersion(op, opset)
  if (version === undefined)
    throw new EspalierError('unsupported-op', `operator ${node.op} does not exist in operator set ${opset}`, {
      where: { node: describeNode(node) },
      expected: `one of versions ${Object.keys(op.versions).join(', ')} or newer`,
      got: `${opset}`,
    })
  return { op, version, schema: op.versions[version]! }
}
