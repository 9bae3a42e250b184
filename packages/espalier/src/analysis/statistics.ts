/**
 * What is in a model: operators, values, parameters, bytes, multiply-accumulates, and for every weight its
 * sparsity. These are facts of the file, without a run; milliseconds come from measuring.
 */
import { addDims } from '../graph/dim.ts'
import {
  type Dim,
  type Graph,
  type Initializer,
  isSparse,
  type Node,
  type Origin,
  type Value,
  type ValueType,
} from '../graph/graph.ts'
import { denseOf } from '../graph/sparse.ts'
import { usesOf } from '../graph/uses.ts'
import { operators as standard } from '../ops/index.ts'
import { interpret } from '../ops/interpret.ts'
import { type MissingOp, missingOps } from '../ops/missing.ts'
import type { Operators, WeightUse } from '../ops/op.ts'
import type { DType } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { isTensor, type Tensor } from '../tensor/tensor.ts'
import { type InferOptions, infer } from './infer.ts'
import { type Sparsity, sparsityOf, storedBytes } from './sparsity.ts'

export interface OperatorStatistics {
  /** `Conv`, or `domain.Op` outside ONNX's own set. */
  readonly op: string
  readonly nodes: number
  /** Multiply-accumulates of one run; `null` when a shape is unknown. */
  readonly macs: Dim
}

export interface WeightStatistics {
  /** Name of the initialiser. */
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly bytes: number
  readonly sparsity: Sparsity
}

/** A node that has weights. */
export interface LayerStatistics {
  readonly node: string
  readonly op: string
  /** Type of the first output. */
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
  readonly nodes: number
  /** Values that flow between nodes, inputs and outputs counted, constants not. */
  readonly values: number
  readonly operators: readonly OperatorStatistics[]
  readonly layers: readonly LayerStatistics[]
  /** Elements of all initialisers. */
  readonly parameters: number
  /** Bytes of all initialisers as stored. */
  readonly bytes: number
  /** Multiply-accumulates of one run; symbolic where the shapes are, `null` when one is unknown. */
  readonly macs: Dim
  /** Zeros among the elements of all layer weights. */
  readonly sparsity: { readonly elements: number; readonly zeros: number; readonly fraction: number }
  /** Operators that cannot run here. */
  readonly missing: readonly MissingOp[]
}

/** Facts about a model. `options.symbols` gives values to symbolic dimensions, as `batch` to 1. */
export function statistics(graph: Graph, options: InferOptions = {}): ModelStatistics {
  const operators = options.operators ?? standard
  const findWeight = weightFinder(graph, operators)
  const macs = new Map<Node, Dim>()
  const weights = new Map<Node, readonly WeightStatistics[]>()
  const { types } = infer(graph, {
    ...options,
    onNode: (node, context, { op }) => {
      macs.set(node, op.macs?.(context) ?? 0)
      const found = (op.weights?.(context) ?? []).flatMap(use => {
        const weight = findWeight(node.inputs[use.input] ?? '')
        return weight === undefined ? [] : [weightStatistics(weight, use)]
      })
      if (found.length > 0) weights.set(node, found)
    },
  })
  const typed = (value: Value): Value => {
    const type = types.get(value.name)
    return type === undefined ? value : { ...value, type }
  }
  const layers = graph.nodes.flatMap((node): LayerStatistics[] => {
    const found = weights.get(node)
    if (found === undefined) return []
    const output = types.get(node.outputs[0] ?? '')
    return [
      {
        node: nodeName(node),
        op: opName(node),
        ...(output && { output }),
        macs: macs.get(node)!,
        weights: found,
      },
    ]
  })
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name))
  const constants = [...graph.initializers.values()]
  return {
    name: graph.name,
    origin: graph.origin ?? {},
    opsets: graph.opsets,
    inputs: inputs.map(typed),
    outputs: graph.outputs.map(typed),
    nodes: graph.nodes.length,
    values: inputs.length + sum(graph.nodes, node => node.outputs.filter(name => name !== '').length),
    operators: operatorStatistics(graph, macs),
    layers,
    parameters: sum(constants, value => sizeOf(value.shape)),
    bytes: sum(constants, initializerBytes),
    macs: graph.nodes.reduce<Dim>((total, node) => addDims(total, macs.get(node) ?? 0), 0),
    sparsity: totalSparsity(layers),
    missing: missingOps(graph, operators),
  }
}

