// A decoder step of GPT-2-small (Radford et al., 2019) with cached keys and values, as torch's exporter writes the
// transformers implementation: its linear layers are `Gemm` between reshapes, GELU is the tanh form with powers, and
// the causal mask is a slice of a constant triangle.
import { tensor } from 'espalier/tensor'
import { modelBuilder } from './builder.mjs'

const MOST_TOKENS = 1024

/**
 * Inputs `input_ids` int64 [batch, sequence], `attention_mask` int64 [batch, past + sequence], `position_ids` int64
 * [batch, sequence], `past_key_values.L.key` and `.value` float32 [batch, heads, past, width / heads]. Outputs `logits`
 * [batch, sequence, words] and `present.L.key` and `.value` [batch, heads, past + sequence, width / heads].
 */
export function gpt2({ layers = 12, width = 768, heads = 12, words = 50257 } = {}) {
  const m = modelBuilder({ name: 'gpt2', opset: 14 })
  const size = width / heads
  const ids = m.input('input_ids', 'int64', ['batch', 'sequence'])
  const mask = m.input('attention_mask', 'int64', ['batch', 'past + sequence'])
  const positions = m.input('position_ids', 'int64', ['batch', 'sequence'])
  const pastOf = (layer, part) =>
    m.input(`past_key_values.${layer}.${part}`, 'float32', ['batch', heads, 'past', size])
  const past = Array.from({ length: layers }, (_, layer) => ['key', 'value'].map(part => pastOf(layer, part)))
  const triangle = m.constant(causalTriangle(), 'causal')
  const bias = maskBias(m, mask)
  const word = m.node('Gather', [m.weight('wte.weight', [words, width], 0.5), ids])
  const position = m.node('Gather', [m.weight('wpe.weight', [MOST_TOKENS, width], 0.2), positions])
  let x = m.node('Add', [word, position])
  const present = []
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `h.${layer}`
    const normal = m.layerNorm(x, `${prefix}.ln_1`, width, 1e-5)
    const { y, cache } = attention(
      m,
      normal,
      past[layer],
      triangle,
      bias,
      `${prefix}.attn`,
      layer,
      heads,
      width,
    )
    present.push(...cache)
    x = m.node('Add', [y, x])
    const hidden = conv1d(
      m,
      m.layerNorm(x, `${prefix}.ln_2`, width, 1e-5),
      `${prefix}.mlp.c_fc`,
      width,
      4 * width,
    )
    x = m.node('Add', [x, conv1d(m, geluTanh(m, hidden), `${prefix}.mlp.c_proj`, 4 * width, width)])
  }
  const normal = m.layerNorm(x, 'ln_f', width, 1e-5)
  const head = m.weight('lm_head.weight', [width, words], 1 / Math.sqrt(width))
  const logits = m.node('MatMul', [normal, head], {}, { name: 'lm_head', outputs: ['logits'] })
  m.output(logits, { kind: 'tensor', dtype: 'float32', shape: ['batch', 'sequence', words] })
  const shape = ['batch', heads, 'past + sequence', size]
  for (const value of present) m.output(value, { kind: 'tensor', dtype: 'float32', shape })
  return m.build()
}

/** Lower triangle of ones, bool [1, 1, tokens, tokens]. */
function causalTriangle() {
  const data = new Uint8Array(MOST_TOKENS * MOST_TOKENS)
  for (let row = 0; row < MOST_TOKENS; row++) data.fill(1, row * MOST_TOKENS, row * MOST_TOKENS + row + 1)
  return tensor('bool', [1, 1, MOST_TOKENS, MOST_TOKENS], data)
}

function maskBias(m, mask) {
  const wide = m.node('Unsqueeze', [m.node('Unsqueeze', [mask, m.integers([1])]), m.integers([2])])
  const inverted = m.node('Sub', [m.scalar(1), m.node('Cast', [wide], { to: 1 })])
  return m.node('Mul', [inverted, m.scalar(-3.4028234663852886e38)])
}

/** transformers' Conv1D: a linear layer that flattens all axes but the last, multiplies, and restores them. */
function conv1d(m, x, layer, from, to) {
  const weight = m.weight(`${layer}.weight`, [from, to], 1 / Math.sqrt(from))
  const bias = m.weight(`${layer}.bias`, [to], 0.02)
  const flat = m.node('Reshape', [x, m.integers([-1, from])])
  return m.view(m.node('Gemm', [flat, weight, bias]), [m.extent(x, 0), m.extent(x, 1), to])
}

function attention(m, x, past, triangle, bias, prefix, layer, heads, width) {
  const size = width / heads
  const joint = conv1d(m, x, `${prefix}.c_attn`, width, 3 * width)
  const parts = m.nodes(
    'Split',
    [joint, m.integers([width, width, width])],
    { axis: 2 },
    {
      name: `${prefix}.split`,
      outputs: ['q', 'k', 'v'].map(part => `${prefix}.${part}`),
    },
  )
  const [q, k, v] = parts.map(part => {
    const viewed = m.view(part, [m.extent(part, 0), m.extent(part, 1), heads, size])
    return m.node('Transpose', [viewed], { perm: [0, 2, 1, 3] })
  })
  const append = (part, old, fresh) =>
    m.node(
      'Concat',
      [old, fresh],
      { axis: -2 },
      {
        name: `${prefix}.append.${part}`,
        outputs: [`present.${layer}.${part}`],
      },
    )
  const keys = append('key', past[0], k)
  const values = append('value', past[1], v)
  const transposed = m.node('Transpose', [keys], { perm: [0, 1, 3, 2] })
  const scores = m.node('Div', [m.node('MatMul', [q, transposed]), m.scalar(Math.sqrt(size))])
  const causal = m.node('Where', [visible(m, q, keys, triangle), scores, m.scalar(-3.4028234663852886e38)])
  const weights = m.node('Softmax', [m.node('Add', [causal, bias])], { axis: -1 })
  const mixed = m.node('Transpose', [m.node('MatMul', [weights, values])], { perm: [0, 2, 1, 3] })
  const joined = m.view(mixed, [m.extent(mixed, 0), m.extent(mixed, 1), width])
  return { y: conv1d(m, joined, `${prefix}.c_proj`, width, width), cache: [keys, values] }
}

/** The rows of the triangle for these queries: `triangle[:, :, keys - queries : keys, : keys]`. */
function visible(m, q, keys, triangle) {
  const all = m.extent(keys, 2)
  const first = m.node('Sub', [all, m.extent(q, 2)])
  const asList = value => m.node('Unsqueeze', [value, m.integers([0])])
  const rows = m.node('Slice', [triangle, asList(first), asList(all), m.integers([2]), m.integers([1])])
  return m.node('Slice', [rows, m.integers([0]), asList(all), m.integers([3]), m.integers([1])])
}

/** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), as transformers' `gelu_new` writes it. */
function geluTanh(m, x) {
  const cube = m.node('Mul', [m.node('Pow', [x, m.scalar(3)]), m.scalar(0.044715)])
  const inner = m.node('Mul', [m.node('Add', [x, cube]), m.scalar(Math.sqrt(2 / Math.PI))])
  const gate = m.node('Add', [m.node('Tanh', [inner]), m.scalar(1)])
  return m.node('Mul', [m.node('Mul', [x, m.scalar(0.5)]), gate])
}
