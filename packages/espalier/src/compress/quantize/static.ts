/**
 * Static quantisation: QuantizeLinear and DequantizeLinear around products, convolutions and sums ("QDQ"), with ranges
 * taken from runs on data. Engines that know the form compute on 8-bit integers in between; for all others the graph says
 * what that gives. Activations are uint8 with a zero point, weights int8 with a scale for each output.
 */
import type { Graph, Initializer, Node } from '../../graph/graph.ts'
import { freshNames } from '../../graph/names.ts'
import { makeNode } from '../../graph/rewrite.ts'
import { usesOf } from '../../graph/uses.ts'
import type { Feeds } from '../../runtime/executor.ts'
import type { SessionOptions } from '../../runtime/session.ts'
import { fromNumbers, full, numbers } from '../../tensor/elements.ts'
import { roundHalfEven } from '../../tensor/minifloat.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { tensor } from '../../tensor/tensor.ts'
import { calibrate, type Range } from './calibrate.ts'
import {
  type FloatWeight,
  floatWeights,
  isOneOf,
  needOpset,
  type Quantization,
  quantizeWeight,
  tidied,
} from './weights.ts'

export interface StaticOptions extends Omit<SessionOptions, 'outputs'> {
  /** Fewest elements of a weight that is quantised; 1024 when left out. */
  readonly smallest?: number
}

