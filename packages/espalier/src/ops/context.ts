/** The contexts that operators see, built from a node, its schema and its inputs. */
import { EspalierError } from '../errors.ts'
import type { Dim, Graph, Node, TensorType, ValueType } from '../graph/graph.ts'
import { isInteger } from '../tensor/dtype.ts'
import { numbers } from '../tensor/elements.ts'
import { sizeOf } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../tensor/tensor.ts'
import { readAttributes } from './attributes.ts'
import type { Attributes, EvaluateContext, InferContext } from './op.ts'
import type { Resolved } from './registry.ts'
import { parameterName } from './schema.ts'

/** What an evaluation needs from its surroundings. */
export interface Surroundings {
  runGraph(graph: Graph, inputs: readonly RuntimeValue[]): readonly RuntimeValue[]
  random(seed?: number): () => number
  /** Iterations after which a `Loop` that has not ended is an error; without it, a loop may run for ever. */
  readonly maxIterations?: number
}

interface NodePart {
  readonly node: Node
  readonly version: number
  readonly attributes: Attributes
  readonly outputCount: number
  hasInput(index: number): boolean
  hasOutput(index: number): boolean
}

function nodePart(node: Node, { version, schema }: Resolved): NodePart {
  let attributes: Attributes | undefined
  return {
    node,
    version,
    // Read when they are asked for: many operators have none.
    get attributes() {
      attributes ??= readAttributes(node, schema)
      return attributes
    },
    outputCount: node.outputs.length,
    hasInput: index => (node.inputs[index] ?? '') !== '',
    hasOutput: index => (node.outputs[index] ?? '') !== '',
  }
}

/** The context for `evaluate`. */
export function evaluateContext(
  node: Node,
  resolved: Resolved,
  inputs: readonly (RuntimeValue | undefined)[],
  surroundings: Surroundings,
): EvaluateContext {
  const optionalTensor = (index: number): Tensor | undefined => {
    const value = inputs[index]
    if (value === undefined || isTensor(value)) return value
    throw wrongKind(resolved, index, 'a tensor', value)
  }
  return Object.assign(nodePart(node, resolved), surroundings, {
    inputs,
    optionalTensor,
    tensor(index: number): Tensor {
      const value = optionalTensor(index)
      if (value === undefined) throw missing(resolved, index)
      return value
    },
    sequence(index: number): readonly RuntimeValue[] {
      const value = inputs[index]
      if (value === undefined) throw missing(resolved, index)
      if (value === null || isTensor(value)) throw wrongKind(resolved, index, 'a sequence', value)
      return value
    },
  })
}

function missing({ schema }: Resolved, index: number): EspalierError {
  return new EspalierError('missing-input', `input ${parameterName(schema.inputs, index)} is missing`)
}

function wrongKind({ schema }: Resolved, index: number, wanted: string, value: RuntimeValue): EspalierError {
  const got = value === null ? 'an empty optional' : isTensor(value) ? 'a tensor' : 'a sequence'
  return new EspalierError('bad-dtype', `input ${parameterName(schema.inputs, index)} is not ${wanted}`, {
    got,
  })
}

/** What is known of the values around a node when types are inferred. */
export interface Knowledge {
  /** Types of the inputs. */
  readonly types: readonly (ValueType | undefined)[]
  constant(index: number): Tensor | undefined
  content(index: number): readonly Dim[] | undefined
  inferGraph(graph: Graph, inputs: readonly (ValueType | undefined)[]): readonly (ValueType | undefined)[]
}

/** Most elements of a constant whose contents are looked at as dimensions: shapes and axes are short. */
const LONGEST_CONTENT = 4096

/** The context for `infer`, `contents`, `macs` and `weights`. */
export function inferContext(node: Node, resolved: Resolved, known: Knowledge): InferContext {
  const tensorTypeOf = (index: number): TensorType | undefined => {
    const type = known.types[index]
    return type?.kind === 'tensor' ? type : undefined
  }
  const { version, schema } = resolved
  let attributes: Attributes | undefined
  // Written out, not put together from parts: this is made for every node, often for the first time in the process.
  return {
    node,
    version,
    get attributes() {
      attributes ??= readAttributes(node, schema)
      return attributes
    },
    outputCount: node.outputs.length,
    hasInput: (index: number) => (node.inputs[index] ?? '') !== '',
    hasOutput: (index: number) => (node.outputs[index] ?? '') !== '',
    inputs: known.types,
    tensor: tensorTypeOf,
    dtype: (index: number) => tensorTypeOf(index)?.dtype,
    shape: (index: number) => tensorTypeOf(index)?.shape,
    constant: known.constant,
    content(index: number): readonly Dim[] | undefined {
      const constant = known.constant(index)
      if (constant === undefined) return known.content(index)
      const small = constant.shape.length <= 1 && sizeOf(constant.shape) <= LONGEST_CONTENT
      return small && isInteger(constant.dtype) ? Array.from(numbers(constant)) : undefined
    },
    inferGraph: known.inferGraph,
  }
}
