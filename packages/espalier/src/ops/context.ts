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
  return {
    node,
    version,
    attributes: readAttributes(node, schema),
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
    throw new EspalierError(
      'bad-dtype',
      `input ${parameterName(resolved.schema.inputs, index)} is not a tensor`,
      {
        got: value === null ? 'an empty optional' : 'a sequence',
      },
    )
  }
  const missing = (index: number): EspalierError =>
    new EspalierError('missing-input', `input ${parameterName(resolved.schema.inputs, index)} is missing`)
  return {
    ...nodePart(node, resolved),
    ...surroundings,
    inputs,
    optionalTensor,
    tensor(index) {
      const value = optionalTensor(index)
      if (value === undefined) throw missing(index)
      return value
    },
    sequence(index) {
      const value = inputs[index]
      if (value === undefined) throw missing(index)
      if (value !== null && !isTensor(value)) return value
      throw new EspalierError(
        'bad-dtype',
        `input ${parameterName(resolved.schema.inputs, index)} is not a sequence`,
        {
          got: value === null ? 'an empty optional' : 'a tensor',
        },
      )
    },
  }
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
  return {
    ...nodePart(node, resolved),
    inputs: known.types,
    tensor: tensorTypeOf,
    dtype: index => tensorTypeOf(index)?.dtype,
    shape: index => tensorTypeOf(index)?.shape,
    constant: known.constant,
    content(index) {
      const constant = known.constant(index)
      if (constant === undefined) return known.content(index)
      const small = constant.shape.length <= 1 && sizeOf(constant.shape) <= LONGEST_CONTENT
      return small && isInteger(constant.dtype) ? Array.from(numbers(constant)) : undefined
    },
    inferGraph: known.inferGraph,
  }
}