function operatorStatistics(graph: Graph, macs: ReadonlyMap<Node, Dim>): OperatorStatistics[] {
  const byName = new Map<string, OperatorStatistics>()
  for (const node of graph.nodes) {
    const op = opName(node)
    const { nodes, macs: before } = byName.get(op) ?? { nodes: 0, macs: 0 }
    byName.set(op, { op, nodes: nodes + 1, macs: addDims(before, macs.get(node) ?? 0) })
  }
  return [...byName.values()].sort((a, b) => b.nodes - a.nodes || (a.op < b.op ? -1 : 1))
}

/** Zeros over all weights, each counted once however many nodes share it. */
function totalSparsity(layers: readonly LayerStatistics[]): ModelStatistics['sparsity'] {
  const distinct = new Map(
    layers.flatMap(layer => layer.weights.map(weight => [weight.name, weight.sparsity])),
  )
  const elements = sum([...distinct.values()], ({ elements }) => elements)
  const zeros = sum([...distinct.values()], ({ zeros }) => zeros)
  return { elements, zeros, fraction: elements === 0 ? 0 : zeros / elements }
}

interface FoundWeight {
  readonly name: string
  /** The initialiser as stored. */
  readonly stored: Tensor
  /** What the node sees: the initialiser after transposition or dequantisation. */
  readonly values: Tensor
}

function weightStatistics({ name, stored, values }: FoundWeight, use: WeightUse): WeightStatistics {
  const { dtype, shape } = stored
  return { name, dtype, shape, bytes: storedBytes(stored), sparsity: sparsityOf(values, use) }
}

/** Operators through which a weight is still the same weight. */
const transparent = new Set([
  'Cast',
  'DequantizeLinear',
  'Flatten',
  'Identity',
  'Reshape',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
])

/** Finds the initialiser behind a value, looking through operators that only re-shape or dequantise it. */
function weightFinder(graph: Graph, operators: Operators): (name: string) => FoundWeight | undefined {
  const { producer } = usesOf(graph)
  return function find(name: string): FoundWeight | undefined {
    const initializer = graph.initializers.get(name)
    if (initializer !== undefined) {
      const stored = denseOf(initializer)
      return { name, stored, values: stored }
    }
    const node = producer.get(name)
    const source = node && transparent.has(node.op) && node.domain === '' ? find(node.inputs[0]!) : undefined
    if (node === undefined || source === undefined) return undefined
    const parameters = node.inputs.slice(1).filter(input => input !== '')
    if (parameters.some(input => !graph.initializers.has(input))) return undefined
    const feeds = new Map(parameters.map(input => [input, denseOf(graph.initializers.get(input)!)]))
    feeds.set(node.inputs[0]!, source.values)
    const piece: Graph = { ...graph, inputs: [], nodes: [node], initializers: new Map() }
    const values = interpret(piece, feeds, { operators, outputs: [name] }).get(name)
    return isTensor(values) ? { ...source, values } : undefined
  }
}

function initializerBytes(value: Initializer): number {
  return isSparse(value) ? storedBytes(value.values) + storedBytes(value.indices) : storedBytes(value)
}

function nodeName(node: Node): string {
  return node.name !== '' ? node.name : (node.outputs.find(name => name !== '') ?? '')
}

function opName(node: Node): string {
  return node.domain === '' ? node.op : `${node.domain}.${node.op}`
}

function sum<T>(items: readonly T[], f: (item: T) => number): number {
  return items.reduce((total, item) => total + f(item), 0)
}
