/**
 * What is in a model: operators, values, parameters, bytes, multiply-accumulates, and for every weight its
 * sparsity. These are facts of the file, without a run; milliseconds come from measuring.
 */
import { compressedOf } from '../formats/espalier/compressed.ts'
import { addDims, maxDims } from '../graph/dim.ts'
import {
  bodiesOf,
  type Dim,
  type Graph,
  type Initializer,
  isSparse,
  type Node,
  nodeName,
  type Origin,
  operatorName,
  type Value,
  type ValueType,
} from '../graph/graph.ts'
import { operators as standard } from '../ops/index.ts'
import { type MissingOp, missingOps } from '../ops/missing.ts'
import type { WeightUse } from '../ops/op.ts'
import { lookUp } from '../ops/registry.ts'
import { byteLength, type DType } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { type InferOptions, infer } from './infer.ts'
import { type Sparsity, sparsityOf, storedBytes } from './sparsity.ts'
import { type DTypeStatistics, dtypeStatistics } from './tensors.ts'
import { constantOf, type FoundWeight, weightFinder } from './weights.ts'

export interface OperatorStatistics {
  /** `Conv`, or `domain.Op` outside ONNX's own set. */
  readonly op: string
  readonly nodes: number
  /** Multiply-accumulates of one run; `null` when a shape is unknown, or the operator is. */
  readonly macs: Dim
}

export interface WeightStatistics {
  /** Name of the constant. */
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Bytes as stored: fewer than its shape asks for when the file holds it as a sparse tensor or compressed. */
  readonly bytes: number
  readonly sparsity: Sparsity
}

/** Zeros among the weights of all layers, each weight counted once, with the bytes that they take. */
export interface TotalSparsity {
  readonly elements: number
  readonly zeros: number
  /** Zeros among all elements, 0 to 1. */
  readonly fraction: number
  /** Bytes as stored. */
  readonly bytes: number
  /** Bytes that the same weights take when every element is stored. */
  readonly denseBytes: number
}

/** A node that has weights. */
export interface LayerStatistics {
  readonly node: string
  readonly op: string
  /** Type of the first output; not known in bodies. */
  readonly output?: ValueType
  readonly macs: Dim
  readonly weights: readonly WeightStatistics[]
}

export interface ModelStatistics {
  readonly name: string
  readonly origin: Origin
  readonly opsets: ReadonlyMap<string, number>
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Those in bodies counted, like everything else below. */
  readonly nodes: number
  /** Values that flow between nodes, inputs and outputs counted, constants not. */
  readonly values: number
  readonly operators: readonly OperatorStatistics[]
  readonly layers: readonly LayerStatistics[]
  /** Elements of all constants: initialisers, and what `Constant` nodes hold. */
  readonly parameters: number
  /** Bytes of all constants as stored. */
  readonly bytes: number
  /** All constants by data type, most bytes first. */
  readonly dtypes: readonly DTypeStatistics[]
  /** Multiply-accumulates of one run; symbolic where the shapes are, `null` when one is unknown. */
  readonly macs: Dim
  readonly sparsity: TotalSparsity
  /** Operators that cannot run here. */
  readonly missing: readonly MissingOp[]
}

/**
 * Facts about a model. `options.symbols` gives values to symbolic dimensions, as `batch` to 1. What stands in bodies of
 * `If`, `Loop` and `Scan` counts: nodes and constants as in the file, multiply-accumulates as for one iteration of a loop
 * and the dearest branch of a condition. Throws as {@link infer} does.
 */
