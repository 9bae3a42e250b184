/**
 * The layers of a model that have constant weights, each as a node of its own that can be timed alone: the operator on
 * floats, the shapes of what it reads, its weight, and whether it is computed on floats or on 8-bit integers. Quantised
 * operators stand as the float ones that they are; `soloGraph` quantises them again.
 */
import { infer } from '../../analysis/infer.ts'
import { storedBytes } from '../../analysis/sparsity.ts'
import { viewOf } from '../../analysis/weight-views.ts'
import { weightFinder } from '../../analysis/weights.ts'
import { compressedOf } from '../../formats/espalier/compressed.ts'
import type { MatrixView } from '../../formats/espalier/matrix.ts'
import {
  type Graph,
  type Initializer,
  isSparse,
  type Node,
  nodeName,
  normalizeDomain,
  operatorName,
  type ValueType,
} from '../../graph/graph.ts'
import { denseOf } from '../../graph/sparse.ts'
import { usesOf } from '../../graph/uses.ts'
import { operators } from '../../ops/index.ts'
import type { ConcreteType } from '../../ops/lower.ts'
import type { WeightUse } from '../../ops/op.ts'
import { numbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import type { SkippedWeight } from '../magnitude.ts'

/**
 * What a layer is computed on: floats; 8-bit integers in and out; or floats that each run quantises anew in front of the
 * product, and integers within it.
 */
export type LayerForm = 'float32' | 'int8-static' | 'int8-dynamic'

export const layerForms: readonly LayerForm[] = ['float32', 'int8-static', 'int8-dynamic']

export interface Layer {
  /** Name and operator of the node in the model. */
  readonly node: string
  readonly op: string
  /** Name of the weight in the model, and bytes that it is stored in. */
  readonly weight: string
  readonly bytes: number
  /** Multiply-accumulates of one run; `undefined` where the operator does not say. */
  readonly macs: number | undefined
  readonly form: LayerForm
  /** The node on floats: its operator and attributes. */
  readonly solo: Node
  /** What it reads: types of values, constants. `undefined` for an input that is left out. */
  readonly inputs: readonly (ConcreteType | Tensor | undefined)[]
  /** Which of the inputs is the weight; its values are there as the node sees them, up to scales. */
  readonly at: number
  readonly values: Tensor
  readonly view: MatrixView
  readonly opset: number
}

export interface FoundLayers {
  readonly layers: readonly Layer[]
  /** Weights of layers that cannot be timed alone, and why. */
  readonly skipped: readonly SkippedWeight[]
}

/** How a quantised operator reads, as the float one that it is: its inputs for the activations and the weight. */
const floatForms: Readonly<Record<string, { op: string; inputs: readonly number[]; form: LayerForm }>> = {
  MatMulInteger: { op: 'MatMul', inputs: [0, 1], form: 'int8-dynamic' },
  QLinearMatMul: { op: 'MatMul', inputs: [0, 3], form: 'int8-static' },
  ConvInteger: { op: 'Conv', inputs: [0, 1], form: 'int8-static' },
  QLinearConv: { op: 'Conv', inputs: [0, 3], form: 'int8-static' },
}

/** Layers in the order of the nodes, for inputs of these types. Bodies of control flow are left out. */
export function findLayers(graph: Graph, inputs: ReadonlyMap<string, ValueType>): FoundLayers {
  const findWeight = weightFinder(graph, operators)
  const { producer } = usesOf(graph)
  const outermost = new Set(graph.nodes)
  const uses = new Map<Node, { readonly use: WeightUse; readonly macs: number | undefined }>()
  const { types } = infer(graph, {
    inputs,
    onError: () => {},
    onNode(node, context, { op }) {
      const [use] = op.weights?.(context) ?? []
      const macs = op.macs?.(context)
      if (use !== undefined && outermost.has(node))
        uses.set(node, { use, macs: typeof macs === 'number' ? macs : undefined })
    },
  })
  const opset = graph.opsets.get('') ?? 1
  const layers: Layer[] = []
  const skipped: SkippedWeight[] = []
  for (const node of graph.nodes) {
    const found = uses.get(node)
    const weight = found && findWeight(node, found.use)
    if (found === undefined || weight === undefined) continue
    const { use, macs } = found
    const quantised = floatForms[operatorName(node)]
    const read = quantised?.inputs ?? node.inputs.map((_, index) => index)
    const at = read.indexOf(use.input)
    const operands = read.map((input, index) =>
      index === at
        ? weight.values
        : operandOf(graph, types, node.inputs[input] ?? '', quantised !== undefined),
    )
    const reason = refuse(node, operands, at)
    if (reason !== undefined) {
      skipped.push({ name: weight.name, reason })
      continue
    }
    layers.push({
      node: nodeName(node),
      op: operatorName(node),
      weight: weight.name,
      bytes: bytesOf(weight.stored),
      macs,
      form: quantised?.form ?? formOf(node, weight.stored, producer),
      solo: { ...node, name: 'layer', op: quantised?.op ?? node.op },
      inputs: operands as Layer['inputs'],
      at,
      values: weight.values,
      view: viewOf(use),
      opset,
    })
  }
  return { layers, skipped }
}

/** Why a layer cannot be timed alone, if so. */
function refuse(
  { domain }: Node,
  operands: readonly (ConcreteType | Tensor | undefined | null)[],
  at: number,
): string | undefined {
  if (normalizeDomain(domain) !== '') return "its operator is not one of ONNX's"
  if (operands.includes(null)) return 'the shapes of its inputs depend on data'
  const other = operands.find((operand, index) => index !== at && operand)
  return other?.dtype === 'float32' ? undefined : `it is computed in ${other?.dtype}`
}

/** A constant, or the type of a value; 8-bit integers as the floats they stand for. `null` where a shape is not known. */
function operandOf(
  graph: Graph,
  types: ReadonlyMap<string, ValueType>,
  name: string,
  asFloat: boolean,
): ConcreteType | Tensor | undefined | null {
  if (name === '') return undefined
  const constant = graph.initializers.get(name)
  if (constant !== undefined) return denseOf(constant)
  const type = types.get(name)
  const shape = type?.kind === 'tensor' ? type.shape : undefined
  if (type?.kind !== 'tensor' || !shape?.every(extent => typeof extent === 'number')) return null
  return { dtype: asFloat ? 'float32' : type.dtype, shape: shape as number[] }
}

/** On integers where both what is multiplied and the weight come dequantised, as engines recognise it. */
function formOf(node: Node, stored: Initializer, producer: ReadonlyMap<string, Node>): LayerForm {
  const dequantised = producer.get(node.inputs[0] ?? '')?.op === 'DequantizeLinear'
  return dequantised && (stored.dtype === 'int8' || stored.dtype === 'uint8') ? 'int8-static' : 'float32'
}

function bytesOf(stored: Initializer): number {
  if (isSparse(stored)) return storedBytes(stored.values) + storedBytes(stored.indices)
  return compressedOf(stored)?.bytes ?? storedBytes(stored)
}

/** A text that is the same for layers that take equally long with dense weights. */
export function layerKey({ op, form, solo, inputs, at, values }: Layer): string {
  const attributes = [...solo.attributes].map(([name, { type, value }]) => [
    name,
    type,
    typeof value === 'object' ? Array.from(value as ArrayLike<unknown>, String) : String(value),
  ])
  const shapes = inputs.map((input, index) => (index === at ? values.shape : input?.shape))
  return JSON.stringify([op, form, attributes, shapes])
}

/** Elements of the weight. */
export function weightSize({ values }: Layer): number {
  return sizeOf(values.shape)
}

/** Values of a weight as floats; integers keep their size, since what counts is which are zero. */
export function asFloat32(values: Tensor): Tensor<'float32'> {
  return values.dtype === 'float32'
    ? values
    : tensor('float32', values.shape, Float32Array.from(numbers(values)))
}
