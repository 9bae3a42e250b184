// Models of one operator: the products and convolutions that the large models spend their time in. Layers that can
// follow each other are repeated, so that getting values in and out (and into the runtime's own layout) counts for
// little, as it does in a model. Weights shrink the values by nothing: every layer keeps their size.
import { graphBuilder } from 'espalier/graph'
import { tensor } from 'espalier/tensor'
import { randomFloats, randomSource } from './random.mjs'

const size = shape => shape.reduce((a, b) => a * b, 1)

/** [rows, k] times [k, n], then [n, k] where `n` differs from `k`: `count` products in all. */
function matMuls(name, rows, k, n, count) {
  const layers = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? [k, n] : [n, k]))
  return {
    name,
    shape: `${rows}x${k} * ${k}x${n}`,
    macs: layers.reduce((sum, [from, to]) => sum + rows * from * to, 0),
    weightBytes: layers.reduce((sum, [from, to]) => sum + 4 * from * to, 0),
    input: [rows, k],
    build: (g, x, weight) =>
      layers.reduce(
        (value, [from, to]) => g.node('MatMul', [value, weight([from, to], 1 / Math.sqrt(from))]),
        x,
      ),
  }
}

/** A batch of products of two activations, as in attention. */
function batchedMatMul(name, batch, rows, k, n) {
  return {
    name,
    shape: `${batch} x ${rows}x${k} * ${k}x${n}`,
    macs: batch * rows * k * n,
    input: [batch, rows, k],
    second: [batch, k, n],
    build: (g, x, _, other) => g.node('MatMul', [x, other]),
  }
}

/**
 * `count` convolutions of `from` to `to` channels at `extent` x `extent` pixels, back again where the two differ.
 * Padding keeps the extent at stride 1.
 */
function convolutions(
  name,
  { batch = 1, extent, from, to = from, kernel, stride = 1, depthwise = false, count },
) {
  const group = depthwise ? from : 1
  const after = Math.ceil(extent / stride)
  const pad = (kernel - 1) / 2
  const layers = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? [from, to] : [to, from]))
  const perPixel = ([a, b]) => (a / group) * b * kernel * kernel
  return {
    name,
    shape: `${batch}x${from}x${extent}x${extent}, ${kernel}x${kernel} to ${to}${stride > 1 ? `, stride ${stride}` : ''}`,
    macs: layers.reduce((sum, layer) => sum + batch * after * after * perPixel(layer), 0),
    input: [batch, from, extent, extent],
    build: (g, x, weight) =>
      layers.reduce((value, [a, b]) => {
        const fan = (a / group) * kernel * kernel
        return g.node('Conv', [value, weight([b, a / group, kernel, kernel], 1 / Math.sqrt(fan))], {
          dilations: [1, 1],
          group,
          kernel_shape: [kernel, kernel],
          pads: [pad, pad, pad, pad],
          strides: [stride, stride],
        })
      }, x),
  }
}

/** The shapes, by the model they come from. */
export const kernelModels = [
  matMuls('square', 1024, 1024, 1024, 2),
  matMuls('bert projection', 128, 768, 768, 4),
  matMuls('bert feed-forward', 128, 768, 3072, 4),
  batchedMatMul('bert scores', 12, 128, 64, 128),
  batchedMatMul('bert mixing', 12, 128, 128, 64),
  matMuls('vit feed-forward', 197, 192, 768, 8),
  matMuls('gpt2 feed-forward', 1, 768, 3072, 8),
  matMuls('gpt2 logits', 1, 768, 50257, 1),
  convolutions('resnet50 stem', { extent: 224, from: 3, to: 64, kernel: 7, stride: 2, count: 1 }),
  convolutions('resnet50 3x3', { extent: 56, from: 64, kernel: 3, count: 8 }),
  convolutions('resnet50 3x3', { extent: 28, from: 128, kernel: 3, count: 8 }),
  convolutions('resnet50 3x3', { extent: 14, from: 256, kernel: 3, count: 8 }),
  convolutions('resnet50 3x3', { extent: 7, from: 512, kernel: 3, count: 8 }),
  convolutions('resnet50 1x1', { extent: 56, from: 64, to: 256, kernel: 1, count: 8 }),
  convolutions('resnet50 1x1', { extent: 14, from: 256, to: 1024, kernel: 1, count: 8 }),
  convolutions('resnet50 1x1', { extent: 7, from: 512, to: 2048, kernel: 1, count: 8 }),
  convolutions('resnet20 3x3', { batch: 128, extent: 32, from: 16, kernel: 3, count: 6 }),
  convolutions('resnet20 3x3', { batch: 128, extent: 8, from: 64, kernel: 3, count: 6 }),
  convolutions('mobilenetv2 depthwise', { extent: 112, from: 32, kernel: 3, depthwise: true, count: 8 }),
  convolutions('mobilenetv2 depthwise', { extent: 14, from: 384, kernel: 3, depthwise: true, count: 8 }),
  convolutions('mobilenetv2 1x1', { extent: 56, from: 24, to: 144, kernel: 1, count: 8 }),
  convolutions('mobilenetv2 1x1', { extent: 14, from: 64, to: 384, kernel: 1, count: 8 }),
]

/** The graph of one of them, and its feeds. */
export function buildKernel({ input, second, build }) {
  const g = graphBuilder({ name: 'kernel', opset: 17 })
  const source = randomSource(5)
  const random = (shape, deviation = 1) =>
    tensor('float32', shape, randomFloats(source, size(shape), deviation))
  const x = g.input('x', 'float32', input)
  const other = second && g.input('other', 'float32', second)
  g.output(build(g, x, (shape, deviation) => g.constant(random(shape, deviation)), other))
  const feeds = new Map([['x', random(input)]])
  if (second !== undefined) feeds.set('other', random(second))
  return { graph: g.build(), feeds }
}
