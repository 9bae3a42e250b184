// Static quantisation of convolutional networks as onnxruntime's `quantize_static` writes it in its QDQ format: uint8
// activations with scales from the least and largest value seen on calibration data, int8 weights with a scale for each
// output channel, int32 biases. For the benchmark only: the library's own quantiser is another matter.
//
// Batch norm is folded into the convolution before it. Relu and Clip after a quantised operator disappear: the range of
// uint8 does what they did. Every activation gets one QuantizeLinear and one DequantizeLinear, which all its readers
// share.
import { makeNode } from 'espalier/graph'
import { readOnnx } from 'espalier/onnx'
import { float32, tensor } from 'espalier/tensor'
import { foldBatchNorm } from './batch-norm.mjs'
import { measureRanges } from './ranges.mjs'
import { perChannel } from './weights.mjs'

/** Operators that run on integers, with activations in the first `n` inputs. */
const QUANTIZED = new Map([
  ['Conv', 1],
  ['Gemm', 1],
  ['Add', 2],
  ['AveragePool', 1],
  ['GlobalAveragePool', 1],
])
/** Operators that only move values or choose among them: the output has the scale of the input. */
const DIRECT = new Set(['MaxPool', 'Flatten', 'Slice', 'Pad'])
const ACTIVATIONS = new Set(['Relu', 'Clip'])

/** The quantised form of the model in `file`, calibrated on `feeds`. */
export async function quantizeStatic(file, { feeds }) {
  const original = foldBatchNorm(await readOnnx(file))
  const graph = dropActivations(original)
  const made = graph.nodes.flatMap(({ op, outputs }) => (QUANTIZED.has(op) ? outputs : []))
  const ranges = await measureRanges(original, [...graph.inputs.map(({ name }) => name), ...made], feeds)
  return insertPairs(graph, ranges)
}

/** Without Relu and Clip that alone read the output of a quantised operator, which takes over their name. */
function dropActivations(graph) {
  const readers = new Map()
  for (const { inputs } of graph.nodes)
    for (const name of inputs) readers.set(name, (readers.get(name) ?? 0) + 1)
  const producers = new Map(graph.nodes.map(node => [node.outputs[0], node]))
  const renamed = new Map()
  const dropped = new Set()
  for (const node of graph.nodes) {
    const [x] = node.inputs
    if (!ACTIVATIONS.has(node.op) || !QUANTIZED.has(producers.get(x)?.op) || readers.get(x) !== 1) continue
    renamed.set(x, node.outputs[0])
    dropped.add(node)
  }
  const nodes = graph.nodes
    .filter(node => !dropped.has(node))
    .map(node => ({ ...node, outputs: node.outputs.map(name => renamed.get(name) ?? name) }))
  return { ...graph, nodes, values: new Map() }
}

/** Quantises weights and biases and puts a pair on every activation that a quantised operator reads or makes. */
function insertPairs(graph, ranges) {
  const initializers = new Map(graph.initializers)
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const nodes = []
  /** Names of scale and zero point of an activation. */
  const parameters = new Map()
  /** Activations that have their pair. */
  const paired = new Set()

  const declare = name => {
    const { scale, zeroPoint } = affine(ranges.get(name))
    initializers.set(`${name}_scale`, float32([scale], []))
    initializers.set(`${name}_zero_point`, tensor('uint8', [], Uint8Array.of(zeroPoint)))
    parameters.set(name, [`${name}_scale`, `${name}_zero_point`])
  }
  const addPair = name => {
    if (!parameters.has(name)) declare(name)
    const given = parameters.get(name)
    const isOutput = outputs.has(name)
    nodes.push(
      makeNode('QuantizeLinear', [isOutput ? `${name}_float` : name, ...given], [`${name}_quantized`]),
    )
    nodes.push(
      makeNode(
        'DequantizeLinear',
        [`${name}_quantized`, ...given],
        [isOutput ? name : `${name}_dequantized`],
      ),
    )
    paired.add(name)
  }
  const readActivation = name => {
    if (!paired.has(name)) addPair(name)
    return `${name}_dequantized`
  }
  const dequantized = (name, values, scales, zero) => {
    initializers.set(`${name}_quantized`, values)
    initializers.set(`${name}_scale`, float32([...scales]))
    initializers.set(`${name}_zero_point`, zero)
    const inputs = ['quantized', 'scale', 'zero_point'].map(part => `${name}_${part}`)
    nodes.push(
      makeNode('DequantizeLinear', inputs, [`${name}_dequantized`], { axis: { type: 'int', value: 0 } }),
    )
    return `${name}_dequantized`
  }
  /** Weight with its output channels on axis 0, and bias, of a convolution or a Gemm with `transB`. */
  const readConstants = ([x, weight, bias]) => {
    const { values, scales } = perChannel(initializers.get(weight), 0)
    const zero = tensor('int8', [scales.length], new Int8Array(scales.length))
    const names = [dequantized(weight, values, scales, zero)]
    if (bias === undefined) return names
    const inputScale = initializers.get(parameters.get(x)[0]).data[0]
    const biasScales = scales.map(scale => scale * inputScale)
    const sums = Int32Array.from(initializers.get(bias).data, (value, index) =>
      Math.round(value / biasScales[index]),
    )
    const zeros = tensor('int32', [sums.length], new Int32Array(sums.length))
    return [...names, dequantized(bias, tensor('int32', [sums.length], sums), biasScales, zeros)]
  }

  for (const node of graph.nodes) {
    const count = DIRECT.has(node.op) ? 1 : QUANTIZED.get(node.op)
    if (count === undefined) {
      nodes.push(node)
      continue
    }
    const [y] = node.outputs
    const activations = node.inputs.slice(0, count).map(readActivation)
    const isProduct = node.op === 'Conv' || node.op === 'Gemm'
    const rest = isProduct ? readConstants(node.inputs) : node.inputs.slice(count)
    nodes.push({
      ...node,
      inputs: [...activations, ...rest],
      outputs: [outputs.has(y) ? `${y}_float` : y],
    })
    if (DIRECT.has(node.op)) parameters.set(y, parameters.get(node.inputs[0]))
    addPair(y)
  }
  const read = new Set(nodes.flatMap(({ inputs }) => inputs))
  return {
    ...graph,
    nodes,
    initializers: new Map([...initializers].filter(([name]) => read.has(name))),
    values: new Map(),
  }
}

/** Scale and zero point of uint8 for a range, which is widened to hold zero. */
function affine({ least, largest }) {
  const low = Math.min(0, least)
  const scale = Math.fround((Math.max(0, largest) - low) / 255) || 1
  return { scale, zeroPoint: Math.round(-low / scale) }
}
