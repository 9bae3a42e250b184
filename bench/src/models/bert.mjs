// The BERT-base encoder (Devlin et al., 2019) as torch's exporter writes the transformers implementation with eager
// attention: operator set 14, so layer norm and GELU are spelled out and `view` is shape arithmetic.
import { int64, tensor } from 'espalier/tensor'
import { modelBuilder } from './builder.mjs'

const MOST_TOKENS = 512
const EPSILON = 1e-12

/** Inputs `input_ids`, `attention_mask`, `token_type_ids`, int64 [batch, sequence]. */
export function bert({ layers = 12, width = 768, heads = 12, inner = 3072, words = 30522 } = {}) {
  const m = modelBuilder({ name: 'bert', opset: 14 })
  const [ids, mask, types] = ['input_ids', 'attention_mask', 'token_type_ids'].map(name =>
    m.input(name, 'int64', ['batch', 'sequence']),
  )
  let x = embeddings(m, ids, types, width, words)
  const bias = maskBias(m, mask)
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `encoder.layer.${layer}`
    const attended = attention(m, x, bias, `${prefix}.attention`, width, heads)
    x = m.layerNorm(m.node('Add', [attended, x]), `${prefix}.attention.output.LayerNorm`, width, EPSILON)
    const hidden = gelu(m, m.linear(x, `${prefix}.intermediate.dense`, width, inner))
    const output = m.linear(hidden, `${prefix}.output.dense`, inner, width)
    x = m.layerNorm(m.node('Add', [output, x]), `${prefix}.output.LayerNorm`, width, EPSILON)
  }
  m.output(x, { kind: 'tensor', dtype: 'float32', shape: ['batch', 'sequence', width] })
  m.output(pooler(m, x, width), { kind: 'tensor', dtype: 'float32', shape: ['batch', width] })
  return m.build()
}

function embeddings(m, ids, types, width, words) {
  const table = (name, rows) => m.weight(`embeddings.${name}_embeddings.weight`, [rows, width], 0.5)
  const all = Array.from({ length: MOST_TOKENS }, (_, index) => BigInt(index))
  const positions = m.constant(
    tensor('int64', [1, MOST_TOKENS], BigInt64Array.from(all)),
    'embeddings.position_ids',
  )
  const length = m.node('Unsqueeze', [m.extent(ids, 1), m.integers([0])])
  const taken = m.node('Slice', [positions, m.integers([0]), length, m.integers([1]), m.integers([1])])
  const word = m.node('Gather', [table('word', words), ids])
  const type = m.node('Gather', [table('token_type', 2), types])
  const position = m.node('Gather', [table('position', MOST_TOKENS), taken])
  const sum = m.node('Add', [m.node('Add', [word, type]), position])
  return m.layerNorm(sum, 'embeddings.LayerNorm', width, EPSILON)
}

/** 0 where a token counts, the most negative number where it does not: [batch, 1, 1, sequence]. */
function maskBias(m, mask) {
  const wide = m.node('Unsqueeze', [m.node('Unsqueeze', [mask, m.integers([1])]), m.integers([2])])
  const inverted = m.node('Sub', [m.scalar(1), m.node('Cast', [wide], { to: 1 })])
  return m.node('Mul', [inverted, m.scalar(-3.4028234663852886e38)])
}

function attention(m, x, bias, prefix, width, heads) {
  const size = width / heads
  const split = (part, axes) => {
    const y = m.linear(x, `${prefix}.self.${part}`, width, width)
    const viewed = m.view(y, [m.extent(y, 0), m.extent(y, 1), heads, size])
    return m.node('Transpose', [viewed], { perm: axes })
  }
  const q = split('query', [0, 2, 1, 3])
  const k = split('key', [0, 2, 3, 1])
  const v = split('value', [0, 2, 1, 3])
  const scores = m.node('Div', [m.node('MatMul', [q, k]), m.scalar(Math.sqrt(size))])
  const weights = m.node('Softmax', [m.node('Add', [scores, bias])], { axis: -1 })
  const mixed = m.node('Transpose', [m.node('MatMul', [weights, v])], { perm: [0, 2, 1, 3] })
  const joined = m.view(mixed, [m.extent(mixed, 0), m.extent(mixed, 1), width])
  return m.linear(joined, `${prefix}.output.dense`, width, width)
}

/** x * (1 + erf(x / sqrt 2)) * 0.5, in the order in which torch writes it. */
export function gelu(m, x) {
  const erf = m.node('Erf', [m.node('Div', [x, m.scalar(Math.SQRT2)])])
  const product = m.node('Mul', [x, m.node('Add', [erf, m.scalar(1)])])
  return m.node('Mul', [product, m.scalar(0.5)])
}

function pooler(m, x, width) {
  const first = m.node('Gather', [x, m.constant(int64(0))], { axis: 1 })
  const weight = m.weight('pooler.dense.weight', [width, width], 1 / Math.sqrt(width))
  const dense = m.node('Gemm', [first, weight, m.weight('pooler.dense.bias', [width], 0.02)], { transB: 1 })
  return m.node('Tanh', [dense])
}
