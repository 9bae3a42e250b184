/** Attention and its surroundings. */
import { floatAttribute as f } from '../../../src/graph/builder.ts'
import type { CaseAttributes, Row } from '../case.ts'
import { any, type Input, i64, real, values, whole } from '../draw.ts'

const loose = { relative: 1e-3, absolute: 1e-5 }
const q = real([2, 3, 4, 8])
const [k, v] = [real([2, 3, 6, 8]), real([2, 3, 6, 8])]
const grouped: Input[] = [real([2, 6, 4, 8]), real([2, 2, 6, 8]), real([2, 2, 6, 8])]
const wide: Input[] = [q, k, real([2, 3, 6, 10])]
const square: Input[] = [q, real([2, 3, 4, 8]), real([2, 3, 4, 8])]
const flat: Input[] = [real([2, 4, 24]), real([2, 6, 24]), real([2, 6, 24])]
const flatGrouped: Input[] = [real([2, 4, 24]), real([2, 6, 8]), real([2, 6, 8])]
const flatWide: Input[] = [real([2, 4, 24]), real([2, 6, 24]), real([2, 6, 30])]
const masks: Input[] = [
  real([4, 6]),
  any([4, 6], 'bool'),
  real([1, 1, 4, 6]),
  real([2, 3, 4, 6]),
  real([2, 1, 4, 6]),
  real([1, 4, 6]),
  any([2, 3, 4, 6], 'bool'),
]
const past: Input[] = [real([2, 3, 5, 8]), real([2, 3, 5, 8])]

const flags: readonly CaseAttributes[] = [
  {},
  { is_causal: 1 },
  { scale: f(0.01) },
  { softcap: f(2) },
  { is_causal: 1, softcap: f(3), scale: f(0.2) },
]
const modes: readonly CaseAttributes[] = [
  { qk_matmul_output_mode: 0 },
  { qk_matmul_output_mode: 1 },
  { qk_matmul_output_mode: 2 },
  { qk_matmul_output_mode: 3 },
]
const heads = { q_num_heads: 3, kv_num_heads: 3 }
const groupedHeads = { q_num_heads: 3, kv_num_heads: 1 }

const attentions: readonly Row[] = [
  { op: 'Attention', inputs: [[q, k, v], grouped, wide], attributes: flags },
  {
    op: 'Attention',
    dtypes: ['float16', 'bfloat16'],
    inputs: [[q, k, v], grouped, wide],
    attributes: flags,
    tolerance: { relative: 1e-2, absolute: 5e-3 },
  },
  { op: 'Attention', inputs: masks.map(mask => [q, k, v, mask]), attributes: flags, tolerance: loose },
  {
    op: 'Attention',
    inputs: [[...grouped, real([4, 6])], [...grouped, real([2, 6, 4, 6])], [...wide, real([4, 6])], square],
    attributes: flags,
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [flat, flatWide],
    attributes: flags.map(one => ({ ...heads, ...one })),
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [
      [...flat, real([4, 6])],
      [...flat, any([2, 3, 4, 6], 'bool')],
    ],
    attributes: [heads, { ...heads, is_causal: 1 }],
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [flatGrouped, [...flatGrouped, real([4, 6])]],
    attributes: flags.map(one => ({ ...groupedHeads, ...one })),
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [
      [q, k, v, undefined, ...past],
      [q, k, v, real([4, 11]), ...past],
      [q, k, v, any([2, 3, 4, 11], 'bool'), ...past],
    ],
    attributes: flags,
    outputs: 3,
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [
      [q, k, v, real([4, 11]), ...past],
      [q, k, v, undefined, ...past],
      [q, k, v, real([1, 4, 11]), ...past],
    ],
    attributes: modes.flatMap(one => [one, { ...one, is_causal: 1 }, { ...one, softcap: f(2) }]),
    outputs: 4,
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [
      [q, k, v],
      [q, k, v, real([4, 6])],
    ],
    attributes: modes,
    outputs: [true, false, false, true],
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [
      [...flat, real([4, 11]), ...past],
      [...flat, undefined, ...past],
    ],
    attributes: [heads, { ...heads, is_causal: 1 }, { ...heads, qk_matmul_output_mode: 1 }],
    outputs: 4,
    tolerance: loose,
  },
  {
    op: 'Attention',
    since: 24,
    inputs: [
      [q, k, v, undefined, undefined, undefined, i64(3, 6)],
      [q, k, v, real([4, 6]), undefined, undefined, i64(3, 5)],
      [q, k, v, real([4, 4]), undefined, undefined, i64(3, 4)],
    ],
    attributes: flags,
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [[q, k, v, values([0, 0, 0, 0, 0, 0, ...Array.from({ length: 18 }, () => 1)], [4, 6], 'bool')]],
    tolerance: loose,
  },
  {
    op: 'Attention',
    inputs: [[q, k, v]],
    attributes: [{ softmax_precision: 1 }, { softmax_precision: 11 }],
    tolerance: { relative: 4e-3, absolute: 2e-3 },
  },
]

const caches = (half: number): Input[] => [real([10, half], -1, 1), real([10, half], -1, 1)]
const positions = whole([2, 3], 0, 9, 'int64')
const perPosition = (half: number): Input[] => [real([2, 3, half], -1, 1), real([2, 3, half], -1, 1)]

