/**
 * Weights as small integers: symmetric, so that zero is the integer zero and a pruned weight stays exactly that, with a
 * scale for every output, or for every group of inputs of it. Scale = largest absolute value / 127 (or 7), integers to
 * nearest, ties to even.
 */
import { type WeightPlace, weightPlaces } from '../../analysis/weight-views.ts'
import { EspalierError } from '../../errors.ts'
import { removeUnused } from '../../graph/extract.ts'
import { type Attribute, type Graph, type Initializer, type Node, operatorName } from '../../graph/graph.ts'
import { freshNames } from '../../graph/names.ts'
import { makeNode } from '../../graph/rewrite.ts'
import { denseOf } from '../../graph/sparse.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { roundHalfEven } from '../../tensor/minifloat.ts'
import { formatShape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'

export interface QuantizedWeight {
  readonly integers: Tensor<'int8'> | Tensor<'int4'>
  /** [outputs], or the shape of the weight with the grouped axis counting groups. */
  readonly scales: Tensor<'float32'>
}

export interface Grid {
  readonly bits: 8 | 4
  /** Axis of the outputs: each place on it has scales of its own. */
  readonly axis: number
  /** Elements of another axis, side by side, that share a scale; all of the output when left out. */
  readonly group?: { readonly axis: number; readonly size: number }
}

/**
 * A weight as integers and scales. Throws `bad-argument` for axes that it does not have and groups of less than one,
 * `not-a-number` where it holds NaN or an infinity.
 */
export function quantizeWeight(source: Tensor, { bits, axis, group }: Grid): QuantizedWeight {
  const { shape } = source
  const axes = group === undefined ? [axis] : [axis, group.axis]
  const hasAxes = axes.every(own => Number.isInteger(own) && own >= 0 && own < shape.length)
  if (
    !hasAxes ||
    group?.axis === axis ||
    !(group === undefined || (Number.isInteger(group.size) && group.size >= 1))
  )
    throw new EspalierError(
      'bad-argument',
      `a weight of ${formatShape(shape)} has no scales along these axes`,
      {
        got: `axis ${axis}${group === undefined ? '' : `, groups of ${group.size} along ${group.axis}`}`,
      },
    )
  const values = numbers(source)
  const most = 2 ** (bits - 1) - 1
  const scaleShape = shape.map((extent, own) => {
    if (group === undefined) return own === axis ? extent : 1
    return own === group.axis ? Math.ceil(extent / group.size) : extent
  })
  const scaleOf = scaleLookup(shape, scaleShape, axis, group)
  const scales = new Float32Array(sizeOf(scaleShape))
  const owners = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = Math.abs(values[i]!)
    if (!Number.isFinite(value))
      throw new EspalierError('not-a-number', 'a weight that is not finite cannot be quantised', {
        got: `${values[i]}`,
      })
    owners[i] = scaleOf(i)
    scales[owners[i]!] = Math.max(scales[owners[i]!]!, value)
  }
  // A scale of zero would make NaN of 0 / 0 in other readers.
  for (let i = 0; i < scales.length; i++) scales[i] = scales[i] === 0 ? 1 : scales[i]! / most
  const integers = new Int8Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const quotient = roundHalfEven(values[i]! / scales[owners[i]!]!)
    integers[i] = Math.min(Math.max(quotient, -most), most)
  }
  return {
    integers: bits === 8 ? tensor('int8', shape, integers) : fromNumbers('int4', shape, integers),
    scales: tensor('float32', group === undefined ? [scales.length] : scaleShape, scales),
  }
}

/** A function from elements to the number of their scale. */
function scaleLookup(
  shape: readonly number[],
  scaleShape: readonly number[],
  axis: number,
  group: Grid['group'],
): (element: number) => number {
  const strides = stridesOf(shape)
  const [step, extent] = [strides[axis]!, shape[axis]!]
  if (group === undefined) return element => Math.floor(element / step) % extent
  const scaleStrides = stridesOf(scaleShape)
  return element => {
    let at = 0
    for (let own = 0; own < shape.length; own++) {
      const place = Math.floor(element / strides[own]!) % shape[own]!
      at += (own === group.axis ? Math.floor(place / group.size) : place) * scaleStrides[own]!
    }
    return at
  }
}

/** What became of a weight. */
export interface WeightQuantization {
  /** The weight that it was, and the one that it is. */
  readonly name: string
  readonly integers: string
  readonly shape: readonly number[]
  readonly bits: 8 | 4
  /** Number of scales. */
  readonly scales: number
}

