// What the benchmark models have in common: the library's graph builder with random weights, and the spellings that
// exporters give to things which ONNX has no operator for at that version (a linear layer, layer norm, the shape
// arithmetic of `view`). Spelled out here, so that what is measured is what people have in their files.
import { floatAttribute, graphBuilder } from 'espalier/graph'
import { float32, int64, sizeOf, tensor } from 'espalier/tensor'
import { randomFloats, randomSource } from './random.mjs'

/** A graph builder with weights from `seed`. */
export function modelBuilder({ name, opset, seed = 1 }) {
  const g = graphBuilder({ name, opset })
  const source = randomSource(seed)
  const constant = value => g.node('Constant', [], { value })
  const self = {
    ...g,
    opset,
    /** An initialiser of random numbers. */
    weight: (weightName, shape, deviation, mean = 0) =>
      g.constant(tensor('float32', shape, randomFloats(source, sizeOf(shape), deviation, mean)), weightName),
    /** A `Constant` node holding a float32 scalar, as torch writes numbers in code. */
    scalar: value => constant(float32([value], [])),
    /** A `Constant` node of 64-bit integers: one number is a scalar, a list is 1-D. */
    integers: values => constant(int64(values)),
    linear: (x, layer, from, to, deviation) => linear(self, x, layer, from, to, deviation),
    layerNorm: (x, layer, width, epsilon) => layerNorm(self, x, layer, width, epsilon),
    extent: (x, axis) => g.node('Gather', [g.node('Shape', [x]), self.integers(axis)], { axis: 0 }),
    view: (x, dims) => view(self, x, dims),
  }
  return self
}

/** A linear layer on a tensor of rank 3, as torch exports it: product with the transposed weight, then the bias. */
function linear(m, x, layer, from, to, deviation = 1 / Math.sqrt(from)) {
  const product = m.node('MatMul', [x, m.weight(`${layer}.weight`, [from, to], deviation)])
  return m.node('Add', [m.weight(`${layer}.bias`, [to], 0.02), product])
}

/** Layer norm over the last axis: the operator where the set has it (17), else the nine nodes torch writes. */
function layerNorm(m, x, layer, width, epsilon) {
  const scale = m.weight(`${layer}.weight`, [width], 0.1, 1)
  const bias = m.weight(`${layer}.bias`, [width], 0.1)
  if (m.opset >= 17)
    return m.node('LayerNormalization', [x, scale, bias], { axis: -1, epsilon: floatAttribute(epsilon) })
  const mean = m.node('ReduceMean', [x], { axes: [-1] })
  const centred = m.node('Sub', [x, mean])
  const squared = m.node('Pow', [centred, m.scalar(2)])
  const variance = m.node('ReduceMean', [squared], { axes: [-1] })
  const root = m.node('Sqrt', [m.node('Add', [variance, m.scalar(epsilon)])])
  const normal = m.node('Div', [centred, root])
  return m.node('Add', [m.node('Mul', [normal, scale]), bias])
}

/**
 * `x.view(dims)`: an extent in `dims` is a number, or a handle of a scalar that the model computes. The exporter
 * makes a 1-D tensor of each and puts them together.
 */
function view(m, x, dims) {
  if (dims.every(dim => typeof dim === 'number')) return m.node('Reshape', [x, m.integers(dims)])
  const parts = dims.map(dim =>
    typeof dim === 'number' ? m.integers([dim]) : m.node('Unsqueeze', [dim, m.integers([0])]),
  )
  return m.node('Reshape', [x, m.node('Concat', parts, { axis: 0 })])
}
