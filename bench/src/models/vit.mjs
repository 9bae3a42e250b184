// ViT-Tiny (Dosovitskiy et al., 2021; Touvron et al., 2021) as torch's exporter writes timm's implementation with
// scaled dot-product attention: operator set 17, so layer norm is an operator, and the root of the scale is applied to
// both queries and keys.
import { floatAttribute } from 'espalier/graph'
import { gelu } from './bert.mjs'
import { modelBuilder } from './builder.mjs'

/** Input `pixel_values`, float32 [batch, 3, size, size]; output `logits` [batch, classes]. */
export function vit({ layers = 12, width = 192, heads = 3, size = 224, patch = 16, classes = 1000 } = {}) {
  const m = modelBuilder({ name: 'vit', opset: 17 })
  const image = m.input('pixel_values', 'float32', ['batch', 3, size, size])
  let x = embed(m, image, width, patch, (size / patch) ** 2)
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `blocks.${layer}`
    const attended = attention(
      m,
      m.layerNorm(x, `${prefix}.norm1`, width, 1e-6),
      `${prefix}.attn`,
      width,
      heads,
    )
    x = m.node('Add', [x, attended])
    const normal = m.layerNorm(x, `${prefix}.norm2`, width, 1e-6)
    const hidden = gelu(m, m.linear(normal, `${prefix}.mlp.fc1`, width, 4 * width))
    x = m.node('Add', [x, m.linear(hidden, `${prefix}.mlp.fc2`, 4 * width, width)])
  }
  const normal = m.layerNorm(x, 'norm', width, 1e-6)
  const token = m.node('Gather', [normal, m.integers(0)], { axis: 1 })
  const weight = m.weight('head.weight', [classes, width], 1 / Math.sqrt(width))
  const bias = m.weight('head.bias', [classes], 0.02)
  const logits = m.node(
    'Gemm',
    [token, weight, bias],
    { alpha: floatAttribute(1), beta: floatAttribute(1), transB: 1 },
    { name: 'head', outputs: ['logits'] },
  )
  m.output(logits, { kind: 'tensor', dtype: 'float32', shape: ['batch', classes] })
  return m.build()
}

/** Patches by a convolution, the class token before them, positions added: [batch, patches + 1, width]. */
function embed(m, image, width, patch, patches) {
  const kernel = m.weight(
    'patch_embed.proj.weight',
    [width, 3, patch, patch],
    1 / Math.sqrt(3 * patch * patch),
  )
  const bias = m.weight('patch_embed.proj.bias', [width], 0.02)
  const conv = m.node('Conv', [image, kernel, bias], {
    dilations: [1, 1],
    group: 1,
    kernel_shape: [patch, patch],
    pads: [0, 0, 0, 0],
    strides: [patch, patch],
  })
  const flat = m.view(conv, [m.extent(conv, 0), width, -1])
  const tokens = m.node('Transpose', [flat], { perm: [0, 2, 1] })
  const shape = m.node(
    'Concat',
    [m.node('Unsqueeze', [m.extent(image, 0), m.integers([0])]), m.integers([-1]), m.integers([-1])],
    { axis: 0 },
  )
  const ones = m.node('ConstantOfShape', [m.integers([3])], { value: onesScalar() })
  const wanted = m.node('Equal', [shape, m.node('Mul', [ones, m.integers(-1)])])
  const token = m.node('Expand', [
    m.weight('cls_token', [1, 1, width], 0.5),
    m.node('Where', [wanted, ones, shape]),
  ])
  const all = m.node('Concat', [token, tokens], { axis: 1 })
  return m.node('Add', [all, m.weight('pos_embed', [1, patches + 1, width], 0.5)])
}

function onesScalar() {
  return { dtype: 'int64', shape: [1], data: BigInt64Array.of(1n) }
}

function attention(m, x, prefix, width, heads) {
  const size = width / heads
  const joint = m.linear(x, `${prefix}.qkv`, width, 3 * width)
  const viewed = m.view(joint, [m.extent(x, 0), m.extent(x, 1), 3, heads, size])
  const moved = m.node('Transpose', [viewed], { perm: [2, 0, 3, 1, 4] })
  const [q, k, v] = [0, 1, 2].map(part => m.node('Gather', [moved, m.integers(part)], { axis: 0 }))
  const root = m.scalar(size ** -0.25)
  const scores = m.node('MatMul', [
    m.node('Mul', [q, root]),
    m.node('Mul', [m.node('Transpose', [k], { perm: [0, 1, 3, 2] }), root]),
  ])
  const mixed = m.node('MatMul', [m.node('Softmax', [scores], { axis: -1 }), v])
  const back = m.node('Transpose', [mixed], { perm: [0, 2, 1, 3] })
  return m.linear(m.view(back, [m.extent(x, 0), m.extent(x, 1), width]), `${prefix}.proj`, width, width)
}
