/**
 * Dynamic quantisation: products with constant weights on 8-bit integers, their inputs quantised anew in each run. The
 * form is the one that onnxruntime's `quantize_dynamic` writes (DynamicQuantizeLinear, MatMulInteger, a scale), which
 * engines know and compute in one step. No data is needed. Convolutions stay in floats: see static.ts.
 */
import { numberOfDtype } from '../../formats/onnx/tensor-proto.ts'
import type { Graph, Initializer, Node } from '../../graph/graph.ts'
import { freshNames } from '../../graph/names.ts'
import { makeNode } from '../../graph/rewrite.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import { floatWeights, isOneOf, needOpset, type Quantization, quantizeWeight, tidied } from './weights.ts'

export interface DynamicOptions {
  /** Fewest elements of a weight that is quantised; 1024 when left out. */
  readonly smallest?: number
}

/**
 * The graph with its MatMul and Gemm nodes of constant weights [in, out] on integers: int8 weights with a scale for each
 * output, uint8 inputs. Throws `unsupported` below opset 11.
 */
export function quantizeDynamic(graph: Graph, { smallest = 1024 }: DynamicOptions = {}): Quantization {
  needOpset(graph, 11)
  const { found, skipped } = floatWeights(graph, smallest)
  const weights = new Map(found.map(({ place, values }) => [place.name, values]))
  const fresh = freshNames(graph)
  const initializers = new Map<string, Initializer>(graph.initializers)
  /** Quantised inputs, and quantised weights [in, out] with their scales, by what they are made of. */
  const inputs = new Map<string, readonly [value: string, scale: string, zero: string]>()
  const made = new Map<string, readonly [integers: string, scale: string]>()
  const layers = new Map<string, Quantization['layers'][number]>()
  const used = new Set<string>()
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const weight = weights.get(node.inputs[1] ?? '')
    const form = weight && productForm(node)
    if (weight === undefined || form === undefined) return [node]
    const [x, w, bias = ''] = node.inputs as [string, string, string?]
    const added: Node[] = []
    used.add(w)
    let own = made.get(`${w} ${form.transposed}`)
    if (own === undefined) {
      const matrix = form.transposed ? turned(weight) : weight
      const { integers, scales } = quantizeWeight(matrix, { bits: 8, axis: 1 })
      own = [fresh(`${w}_quantized`), fresh(`${w}_scale`)]
      initializers.set(own[0], integers)
      initializers.set(own[1], scales)
      made.set(`${w} ${form.transposed}`, own)
      layers.set(w, { name: w, integers: own[0], shape: weight.shape, bits: 8, scales: scales.data.length })
    }
    let quantized = inputs.get(x)
    if (quantized === undefined) {
      quantized = [fresh(`${x}_quantized`), fresh(`${x}_scale`), fresh(`${x}_zero_point`)]
      added.push(makeNode('DynamicQuantizeLinear', [x], quantized, {}, fresh(`${x}_quantize`)))
      inputs.set(x, quantized)
    }
    const [y] = node.outputs as [string]
    const [sums, floats, scale] = [fresh(`${y}_sums`), fresh(`${y}_floats`), fresh(`${y}_scale`)]
    const product = bias === '' ? y : fresh(`${y}_product`)
    added.push(
      { ...makeNode('MatMulInteger', [quantized[0], own[0], quantized[2]], [sums]), name: node.name },
      makeNode(
        'Cast',
        [sums],
        [floats],
        { to: { type: 'int', value: numberOfDtype('float32') } },
        fresh(`${y}_cast`),
      ),
      makeNode('Mul', [quantized[1], own[1]], [scale], {}, fresh(`${y}_scales`)),
      makeNode('Mul', [floats, scale], [product], {}, fresh(`${y}_scaled`)),
    )
    if (bias !== '') added.push(makeNode('Add', [product, bias], [y], {}, fresh(`${y}_bias`)))
    return added
  })
  const left = found
    .filter(({ place }) => !used.has(place.name))
    .map(({ place }) => ({
      name: place.name,
      reason: `${place.node.op} has no dynamic form, and the static one needs data`,
    }))
  return {
    graph: tidied(graph, nodes, initializers),
    layers: [...layers.values()],
    skipped: [...skipped, ...left],
  }
}

/** How a node multiplies by its second input, where that can be done on integers. */
function productForm(node: Node): { readonly transposed: boolean } | undefined {
  if (isOneOf(node, 'MatMul')) return { transposed: false }
  if (!isOneOf(node, 'Gemm')) return undefined
  const number = (name: string, byDefault: number): number => {
    const attribute = node.attributes.get(name)
    return attribute?.type === 'int' || attribute?.type === 'float' ? Number(attribute.value) : byDefault
  }
  const plain = number('transA', 0) === 0 && number('alpha', 1) === 1 && number('beta', 1) === 1
  return plain ? { transposed: number('transB', 0) !== 0 } : undefined
}

/** A matrix with its axes exchanged. */
export function turned(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.shape as [number, number]
  const values = numbers(matrix)
  const result = new Float64Array(values.length)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!
  return matrix.dtype === 'float32'
    ? tensor('float32', [columns, rows], Float32Array.from(result))
    : fromNumbers(matrix.dtype, [columns, rows], result)
}
