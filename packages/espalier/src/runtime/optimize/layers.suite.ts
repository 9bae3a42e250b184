/** Layers of transformers as torch's exporter writes them, shape arithmetic and all, for tests of the passes together. */
import type { Handle } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { full } from '../../tensor/elements.ts'
import { tensor } from '../../tensor/tensor.ts'
import { type Sketch, sketch } from './rules.suite.ts'

const [WIDTH, HEADS] = [8, 2]
const SIZE = WIDTH / HEADS

const position = (g: Sketch, value: number): Handle =>
  g.constant(tensor('int64', [], BigInt64Array.of(BigInt(value))))

/** `x.size(axis)` as torch writes it, as a vector of one element. */
function extent(g: Sketch, x: Handle, axis: number): Handle {
  const scalar = g.node('Gather', [g.node('Shape', [x]), position(g, axis)], { axis: 0 })
  return g.node('Unsqueeze', [scalar, g.ints([0])])
}

/** `x.view(x.size(0), x.size(1), ...rest)`. */
function view(g: Sketch, x: Handle, like: Handle, rest: readonly number[]): Handle {
  const shape = g.node('Concat', [extent(g, like, 0), extent(g, like, 1), g.ints(rest)], { axis: 0 })
  return g.node('Reshape', [x, shape])
}

function linear(g: Sketch, x: Handle, from: number, to: number): Handle {
  return g.node('Add', [g.weights([to]), g.node('MatMul', [x, g.weights([from, to], from + to)])])
}

/** GPT-2's: rows are flattened, multiplied with a bias, and unflattened. */
function conv1d(g: Sketch, x: Handle, from: number, to: number): Handle {
  const flat = g.node('Reshape', [x, g.ints([-1, from])])
  const y = g.node('Gemm', [flat, g.weights([from, to], from + to), g.weights([to])])
  return view(g, y, x, [to])
}

function layerNorm(g: Sketch, x: Handle): Handle {
  const mean = (y: Handle): Handle => g.node('ReduceMean', [y], { axes: [-1] })
  const difference = g.node('Sub', [x, mean(x)])
  const variance = mean(g.node('Pow', [difference, g.scalar(2)]))
  const root = g.node('Sqrt', [g.node('Add', [variance, g.scalar(1e-5)])])
  const scaled = g.node('Mul', [g.node('Div', [difference, root]), g.weights([WIDTH], 5)])
  return g.node('Add', [scaled, g.weights([WIDTH], 6)])
}

const heads = (g: Sketch, x: Handle, perm = [0, 2, 1, 3]): Handle => g.node('Transpose', [x], { perm })

function gelu(g: Sketch, x: Handle): Handle {
  const erf = g.node('Erf', [g.node('Div', [x, g.scalar(Math.SQRT2)])])
  return g.node('Mul', [g.node('Mul', [x, g.node('Add', [erf, g.scalar(1)])]), g.scalar(0.5)])
}

function geluTanh(g: Sketch, x: Handle): Handle {
  const cubic = g.node('Mul', [g.node('Pow', [x, g.scalar(3)]), g.scalar(0.044715)])
  const inner = g.node('Mul', [g.node('Add', [x, cubic]), g.scalar(Math.sqrt(2 / Math.PI))])
  const outer = g.node('Add', [g.node('Tanh', [inner]), g.scalar(1)])
  return g.node('Mul', [g.node('Mul', [x, g.scalar(0.5)]), outer])
}

/** Encoder layers with a padding mask, normalised behind each sum: BERT. */
export function bert(layers: number): Graph {
  return sketch(g => {
    let x = g.input('x', 'float32', ['batch', 'length', WIDTH])
    const padding = g.input('attention_mask', 'int64', ['batch', 'length'])
    const wide = g.node('Unsqueeze', [g.node('Unsqueeze', [padding, g.ints([1])]), g.ints([2])])
    const hidden = g.node('Sub', [g.scalar(1), g.node('Cast', [wide], { to: 1 })])
    const mask = g.node('Mul', [hidden, g.scalar(-3.4028234663852886e38)])
    for (let i = 0; i < layers; i++) {
      const project = (): Handle => view(g, linear(g, x, WIDTH, WIDTH), x, [HEADS, SIZE])
      const [q, k, v] = [heads(g, project()), heads(g, project(), [0, 2, 3, 1]), heads(g, project())]
      const scores = g.node('Div', [g.node('MatMul', [q, k]), g.scalar(Math.sqrt(SIZE))])
      const weights = g.node('Softmax', [g.node('Add', [scores, mask])], { axis: -1 })
      const read = heads(g, g.node('MatMul', [weights, v]))
      const joined = view(g, read, x, [WIDTH])
      x = layerNorm(g, g.node('Add', [linear(g, joined, WIDTH, WIDTH), x]))
      const inner = gelu(g, linear(g, x, WIDTH, 4 * WIDTH))
      x = layerNorm(g, g.node('Add', [linear(g, inner, 4 * WIDTH, WIDTH), x]))
    }
    return x
  })
}

