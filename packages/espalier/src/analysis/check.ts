/**
 * What operators ask of their nodes: that they exist, the number of inputs and outputs, attributes with the right
 * types, data types that the schema allows. Together with graph/validate.ts this is the whole of "is this model valid".
 */
import { EspalierError } from '../errors.ts'
import { type Attribute, bodiesOf, describeNode, type Graph, type Node } from '../graph/graph.ts'
import { type Problem, problemsOf } from '../graph/validate.ts'
import { operators as standard } from '../ops/index.ts'
import { type MissingOp, missingOps } from '../ops/missing.ts'
import type { Operators } from '../ops/op.ts'
import { lookUp } from '../ops/registry.ts'
import { arityProblem, type Schema } from '../ops/schema.ts'
import { dtypeProblems } from '../ops/typecheck.ts'
import { type InferOptions, infer } from './infer.ts'

export interface ModelCheck {
  /** Broken rules: the model cannot run. */
  readonly problems: readonly Problem[]
  /** Operators that are not implemented. */
  readonly missing: readonly MissingOp[]
}

/**
 * Checks a model in full: structure and schemas, and where these are in order, types and shapes. A branch of an `If` that
 * cannot run is no problem as long as the other can. Throws `bad-argument` for options that name what is not there.
 */
export function checkModel(graph: Graph, options: InferOptions = {}): ModelCheck {
  const operators = options.operators ?? standard
  const problems = problemsOf(graph)
  visit(graph, graph, operators, problems)
  if (problems.length === 0) problems.push(...typeProblems(graph, options))
  return { problems, missing: missingOps(graph, operators) }
}

function visit(graph: Graph, outermost: Graph, operators: Operators, problems: Problem[]): void {
  for (const node of graph.nodes) {
    const found = lookUp(operators, outermost, node)
    if (typeof found !== 'string') problems.push(...schemaProblems(node, found.schema))
    for (const body of bodiesOf(node)) visit(body, outermost, operators, problems)
  }
}

/** What inference finds: wrong data types, and where these are right, what operators have against shapes and values. */
function typeProblems(graph: Graph, options: InferOptions): Problem[] {
  const found: Problem[] = []
  const seen = new Set<Node>() // nodes of bodies are met several times
  const onError = (error: EspalierError): void => {
    const { node } = error.where
    if (node === undefined || !found.some(problem => problem.node === node)) found.push(problemOf(error))
    options.onError?.(error)
  }
  try {
    infer(graph, {
      ...options,
      onError,
      onNode(node, context, resolved) {
        if (!seen.has(node)) found.push(...dtypeProblems(node, resolved.schema, context.inputs))
        seen.add(node)
        options.onNode?.(node, context, resolved)
      },
    })
  } catch (error) {
    // Of no node: an output that is stated to be what it is not.
    if (!(error instanceof EspalierError) || error.code === 'bad-argument') throw error
    onError(error)
  }
  return found
}

/** An error as a problem: its place apart from its message. */
function problemOf({ code, summary, expected, got, hint, where }: EspalierError): Problem {
  const { message } = new EspalierError(code, summary, {
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    ...(hint !== undefined && { hint }),
  })
  const { node, tensor } = where
  return { message, ...(node !== undefined && { node }), ...(tensor !== undefined && { tensor }) }
}

/** Where a node breaks its schema, as far as that shows without types. */
export function schemaProblems(node: Node, schema: Schema): Problem[] {
  const messages = [
    arityProblem('input', node.inputs, schema.inputs),
    arityProblem('output', node.outputs, schema.outputs),
    ...attributeProblems(node, schema),
  ]
  return messages.flatMap(message => (message === undefined ? [] : [{ message, node: describeNode(node) }]))
}

function* attributeProblems({ attributes }: Node, schema: Schema): Generator<string> {
  const declared = schema.attributes ?? {}
  for (const [name, attribute] of attributes) {
    if (!Object.hasOwn(declared, name)) {
      yield `has an attribute "${name}" that the operator does not know`
      continue
    }
    const { type, choices } = declared[name]!
    const strange = choices && textsOf(attribute).find(text => !choices.includes(text))
    if (attribute.type !== type)
      yield `attribute "${name}" is of type ${attribute.type}, the operator takes ${type}`
    else if (strange !== undefined)
      yield `attribute "${name}" is "${strange}", the operator knows ${choices!.join(', ')}`
  }
  for (const [name, { required }] of Object.entries(declared))
    if (required && !attributes.has(name)) yield `lacks the attribute "${name}"`
}

function textsOf(attribute: Attribute): readonly string[] {
  if (attribute.type === 'string') return [String(attribute.value)]
  return attribute.type === 'strings' ? attribute.value.map(String) : []
}
