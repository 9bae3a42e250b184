/**
 * What operators ask of their nodes: that they exist, the number of inputs and outputs, attributes with the right
 * types, data types that the schema allows. Together with graph/validate.ts this is the whole of "is this model valid".
 */
import { EspalierError } from '../errors.ts'
import { bodiesOf, describeNode, type Graph, type Node, type ValueType } from '../graph/graph.ts'
import { type Problem, problemsOf } from '../graph/validate.ts'
import { operators as standard } from '../ops/index.ts'
import { missingOps } from '../ops/missing.ts'
import type { Operators } from '../ops/op.ts'
import { opsetOf, schemaVersion } from '../ops/registry.ts'
import { arity, parseParameter, type Schema } from '../ops/schema.ts'
import { type InferOptions, infer } from './infer.ts'

export interface ModelCheck {
  /** Broken rules: the model cannot run. */
  readonly problems: readonly Problem[]
  /** Operators that are not implemented. */
  readonly missing: ReturnType<typeof missingOps>
}

/** Checks a model in full: structure, schemas, types and shapes. */
export function checkModel(graph: Graph, options: InferOptions = {}): ModelCheck {
  const operators = options.operators ?? standard
  const problems = [...problemsOf(graph)]
  visit(graph, graph, operators, problems)
  if (problems.length === 0) {
    try {
      infer(graph, {
        ...options,
        onNode: (node, context, { schema }) => {
          problems.push(...dtypeProblems(node, schema, context.inputs))
        },
      })
    } catch (error) {
      if (!(error instanceof EspalierError)) throw error
      const { node, tensor } = error.where
      problems.push({ message: error.message, ...(node && { node }), ...(tensor && { tensor }) })
    }
  }
  return { problems, missing: missingOps(graph, operators) }
}

function visit(graph: Graph, outermost: Graph, operators: Operators, problems: Problem[]): void {
  for (const node of graph.nodes) {
    const op = operators.find(node.domain, node.op)
    const opset = opsetOf(outermost, node.domain)
    const version = op && opset !== undefined ? schemaVersion(op, opset) : undefined
    if (op !== undefined && version !== undefined)
      problems.push(...schemaProblems(node, op.versions[version]!))
    for (const body of bodiesOf(node)) visit(body, outermost, operators, problems)
  }
}

/** Where a node breaks its schema, as far as that shows without types. */
export function schemaProblems(node: Node, schema: Schema): Problem[] {
  const problems: Problem[] = []
  const say = (message: string): void => {
    problems.push({ message, node: describeNode(node) })
  }
  for (const [side, names, list] of [
    ['input', node.inputs, schema.inputs],
    ['output', node.outputs, schema.outputs],
  ] as const) {
    const { min, max } = arity(list)
    const given = names.findLastIndex(name => name !== '') + 1
    const range =
      min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`
    if (names.length > max || (side === 'input' && given < min))
      say(`has ${names.length} ${side}${names.length === 1 ? '' : 's'}, the operator takes ${range}`)
    else if (side === 'input')
      for (const [index, text] of list.slice(0, min).entries()) {
        const { name, optional } = parseParameter(text)
        if (!optional && names[index] === '') say(`lacks input "${name}"`)
      }
  }
  const declared = schema.attributes ?? {}
  for (const [name, { type }] of node.attributes) {
    const wanted = Object.hasOwn(declared, name) ? declared[name] : undefined
    if (wanted === undefined) say(`has an attribute "${name}" that the operator does not know`)
    else if (wanted.type !== type)
      say(`attribute "${name}" is a ${type}, the operator takes a ${wanted.type}`)
  }
  for (const [name, { required, choices }] of Object.entries(declared)) {
    const attribute = node.attributes.get(name)
    if (attribute === undefined) {
      if (required) say(`lacks the attribute "${name}"`)
    } else if (choices && attribute.type === 'string' && !choices.includes(String(attribute.value)))
      say(`attribute "${name}" is "${attribute.value}", the operator knows ${choices.join(', ')}`)
  }
  return problems
}

/** Where the types of a node's inputs are not those of its schema. */
export function dtypeProblems(
  node: Node,
  { inputs, types = {} }: Schema,
  actual: readonly (ValueType | undefined)[],
): Problem[] {
  const problems: Problem[] = []
  const bound = new Map<string, { readonly type: string; readonly input: string }>()
  for (const [index, type] of actual.entries()) {
    const text = inputs[Math.min(index, inputs.length - 1)]
    if (type === undefined || text === undefined) continue
    const parameter = parseParameter(text)
    const found = typeName(type)
    if (found === undefined) continue
    const allowed = (
      Object.hasOwn(types, parameter.type) ? types[parameter.type] : [parameter.type]
    ) as readonly string[]
    if (!allowed.includes(found))
      problems.push({
        message: `input "${parameter.name}" is ${found}, the operator takes ${allowed.join(', ')}`,
        node: describeNode(node),
      })
    if (!Object.hasOwn(types, parameter.type) || (parameter.variadic && !parameter.homogeneous)) continue
    const first = bound.get(parameter.type)
    if (first === undefined) bound.set(parameter.type, { type: found, input: parameter.name })
    else if (first.type !== found)
      problems.push({
        message: `inputs "${first.input}" and "${parameter.name}" must have one type, but are ${first.type} and ${found}`,
        node: describeNode(node),
      })
  }
  return problems
}

/** A type as schemas write it: `float32`, `seq(float32)`. */
function typeName(type: ValueType): string | undefined {
  if (type.kind === 'tensor') return type.dtype
  if (type.kind !== 'sequence' && type.kind !== 'optional') return undefined
  const inner = type.element && typeName(type.element)
  return inner && `${type.kind === 'sequence' ? 'seq' : 'optional'}(${inner})`
}
