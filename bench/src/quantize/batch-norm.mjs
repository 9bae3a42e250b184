// Batch norm folded into the convolution before it, as quantisers do first.
import { float32 } from 'espalier/tensor'

/** The graph with every Conv without bias and the BatchNormalization after it as one Conv with bias. */
export function foldBatchNorm(graph) {
  const initializers = new Map(graph.initializers)
  const norms = new Map(
    graph.nodes.filter(({ op }) => op === 'BatchNormalization').map(node => [node.inputs[0], node]),
  )
  const folded = new Set()
  const nodes = graph.nodes.map(node => {
    const norm = norms.get(node.outputs[0])
    if (node.op !== 'Conv' || node.inputs.length !== 2 || norm === undefined) return node
    folded.add(norm)
    const [x, weight] = node.inputs
    const [, ...names] = norm.inputs
    const [scale, bias, mean, variance] = names.map(name => initializers.get(name).data)
    const epsilon = norm.attributes.get('epsilon')?.value ?? 1e-5
    const factors = scale.map((value, channel) => value / Math.sqrt(variance[channel] + epsilon))
    const { shape, data } = initializers.get(weight)
    const inner = data.length / shape[0]
    const scaled = data.map((value, index) => value * factors[Math.floor(index / inner)])
    const shifted = bias.map((value, channel) => value - mean[channel] * factors[channel])
    initializers.set(weight, { dtype: 'float32', shape, data: scaled })
    initializers.set(`${weight}_bias`, float32([...shifted]))
    return { ...node, inputs: [x, weight, `${weight}_bias`], outputs: norm.outputs }
  })
  const kept = nodes.filter(node => !folded.has(node))
  const read = new Set(kept.flatMap(({ inputs }) => inputs))
  return {
    ...graph,
    nodes: kept,
    initializers: new Map([...initializers].filter(([name]) => read.has(name))),
  }
}