/** Decoder layers with a cache and a causal mask cut from a constant: GPT-2. */
export function gpt2(layers: number): Graph {
  return sketch(g => {
    let x = g.input('x', 'float32', ['batch', 'length', WIDTH])
    const allowed = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i % 64 <= Math.floor(i / 64) ? 1 : 0))
    const triangle = g.constant(tensor('bool', [1, 1, 64, 64], allowed))
    const outputs: Handle[] = []
    for (let i = 0; i < layers; i++) {
      const past = (name: string): Handle =>
        g.input(`${name}_${i}`, 'float32', ['batch', HEADS, 'past', SIZE])
      const projected = conv1d(g, layerNorm(g, x), WIDTH, 3 * WIDTH)
      const parts = g.nodes(
        'Split',
        [projected, g.ints([WIDTH, WIDTH, WIDTH])],
        { axis: 2 },
        {
          outputs: [`q_${i}`, `k_${i}`, `v_${i}`],
        },
      )
      const [q, k, v] = parts.map(part => heads(g, view(g, part, part, [HEADS, SIZE]))) as [
        Handle,
        Handle,
        Handle,
      ]
      const keys = g.node('Concat', [past('past_k'), k], { axis: -2 }, { outputs: [`present_k_${i}`] })
      const values = g.node('Concat', [past('past_v'), v], { axis: -2 }, { outputs: [`present_v_${i}`] })
      const scores = g.node('Div', [
        g.node('MatMul', [q, heads(g, keys, [0, 1, 3, 2])]),
        g.scalar(Math.sqrt(SIZE)),
      ])
      const [all, fresh] = [extent(g, scores, 3), extent(g, scores, 2)]
      const rows = g.node('Slice', [triangle, g.node('Sub', [all, fresh]), all, g.ints([2]), g.ints([1])])
      const mask = g.node('Slice', [rows, g.ints([0]), all, g.ints([3]), g.ints([1])])
      const masked = g.node('Where', [mask, scores, g.constant(full('float32', [], -3.4028234663852886e38))])
      const weights = g.node('Softmax', [masked], { axis: -1 })
      const read = heads(g, g.node('MatMul', [weights, values]))
      x = g.node('Add', [conv1d(g, view(g, read, x, [WIDTH]), WIDTH, WIDTH), x])
      const inner = geluTanh(g, conv1d(g, layerNorm(g, x), WIDTH, 4 * WIDTH))
      x = g.node('Add', [x, conv1d(g, inner, 4 * WIDTH, WIDTH)])
      outputs.push(keys, values)
    }
    return [x, ...outputs]
  })
}

/** Encoder layers normalised before each branch, one packed projection, q and k each scaled by a root: ViT. */
export function vit(layers: number): Graph {
  return sketch(g => {
    let x = g.input('x', 'float32', ['batch', 5, WIDTH])
    const norm = (y: Handle): Handle =>
      g.node('LayerNormalization', [y, g.weights([WIDTH], 3), g.weights([WIDTH], 4)])
    const root = g.scalar(SIZE ** -0.25)
    for (let i = 0; i < layers; i++) {
      const packed = view(g, linear(g, norm(x), WIDTH, 3 * WIDTH), x, [3, HEADS, SIZE])
      const all = g.node('Transpose', [packed], { perm: [2, 0, 3, 1, 4] })
      const [q, k, v] = [0, 1, 2].map(part => g.node('Gather', [all, position(g, part)], { axis: 0 })) as [
        Handle,
        Handle,
        Handle,
      ]
      const keys = heads(g, k, [0, 1, 3, 2])
      const scores = g.node('MatMul', [g.node('Mul', [q, root]), g.node('Mul', [keys, root])])
      const read = heads(g, g.node('MatMul', [g.node('Softmax', [scores], { axis: -1 }), v]))
      x = g.node('Add', [x, linear(g, view(g, read, x, [WIDTH]), WIDTH, WIDTH)])
      x = g.node('Add', [x, linear(g, gelu(g, linear(g, norm(x), WIDTH, 4 * WIDTH)), 4 * WIDTH, WIDTH)])
    }
    return x
  })
}
