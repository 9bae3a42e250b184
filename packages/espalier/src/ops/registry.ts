/** Looking operators up: by name, and by the operator-set version a graph asks for. */
import { EspalierError } from '../errors.ts'
import { type Graph, type Node, normalizeDomain, operatorName } from '../graph/graph.ts'
import type { Op, Operators } from './op.ts'
import { arityProblem, type Schema } from './schema.ts'

/** A lookup over a list of operators. Throws `bad-argument` when two share a name. */
export function operatorsOf(list: readonly Op[]): Operators {
  const byDomain = new Map<string, Map<string, Op>>()
  for (const op of list) {
    const domain = normalizeDomain(op.domain ?? '')
    const byName = byDomain.get(domain) ?? new Map<string, Op>()
    byDomain.set(domain, byName)
    if (byName.has(op.name))
      throw new EspalierError(
        'bad-argument',
        `two operators are called ${operatorName({ domain: op.domain ?? '', op: op.name })}`,
      )
    byName.set(op.name, op)
  }
  return { all: list, find: (domain, name) => byDomain.get(normalizeDomain(domain))?.get(name) }
}

/** An operator with the schema that a graph's operator-set version selects. */
export interface Resolved {
  readonly op: Op
  readonly version: number
  readonly schema: Schema
}

const versions = new WeakMap<Op['versions'], readonly number[]>()

/** Versions of an operator's schema, newest first. */
function versionsOf(op: Op): readonly number[] {
  let list = versions.get(op.versions)
  if (list === undefined) {
    list = Object.keys(op.versions)
      .map(Number)
      .sort((a, b) => b - a)
    versions.set(op.versions, list)
  }
  return list
}

/** Newest operator-set version of `op` that is not above `opset`; `undefined` when the operator came later. */
export function schemaVersion(op: Op, opset: number): number | undefined {
  return versionsOf(op).find(version => version <= opset)
}

/** Version of the operator set `domain` in `graph`; `undefined` when the graph does not import it. */
export function opsetOf(graph: Graph, domain: string): number | undefined {
  if (normalizeDomain(domain) !== '') return graph.opsets.get(domain)
  return graph.opsets.get('') ?? graph.opsets.get('ai.onnx')
}

/** The operator and schema of a node, or in words why there is none. */
export function lookUp(operators: Operators, graph: Graph, node: Node): Resolved | string {
  const op = operators.find(node.domain, node.op)
  if (op === undefined) return 'not implemented'
  const opset = opsetOf(graph, node.domain)
  if (opset === undefined) return `the graph does not import operator set "${node.domain || 'ai.onnx'}"`
  const version = schemaVersion(op, opset)
  if (version !== undefined) return { op, version, schema: op.versions[version]! }
  const first = Math.min(...Object.keys(op.versions).map(Number))
  return `implemented from version ${first} of its operator set on, the graph has version ${opset}`
}

/**
 * The operator and schema of a node. Throws `unsupported-op`, and `invalid-graph` for a number of inputs or outputs
 * that the schema does not allow.
 */
export function resolve(operators: Operators, graph: Graph, node: Node): Resolved {
  const found = lookUp(operators, graph, node)
  if (typeof found === 'string')
    throw new EspalierError('unsupported-op', `operator ${operatorName(node)} cannot run: ${found}`)
  const { inputs, outputs } = found.schema
  const problem = arityProblem('input', node.inputs, inputs) ?? arityProblem('output', node.outputs, outputs)
  if (problem !== undefined) throw new EspalierError('invalid-graph', problem)
  return found
}
