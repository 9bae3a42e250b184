// A two-layer LSTM as torch's exporter writes `nn.LSTM(width, width, 2)` called without a state: zeros of the batch's
// size, sliced for each layer, and one `LSTM` node for each with its direction axis squeezed away.
import { float32 } from 'espalier/tensor'
import { modelBuilder } from './builder.mjs'

/** Input `input` [steps, batch, width]; outputs `output` [steps, batch, width], `h_n` and `c_n` [layers, batch, width]. */
export function lstm({ layers = 2, width = 512 } = {}) {
  const m = modelBuilder({ name: 'lstm', opset: 14 })
  let x = m.input('input', 'float32', ['steps', 'batch', width])
  const shape = m.node(
    'Concat',
    [m.integers([layers]), m.node('Unsqueeze', [m.extent(x, 1), m.integers([0])]), m.integers([width])],
    { axis: 0 },
  )
  const zeros = m.node('ConstantOfShape', [shape], { value: float32([0]) })
  const last = { h: [], c: [] }
  for (let layer = 0; layer < layers; layer++) {
    const [first, end, axis] = [[layer], [layer + 1], [0]].map(m.integers)
    const state = m.node('Slice', [zeros, first, end, axis])
    const weight = name => m.weight(`${name}_l${layer}`, [1, 4 * width, width], 1 / Math.sqrt(width))
    const bias = m.weight(`bias_l${layer}`, [1, 8 * width], 0.05)
    const [y, h, c] = m.nodes(
      'LSTM',
      [x, weight('weight_ih'), weight('weight_hh'), bias, undefined, state, state],
      { hidden_size: width },
      { name: `lstm_l${layer}`, outputs: ['y', 'h', 'c'].map(part => `${part}_l${layer}`) },
    )
    last.h.push(h)
    last.c.push(c)
    x = m.node(
      'Squeeze',
      [y, m.integers([1])],
      {},
      { name: `squeeze_l${layer}`, outputs: [layer === layers - 1 ? 'output' : `output_l${layer}`] },
    )
  }
  m.output(x, { kind: 'tensor', dtype: 'float32', shape: ['steps', 'batch', width] })
  for (const part of ['h', 'c']) {
    const all = m.node(
      'Concat',
      last[part],
      { axis: 0 },
      { name: `${part}_n.concat`, outputs: [`${part}_n`] },
    )
    m.output(all, { kind: 'tensor', dtype: 'float32', shape: [layers, 'batch', width] })
  }
  return m.build()
}
