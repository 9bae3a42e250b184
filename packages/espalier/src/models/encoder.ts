/**
 * A small text encoder with a classifier on top, as BERT is built (Devlin et al. 2019, with the norm behind each sum), and
 * random weights: something of the right form to compress and to time where there is no model at hand. It has learnt
 * nothing, so that what it says of accuracy is nothing.
 */
import { floatAttribute, type GraphBuilder, graphBuilder, type Handle } from '../graph/builder.ts'
import { type Graph, tensorType } from '../graph/graph.ts'
import { fromNumbers } from '../tensor/elements.ts'
import { foldIn, normal, randomKey } from '../tensor/random.ts'
import { int64, type Tensor } from '../tensor/tensor.ts'

export interface EncoderOptions {
  readonly layers?: number
  readonly width?: number
  readonly heads?: number
  /** Width of the feed-forward part; four times the width when left out. */
  readonly inner?: number
  /** Size of the vocabulary; 256, as of bytes, when left out. */
  readonly words?: number
  /** Tokens of a row. */
  readonly tokens?: number
  readonly classes?: number
  /** Same seed, same weights. */
  readonly seed?: number
}

/** Input `tokens`, int64 [batch, tokens], each below `words`; output `classes`, float32 [batch, classes], scores. */
export function encoder({
  layers = 4,
  width = 256,
  heads = 4,
  inner = 4 * width,
  words = 256,
  tokens = 64,
  classes = 10,
  seed = 0,
}: EncoderOptions = {}): Graph {
  const g = graphBuilder({ name: 'encoder' })
  const b: Builder = { g, weight: weightsOf(g, seed) }
  const ids = g.input('tokens', 'int64', ['batch', tokens])
  const embedded = g.node('Gather', [b.weight('embeddings.word', [words, width], 1), ids])
  const placed = g.node('Add', [embedded, b.weight('embeddings.position', [tokens, width], 0.3)])
  let x = norm(b, placed, 'embeddings.norm', width)
  for (let layer = 0; layer < layers; layer++) {
    const name = `layer${layer + 1}`
    const attended = attention(b, x, `${name}.attention`, { width, heads, tokens })
    x = norm(b, g.node('Add', [x, attended]), `${name}.attention.norm`, width)
    const hidden = g.node('Gelu', [linear(b, x, `${name}.expand`, width, inner)])
    const out = linear(b, hidden, `${name}.contract`, inner, width)
    x = norm(b, g.node('Add', [x, out]), `${name}.norm`, width)
  }
  const pooled = g.node('ReduceMean', [x, g.constant(int64([1]))], { keepdims: 0 })
  const head = b.weight('classifier.weight', [classes, width], 1 / Math.sqrt(width))
  const scores = g.node(
    'Gemm',
    [pooled, head, b.weight('classifier.bias', [classes], 0)],
    { transB: 1 },
    { name: 'classifier', outputs: ['classes'] },
  )
  g.output(scores, tensorType('float32', ['batch', classes]))
  return g.build()
}

interface Builder {
  readonly g: GraphBuilder
  /** A constant of normal numbers with this standard deviation, around a mean. */
  weight(name: string, shape: readonly number[], deviation: number, mean?: number): Handle
}

function weightsOf(g: GraphBuilder, seed: number): Builder['weight'] {
  const key = randomKey(seed)
  let made = 0
  return (name, shape, deviation, mean = 0) => {
    const values = normal(foldIn(key, made++), shape)
    const weight: Tensor = fromNumbers(
      'float32',
      shape,
      values.map(value => mean + deviation * value),
    )
    return g.constant(weight, name)
  }
}

function linear({ g, weight }: Builder, x: Handle, name: string, from: number, to: number): Handle {
  const product = g.node(
    'MatMul',
    [x, weight(`${name}.weight`, [from, to], 1 / Math.sqrt(from))],
    {},
    { name },
  )
  return g.node('Add', [product, weight(`${name}.bias`, [to], 0.02)])
}

function norm({ g, weight }: Builder, x: Handle, name: string, width: number): Handle {
  const scale = weight(`${name}.weight`, [width], 0.1, 1)
  const bias = weight(`${name}.bias`, [width], 0.02)
  return g.node('LayerNormalization', [x, scale, bias], { axis: -1, epsilon: floatAttribute(1e-5) })
}

function attention(
  b: Builder,
  x: Handle,
  name: string,
  { width, heads, tokens }: { readonly width: number; readonly heads: number; readonly tokens: number },
): Handle {
  const { g } = b
  const split = (part: string, perm: number[]): Handle => {
    const y = linear(b, x, `${name}.${part}`, width, width)
    const viewed = g.node('Reshape', [y, g.constant(int64([-1, tokens, heads, width / heads]))])
    return g.node('Transpose', [viewed], { perm })
  }
  const q = split('query', [0, 2, 1, 3])
  const k = split('key', [0, 2, 3, 1])
  const v = split('value', [0, 2, 1, 3])
  const root = g.constant(fromNumbers('float32', [], [Math.sqrt(width / heads)]))
  const weights = g.node('Softmax', [g.node('Div', [g.node('MatMul', [q, k]), root])], { axis: -1 })
  const mixed = g.node('Transpose', [g.node('MatMul', [weights, v])], { perm: [0, 2, 1, 3] })
  const joined = g.node('Reshape', [mixed, g.constant(int64([-1, tokens, width]))])
  return linear(b, joined, `${name}.output`, width, width)
}
