// Dynamic quantisation as onnxruntime's `quantize_dynamic` writes it: weights of matrix products and embedding tables
// are int8 in the file, activations are quantised as the model runs. For the benchmark only: the library's own
// quantiser is another matter.
//
// A product becomes DynamicQuantizeLinear (one for each activation, however many products read it), MatMulInteger,
// Cast, and two Mul: of the scales, and with them. A Gemm is first taken apart into MatMul and Add. A lookup becomes
// Gather on the int8 table and DequantizeLinear.
import { makeNode } from 'espalier/graph'
import { readOnnx } from 'espalier/onnx'
import { float32, tensor } from 'espalier/tensor'
import { perChannel, perTensor, transposed } from './weights.mjs'

/** The quantised form of the model in `file`. With `perColumn`, a scale for each column of a weight, not one for all. */
export async function quantizeDynamic(file, { perColumn = false } = {}) {
  const graph = separateGemm(await readOnnx(file))
  const initializers = new Map(graph.initializers)
  const activations = new Map()
  const weights = new Map()
  const isWeight = name =>
    initializers.get(name)?.dtype === 'float32' && initializers.get(name).shape.length === 2

  const quantizedWeight = (name, columns) => {
    if (!weights.has(name)) {
      const { values, scales } = columns
        ? perChannel(initializers.get(name), 1)
        : perTensor(initializers.get(name))
      const shape = columns ? [scales.length] : []
      initializers.set(`${name}_quantized`, values)
      initializers.set(`${name}_scale`, float32([...scales], shape))
      initializers.set(`${name}_zero_point`, tensor('int8', shape, new Int8Array(scales.length)))
      weights.set(name, [`${name}_quantized`, `${name}_scale`, `${name}_zero_point`])
    }
    return weights.get(name)
  }

  const product = ({ inputs: [x, w], outputs: [y] }) => {
    const nodes = []
    if (!activations.has(x)) {
      const parts = [`${x}_quantized`, `${x}_scale`, `${x}_zero_point`]
      nodes.push(makeNode('DynamicQuantizeLinear', [x], parts))
      activations.set(x, parts)
    }
    const [xValues, xScale, xZero] = activations.get(x)
    const [wValues, wScale, wZero] = quantizedWeight(w, perColumn)
    const [sums, floats, scale] = [`${y}_output_quantized`, `${y}_output_cast`, `${y}_scales_mul`]
    return [
      ...nodes,
      makeNode('MatMulInteger', [xValues, wValues, xZero, wZero], [sums]),
      makeNode('Cast', [sums], [floats], { to: { type: 'int', value: 1 } }),
      makeNode('Mul', [xScale, wScale], [scale]),
      makeNode('Mul', [floats, scale], [y]),
    ]
  }

  const lookup = node => {
    const [table, indices] = node.inputs
    const [values, scale, zero] = quantizedWeight(table, false)
    const [y] = node.outputs
    return [
      { ...node, inputs: [values, indices], outputs: [`${y}_quantized`] },
      makeNode('DequantizeLinear', [`${y}_quantized`, scale, zero], [y]),
    ]
  }

  const nodes = graph.nodes.flatMap(node => {
    if (node.op === 'MatMul' && isWeight(node.inputs[1])) return product(node)
    if (node.op === 'Gather' && isWeight(node.inputs[0])) return lookup(node)
    return [node]
  })
  return withoutUnread({ ...graph, nodes, initializers })
}

/** Every Gemm with a constant weight as MatMul and Add; its factors must be one, as they are in exported models. */
function separateGemm(graph) {
  const initializers = new Map(graph.initializers)
  const nodes = graph.nodes.flatMap(node => {
    const weight = initializers.get(node.inputs[1])
    if (node.op !== 'Gemm' || weight === undefined) return [node]
    const [x, name, bias] = node.inputs
    let matrix = name
    if (node.attributes.get('transB')?.value === 1) {
      matrix = `${name}_transposed`
      initializers.set(matrix, transposed(weight))
    }
    const [y] = node.outputs
    if (bias === undefined) return [makeNode('MatMul', [x, matrix], [y])]
    return [makeNode('MatMul', [x, matrix], [`${y}_product`]), makeNode('Add', [`${y}_product`, bias], [y])]
  })
  return { ...graph, nodes, initializers }
}

/** The graph without initialisers that nothing reads any more. */
function withoutUnread(graph) {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs))
  const initializers = new Map([...graph.initializers].filter(([name]) => read.has(name)))
  return { ...graph, initializers, values: new Map() }
}