const rotations: readonly Row[] = [
  {
    op: 'RotaryEmbedding',
    dtypes: ['float32', 'float16', 'bfloat16'],
    inputs: [
      [real([2, 4, 3, 8]), ...caches(4), positions],
      [real([2, 4, 3, 8]), ...perPosition(4)],
    ],
    attributes: [{}, { interleaved: 1 }],
  },
  {
    op: 'RotaryEmbedding',
    inputs: [
      [real([2, 4, 3, 8]), ...caches(2), positions],
      [real([2, 4, 3, 8]), ...perPosition(2)],
    ],
    attributes: [{ rotary_embedding_dim: 4 }, { rotary_embedding_dim: 4, interleaved: 1 }],
  },
  {
    op: 'RotaryEmbedding',
    inputs: [
      [real([2, 3, 32]), ...caches(4), positions],
      [real([2, 3, 32]), ...perPosition(4)],
    ],
    attributes: [{ num_heads: 4 }, { num_heads: 4, interleaved: 1 }],
  },
  {
    op: 'RotaryEmbedding',
    inputs: [
      [real([2, 3, 32]), ...caches(2), positions],
      [real([2, 3, 32]), ...perPosition(2)],
    ],
    attributes: [
      { num_heads: 4, rotary_embedding_dim: 4 },
      { num_heads: 4, rotary_embedding_dim: 4, interleaved: 1 },
    ],
  },
]

const windows: readonly CaseAttributes[] = [
  { left_window_size: 1 },
  { right_window_size: 1 },
  { left_window_size: 2, right_window_size: 0 },
  { left_window_size: 0, right_window_size: 3, is_causal: 1 },
  { left_window_size: 1, is_causal: 1, softcap: f(2) },
]
const sliding: readonly Row[] = [
  {
    op: 'Attention',
    since: 25,
    inputs: [
      [q, k, v],
      [q, k, v, any([4, 6], 'bool')],
      [q, k, v, real([2, 3, 4, 6])],
      [q, k, v, undefined, undefined, undefined, i64(3, 6)],
      [...grouped, undefined, undefined, undefined, i64(6, 4)],
    ],
    attributes: windows,
    tolerance: loose,
  },
  {
    op: 'Attention',
    since: 25,
    inputs: [
      [q, k, v, undefined, ...past],
      [q, k, v, real([4, 11]), ...past],
    ],
    attributes: windows,
    outputs: 4,
    tolerance: loose,
  },
]

const recurrences = (states: number, size: number): Input[][] => {
  const [query, key, value] = [
    real([2, 4, 4 * size], -1, 1),
    real([2, 4, states * size], -1, 1),
    real([2, 4, states * 3]),
  ]
  const state = real([2, states, size, 3])
  const [decay, fine, beta, common] = [
    real([2, 4, states], -1, 0),
    real([2, 4, states * size], -1, 0),
    real([2, 4, states], 0, 1),
    real([2, 4, 1], 0, 1),
  ]
  return [
    [query, key, value, undefined, decay, beta],
    [query, key, value, state, fine, beta],
    [query, key, value, state, decay, common],
  ]
}
const rule = (inputs: readonly Input[], delta: boolean, gated: boolean): Input[] => [
  ...inputs.slice(0, 4),
  gated ? inputs[4] : undefined,
  delta ? inputs[5] : undefined,
]

const newest: readonly Row[] = [
  { op: 'SwiGLU', dtypes: 'T', inputs: [[real([2, 3]), real([2, 3])]], attributes: [{}, { alpha: f(0.5) }] },
  {
    op: 'CausalConvWithState',
    dtypes: ['float32', 'float16'],
    inputs: [
      [real([1, 2, 5]), real([2, 1, 3])],
      [real([2, 2, 5]), real([2, 1, 3]), real([2])],
      [real([2, 2, 1]), real([2, 1, 4]), real([2]), real([2, 2, 3])],
      [real([1, 2, 2]), real([2, 1, 4])],
      [real([1, 2, 5]), real([2, 1, 1]), undefined, real([1, 2, 0])],
    ],
    attributes: [{}, { activation: 'silu' }, { activation: 'swish' }],
    outputs: 2,
    tolerance: { relative: 1e-2, absolute: 5e-3 },
  },
  ...[
    ['linear', false, false] as const,
    ['gated', false, true] as const,
    ['delta', true, false] as const,
    ['gated_delta', true, true] as const,
  ].flatMap(([update_rule, delta, gated]): Row[] =>
    [4, 2, 1].map(states => ({
      op: 'LinearAttention',
      inputs: recurrences(states, 2).map(list => rule(list, delta, gated)),
      attributes: [
        { q_num_heads: 4, kv_num_heads: states, update_rule },
        { q_num_heads: 4, kv_num_heads: states, update_rule, scale: f(0.3) },
      ],
      outputs: 2,
    })),
  ),
  {
    op: 'FlexAttention',
    dtypes: ['float32', 'float64', 'float16'],
    inputs: [[q, k, v], grouped, wide],
    attributes: [{}, { scale: f(0.3) }],
    tolerance: { relative: 1e-2, absolute: 5e-3 },
  },
]

export const attention: readonly Row[] = [...attentions, ...sliding, ...rotations, ...newest]