export interface Quantization {
  readonly graph: Graph
  readonly layers: readonly WeightQuantization[]
  /** Weights that stay as they are, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

export interface WeightOnlyOptions {
  /** 8 when left out. */
  readonly bits?: 8 | 4
  /** Inputs that share a scale, in weights with two axes; all inputs of an output when left out. */
  readonly group?: number
  /** Fewest elements of a weight that is quantised; 1024 when left out. */
  readonly smallest?: number
}

/**
 * Weights of products and convolutions as integers behind a DequantizeLinear: smaller in files and in memory, computed
 * with in floats. Throws `unsupported` for operator sets without the form: 13 at least, 21 for 4 bits and for groups.
 */
export function quantizeWeights(graph: Graph, options: WeightOnlyOptions = {}): Quantization {
  const { bits = 8, group, smallest = 1024 } = options
  needOpset(graph, bits === 4 || group !== undefined ? 21 : 13)
  const { found, skipped } = floatWeights(graph, smallest)
  const fresh = freshNames(graph)
  const initializers = new Map<string, Initializer>(graph.initializers)
  const layers: WeightQuantization[] = []
  const nodes: Node[] = []
  for (const { place, values, axis } of found) {
    const { name } = place
    const grouped =
      group !== undefined && values.shape.length === 2 ? { axis: 1 - axis, size: group } : undefined
    const { integers, scales } = quantizeWeight(values, { bits, axis, ...(grouped && { group: grouped }) })
    initializers.delete(name)
    const [own, scale] = [fresh(`${name}_quantized`), fresh(`${name}_scale`)]
    initializers.set(own, integers)
    initializers.set(scale, scales)
    const attributes: Record<string, Attribute> = {
      axis: { type: 'int', value: grouped?.axis ?? axis },
      ...(grouped && { block_size: { type: 'int', value: grouped.size } }),
    }
    nodes.push(makeNode('DequantizeLinear', [own, scale], [name], attributes, fresh(`${name}_dequantize`)))
    layers.push({ name, integers: own, shape: values.shape, bits, scales: sizeOf(scales.shape) })
  }
  return { graph: { ...graph, nodes: [...nodes, ...graph.nodes], initializers }, layers, skipped }
}

/** A weight that can be quantised. */
export interface FloatWeight {
  readonly place: WeightPlace
  readonly values: Tensor
  /** Axis of the outputs. */
  readonly axis: number
}

/** The float32 weights with one axis of outputs, each once, and why others are left out. */
export function floatWeights(
  graph: Graph,
  smallest: number,
): { readonly found: readonly FloatWeight[]; readonly skipped: Quantization['skipped'] } {
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  const found: FloatWeight[] = []
  const skipped: { name: string; reason: string }[] = []
  const seen = new Set<string>()
  for (const place of weightPlaces(graph)) {
    const { name, view } = place
    if (seen.has(name)) continue
    seen.add(name)
    const constant = graph.initializers.get(name)!
    const { dtype, shape } = constant
    const reason =
      (dtype !== 'float32' && `elements are ${dtype}`) ||
      (inputs.has(name) && 'a caller may override it') ||
      (view.order.length - view.columnAxes !== 1 && 'its outputs are not numbered by one axis') ||
      (sizeOf(shape) < smallest && `fewer than ${smallest} elements`)
    if (reason) skipped.push({ name, reason })
    else found.push({ place, values: denseOf(constant), axis: view.order[0]! })
  }
  return { found, skipped }
}

/** Throws `unsupported` when a graph has an older operator set. */
export function needOpset(graph: Graph, least: number): void {
  const own = graph.opsets.get('') ?? 0
  if (own >= least) return
  throw new EspalierError('unsupported', 'the operator set of the model is too old for this form', {
    expected: `opset ${least} or newer`,
    got: `${own}`,
    hint: 'Export the model with a newer operator set',
  })
}

/** A graph after nodes were replaced, without what is no longer used. */
export function tidied(
  graph: Graph,
  nodes: readonly Node[],
  initializers: ReadonlyMap<string, Initializer>,
): Graph {
  return removeUnused({ ...graph, nodes, initializers })
}

/** Whether a node is of ONNX's own set and one of `ops`. */
export function isOneOf(node: Node, ...ops: readonly string[]): boolean {
  return ops.includes(operatorName(node))
}
