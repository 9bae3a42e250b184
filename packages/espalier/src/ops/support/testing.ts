/** Running one operator in a test: a node is made for it, and the executor's own contexts are used. */
import type { Attribute, Dim, Node, ValueType } from '../../graph/graph.ts'
import { tensorType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../../tensor/tensor.ts'
import { evaluateContext, inferContext, type Knowledge, type Surroundings } from '../context.ts'
import type { InferContext, Op } from '../op.ts'
import { type Resolved, schemaVersion } from '../registry.ts'

export interface OpCall {
  /** Operator-set version; the newest schema when left out. */
  readonly opset?: number
  /** Number of outputs; 1 when left out. */
  readonly outputs?: number
  /** Stands in for the inference of body graphs; they give nothing when left out. */
  readonly inferGraph?: Knowledge['inferGraph']
  /** Stands in for running body graphs; without it that is an error. */
  readonly runGraph?: Surroundings['runGraph']
  /** Bound on loops; none when left out. */
  readonly maxIterations?: number
}

/** Plain values become attributes of the type the schema declares; full attributes are taken as they are. */
export type PlainAttributes = Readonly<
  Record<string, Attribute | number | string | readonly number[] | readonly string[]>
>

function prepare(
  op: Op,
  inputs: readonly unknown[],
  attributes: PlainAttributes,
  { opset = 1000, outputs = 1 }: OpCall,
): { readonly node: Node; readonly resolved: Resolved } {
  const version = schemaVersion(op, opset)
  if (version === undefined) throw new Error(`${op.name} does not exist in opset ${opset}`)
  const schema = op.versions[version]!
  const node: Node = {
    name: 'test',
    op: op.name,
    domain: op.domain ?? '',
    inputs: inputs.map((input, index) => (input === undefined ? '' : `input${index}`)),
    outputs: Array.from({ length: outputs }, (_, index) => `output${index}`),
    attributes: new Map(
      Object.entries(attributes).map(([name, value]) => {
        if (typeof value === 'object' && 'type' in value) return [name, value]
        const type = schema.attributes?.[name]?.type
        if (type === undefined) throw new Error(`${op.name} has no attribute "${name}" in version ${version}`)
        return [name, { type, value } as Attribute]
      }),
    ),
  }
  return { node, resolved: { op, version, schema } }
}

/** The outputs of one operator. */
export function evaluateOp(
  op: Op,
  inputs: readonly (RuntimeValue | undefined)[],
  attributes: PlainAttributes = {},
  call: OpCall = {},
): readonly RuntimeValue[] {
  const { node, resolved } = prepare(op, inputs, attributes, call)
  return op.evaluate(
    evaluateContext(node, resolved, inputs, {
      runGraph:
        call.runGraph ??
        (() => {
          throw new Error('no bodies in an operator test; run a graph instead')
        }),
      ...(call.maxIterations !== undefined && { maxIterations: call.maxIterations }),
      random: (seed = 0) => {
        let state = seed + 1
        return () => (state = (state * 16807) % 2147483647) / 2147483647
      },
    }),
  )
}

/** The first output of one operator, which must be a tensor, as numbers. */
export function evaluateNumbers(
  op: Op,
  inputs: readonly (RuntimeValue | undefined)[],
  attributes: PlainAttributes = {},
  call: OpCall = {},
): number[] {
  const [first] = evaluateOp(op, inputs, attributes, call)
  if (!isTensor(first)) throw new Error('the first output is not a tensor')
  return Array.from(numbers(first))
}

/** Types of the outputs, from types and constants of the inputs. A tensor stands for a constant of its own type. */
export function inferOp(
  op: Op,
  inputs: readonly (ValueType | Tensor | undefined)[],
  attributes: PlainAttributes = {},
  call: OpCall = {},
): readonly (ValueType | undefined)[] {
  return op.infer(inferContextOf(op, inputs, attributes, call))
}

/** The context in which types, contents, costs and weights of one operator are inferred; as for {@link inferOp}. */
export function inferContextOf(
  op: Op,
  inputs: readonly (ValueType | Tensor | undefined)[],
  attributes: PlainAttributes = {},
  call: OpCall = {},
  contents: readonly (readonly Dim[] | undefined)[] = [],
): InferContext {
  const { node, resolved } = prepare(op, inputs, attributes, call)
  const constants = inputs.map(input => (input !== undefined && 'data' in input ? input : undefined))
  return inferContext(node, resolved, {
    types: inputs.map((input, index) => {
      const constant = constants[index]
      return constant ? tensorType(constant.dtype as DType, constant.shape) : (input as ValueType | undefined)
    }),
    constant: index => constants[index],
    content: index => contents[index],
    inferGraph: call.inferGraph ?? (() => []),
  })
}