export function statistics(graph: Graph, options: InferOptions = {}): ModelStatistics {
  const operators = options.operators ?? standard
  const findWeight = weightFinder(graph, operators)
  const macs = new Map<Node, Dim>()
  const weights = new Map<Node, readonly LayerWeight[]>()
  const { types } = infer(graph, {
    ...options,
    onNode: (node, context, resolved) => {
      const { op } = resolved
      macs.set(node, null) // should the operator refuse its inputs
      macs.set(node, op.macs === undefined ? 0 : op.macs(context))
      if (!weights.has(node))
        weights.set(
          node,
          (op.weights?.(context) ?? []).flatMap(use => {
            const found = findWeight(node, use)
            return found === undefined ? [] : [layerWeight(found, use)]
          }),
        )
      options.onNode?.(node, context, resolved)
    },
  })
  const typed = (value: Value): Value => {
    const type = types.get(value.name)
    return type === undefined ? value : { ...value, type }
  }
  const macsOf = (node: Node): Dim => {
    const known = macs.get(node)
    if (known !== undefined) return known
    return typeof lookUp(operators, graph, node) === 'string' ? null : 0 // 0: of a branch that is never taken
  }
  const graphs = [...withBodies(graph)]
  const nodes = graphs.flatMap(part => part.nodes)
  const outermost = new Set(graph.nodes)
  const layers = nodes.flatMap((node): LayerStatistics[] => {
    const found = weights.get(node) ?? []
    if (found.length === 0) return []
    const output = outermost.has(node) ? types.get(node.outputs[0] ?? '') : undefined
    return [
      {
        node: nodeName(node),
        op: operatorName(node),
        ...(output && { output }),
        macs: macsOf(node),
        weights: found.map(({ statistics }) => statistics),
      },
    ]
  })
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name))
  const constants = [...new Set(graphs.flatMap(constantsIn))]
  return {
    name: graph.name,
    origin: graph.origin ?? {},
    opsets: graph.opsets,
    inputs: inputs.map(typed),
    outputs: graph.outputs.map(typed),
    nodes: nodes.length,
    values: inputs.length + sum(nodes, node => node.outputs.filter(name => name !== '').length),
    operators: operatorStatistics(nodes, macsOf),
    layers,
    parameters: sum(constants, value => sizeOf(value.shape)),
    bytes: sum(constants, initializerBytes),
    dtypes: dtypeStatistics(
      constants.map(constant => ({
        dtype: constant.dtype,
        elements: sizeOf(constant.shape),
        bytes: initializerBytes(constant),
      })),
    ),
    macs: totalMacs(graph, macsOf),
    sparsity: totalSparsity([...weights.values()].flat()),
    missing: missingOps(graph, operators),
  }
}

/** A graph and all bodies in it. */
function* withBodies(graph: Graph): Generator<Graph> {
  yield graph
  for (const node of graph.nodes) for (const body of bodiesOf(node)) yield* withBodies(body)
}

function constantsIn({ initializers, nodes }: Graph): Initializer[] {
  return [...initializers.values(), ...nodes.flatMap(node => constantOf(node) ?? [])]
}

/** Bodies of loops count once; of the branches of a condition, the dearest does. */
function totalMacs(graph: Graph, macsOf: (node: Node) => Dim): Dim {
  const total = (node: Node): Dim => {
    const bodies = bodiesOf(node).map(body => totalMacs(body, macsOf))
    return addDims(macsOf(node), bodies.reduce(node.op === 'If' ? maxDims : addDims, 0))
  }
  return graph.nodes.map(total).reduce(addDims, 0)
}

/** A weight of a layer, with the constant that it is. */
interface LayerWeight {
  readonly stored: Initializer
  readonly statistics: WeightStatistics
}

function layerWeight({ name, stored, values }: FoundWeight, use: WeightUse): LayerWeight {
  const { dtype, shape } = stored
  const statistics = {
    name,
    dtype,
    shape,
    bytes: initializerBytes(stored),
    sparsity: sparsityOf(values, use),
  }
  return { stored, statistics }
}

function operatorStatistics(nodes: readonly Node[], macsOf: (node: Node) => Dim): OperatorStatistics[] {
  const byName = new Map<string, OperatorStatistics>()
  for (const node of nodes) {
    const op = operatorName(node)
    const sum = byName.get(op) ?? { nodes: 0, macs: 0 }
    byName.set(op, { op, nodes: sum.nodes + 1, macs: addDims(sum.macs, macsOf(node)) })
  }
  return [...byName.values()].sort((a, b) => b.nodes - a.nodes || (a.op < b.op ? -1 : 1))
}

/** Zeros over all weights, each counted once however many nodes share it. */
function totalSparsity(weights: readonly LayerWeight[]): TotalSparsity {
  const distinct = [...new Map(weights.map(({ stored, statistics }) => [stored, statistics])).values()]
  const elements = sum(distinct, ({ sparsity }) => sparsity.elements)
  const zeros = sum(distinct, ({ sparsity }) => sparsity.zeros)
  return {
    elements,
    zeros,
    fraction: elements === 0 ? 0 : zeros / elements,
    bytes: sum(distinct, ({ bytes }) => bytes),
    denseBytes: sum(distinct, ({ dtype, shape }) => byteLength(dtype, sizeOf(shape))),
  }
}

function initializerBytes(value: Initializer): number {
  if (isSparse(value)) return storedBytes(value.values) + storedBytes(value.indices)
  return compressedOf(value)?.bytes ?? storedBytes(value)
}

function sum<T>(items: readonly T[], f: (item: T) => number): number {
  return items.reduce((total, item) => total + f(item), 0)
}