/** Activations that are computed on the sums of a product, so that its result is quantised behind them. */
const activations = ['Relu', 'Clip', 'LeakyRelu', 'Sigmoid', 'Tanh', 'HardSigmoid', 'HardSwish']
/** Operators whose result has the very elements of their input: one scale serves both. */
const movements = ['MaxPool', 'Reshape', 'Transpose', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity']

/**
 * The graph with its Conv, MatMul and Gemm nodes of constant weights, and the sums of their results, between
 * quantised values. `data` are the inputs of the runs. Throws `unsupported` below opset 13, and as {@link calibrate} does.
 */
export async function quantizeStatic(
  graph: Graph,
  data: Iterable<Feeds>,
  { smallest = 1024, ...options }: StaticOptions = {},
): Promise<Quantization> {
  needOpset(graph, 13)
  const { found, skipped } = floatWeights(graph, smallest)
  const plan = planFor(graph, new Map(found.map(weight => [weight.place.name, weight])))
  const ranges = await calibrate(graph, [...plan.values], data, options)
  const used = new Set([...plan.products.values()].map(({ place }) => place.name))
  const left = found
    .filter(({ place }) => !used.has(place.name))
    .map(({ place }) => ({ name: place.name, reason: `${place.node.op} has no quantised form here` }))
  const { quantized, layers } = insert(graph, plan, ranges)
  return { graph: quantized, layers, skipped: [...skipped, ...left] }
}

interface Plan {
  /** Products, with their weights. */
  readonly products: ReadonlyMap<Node, FloatWeight>
  /** The values that are quantised. */
  readonly values: ReadonlySet<string>
  /** Values that have the range of another one, which comes before them. */
  readonly sameAs: ReadonlyMap<string, string>
}

function planFor(graph: Graph, weights: ReadonlyMap<string, FloatWeight>): Plan {
  const { consumers } = usesOf(graph)
  const results = new Set(graph.outputs.map(({ name }) => name))
  /** The value behind the activation that alone reads `name`, or `name`. */
  const end = (name: string): string => {
    const readers = consumers.get(name) ?? []
    const [only] = readers
    const alone = only !== undefined && readers.length === 1 && !results.has(name)
    return alone && isOneOf(only, ...activations) ? only.outputs[0]! : name
  }
  const products = new Map<Node, FloatWeight>()
  const values = new Set<string>()
  /** Whether a quantised value is added to another one that is computed, as residual connections do. */
  const isSum = (a: string, b: string): boolean =>
    (values.has(a) || values.has(b)) && ![a, b].some(name => graph.initializers.has(name) || name === '')
  for (const node of graph.nodes) {
    const [x = '', second = ''] = node.inputs
    const weight = weights.get(second)
    const [y = ''] = node.outputs
    if (weight !== undefined && !graph.initializers.has(x) && isOneOf(node, 'Conv', 'MatMul', 'Gemm')) {
      products.set(node, weight)
      values.add(x)
      values.add(end(y))
    } else if (isOneOf(node, 'Add') && isSum(x, second)) {
      for (const name of [x, second]) values.add(name)
      values.add(end(y))
    }
  }
  const sameAs = new Map<string, string>()
  for (const node of graph.nodes) {
    const [x = ''] = node.inputs
    const [y = ''] = node.outputs
    if (isOneOf(node, ...movements) && values.has(x) && values.has(y)) sameAs.set(y, x)
  }
  return { products, values, sameAs }
}

/** Scale and zero point of a value, uint8. */
interface Parameters {
  readonly scale: number
  readonly zero: number
}

function insert(
  graph: Graph,
  { products, values, sameAs }: Plan,
  ranges: ReadonlyMap<string, Range>,
): { readonly quantized: Graph; readonly layers: Quantization['layers'] } {
  const fresh = freshNames(graph)
  const initializers = new Map<string, Initializer>(graph.initializers)
  const layers = new Map<string, Quantization['layers'][number]>()
  const fed = new Set(graph.inputs.map(({ name }) => name))
  const known = new Map<string, Parameters>()
  const parametersOf = (name: string): Parameters => {
    const source = sameAs.get(name)
    const found = known.get(name) ?? (source === undefined ? affine(ranges.get(name)) : parametersOf(source))
    known.set(name, found)
    return found
  }
  const constant = (stem: string, value: Initializer): string => {
    const name = fresh(stem)
    initializers.set(name, value)
    return name
  }
  /** Nodes that quantise `from` and dequantise it as `to`. */
  const roundTrip = (name: string, from: string, to: string): Node[] => {
    const { scale, zero } = parametersOf(name)
    const own = [
      constant(`${name}_scale`, full('float32', [], scale)),
      constant(`${name}_zero_point`, full('uint8', [], zero)),
    ]
    const integers = fresh(`${name}_quantized`)
    return [
      makeNode('QuantizeLinear', [from, ...own], [integers], {}, fresh(`${name}_quantize`)),
      makeNode('DequantizeLinear', [integers, ...own], [to], {}, fresh(`${name}_dequantize`)),
    ]
  }
  const nodes: Node[] = []
  /** Inputs of the graph by what stands for them behind their quantisation. */
  const renamed = new Map<string, string>()
  for (const name of values)
    if (fed.has(name)) {
      const to = fresh(`${name}_dequantized`)
      nodes.push(...roundTrip(name, name, to))
      renamed.set(name, to)
    }
  const dequantizedWeights = new Map<string, { readonly name: string; readonly scales: Float32Array }>()
  const weightFor = ({
    place,
    values: weight,
    axis,
  }: FloatWeight): { name: string; scales: Float32Array } => {
    const key = `${place.name} ${axis}`
    let own = dequantizedWeights.get(key)
    if (own === undefined) {
      const { integers, scales } = quantizeWeight(weight, { bits: 8, axis })
      const name = fresh(`${place.name}_dequantized`)
      const stored = [
        constant(`${place.name}_quantized`, integers),
        constant(`${place.name}_scale`, scales),
      ] as const
      nodes.push(
        makeNode(
          'DequantizeLinear',
          stored,
          [name],
          { axis: { type: 'int', value: axis } },
          fresh(`${place.name}_dequantize`),
        ),
      )
      own = { name, scales: scales.data }
      dequantizedWeights.set(key, own)
      layers.set(place.name, {
        name: place.name,
        integers: stored[0],
        shape: weight.shape,
        bits: 8,
        scales: scales.data.length,
      })
    }
    return own
  }
  /** A constant bias as integers in units of the sums, as engines add it to them. */
  const biasFor = (bias: string, x: string, scales: Float32Array): string => {
    const source = initializers.get(bias)
    if (source === undefined || 'indices' in source || source.dtype !== 'float32' || fed.has(bias))
      return bias
    if (source.shape.length !== 1 || sizeOf(source.shape) !== scales.length) return bias
    const units = scales.map(scale => scale * parametersOf(x).scale)
    const integers = numbers(source).map((value, i) => roundHalfEven(value / units[i]!))
    if (integers.some(value => !(Math.abs(value) < 2 ** 31))) return bias
    const name = fresh(`${bias}_dequantized`)
    const own = [
      constant(`${bias}_quantized`, fromNumbers('int32', source.shape, integers)),
      constant(`${bias}_scale`, tensor('float32', [units.length], units)),
    ]
    nodes.push(
      makeNode(
        'DequantizeLinear',
        own,
        [name],
        { axis: { type: 'int', value: 0 } },
        fresh(`${bias}_dequantize`),
      ),
    )
    return name
  }
  for (const node of graph.nodes) {
    const weight = products.get(node)
    const inputs = node.inputs.map(name => renamed.get(name) ?? name)
    if (weight !== undefined) {
      const { name, scales } = weightFor(weight)
      inputs[1] = name
      const bias = node.inputs[2] ?? ''
      if (bias !== '') inputs[2] = biasFor(bias, node.inputs[0]!, scales)
    }
    // A quantised value keeps its name behind the round trip, so that every reader sees what was quantised.
    const outputs = node.outputs.map(name => (values.has(name) ? fresh(`${name}_float`) : name))
    nodes.push({ ...node, inputs, outputs })
    for (const [i, name] of node.outputs.entries())
      if (values.has(name)) nodes.push(...roundTrip(name, outputs[i]!, name))
  }
  return { quantized: tidied(graph, nodes, initializers), layers: [...layers.values()] }
}

/** uint8 over a range that is widened to hold zero, which is then exact. */
function affine(range: Range | undefined): Parameters {
  const min = Math.min(0, range?.min ?? 0)
  const max = Math.max(0, range?.max ?? 0)
  const scale = Math.fround((max - min) / 255)
  if (!(scale > 0)) return { scale: 1, zero: 0 }
  return { scale, zero: Math.min(255, Math.max(0, roundHalfEven(-min / scale))) }
}
