/** Normalisation, softmaxes and losses. */
import { floatAttribute as f } from '../../../src/graph/builder.ts'
import type { Row } from '../case.ts'
import { odd, real, values, whole } from '../draw.ts'

/** For float16 and what the peer computes in less than the data type. */
const half = { relative: 4e-3, absolute: 2e-3 }
const images = real([2, 3, 4, 5])
const softmaxes = ['Softmax', 'LogSoftmax', 'Hardmax']
const axes = [{}, { axis: 0 }, { axis: 1 }, { axis: 2 }]
const negativeAxes = [{ axis: -1 }, { axis: -2 }]

const softmax: readonly Row[] = [
  { op: softmaxes, dtypes: 'T', inputs: [[real([2, 3, 4])]], attributes: axes },
  {
    op: softmaxes,
    since: 11,
    dtypes: 'T',
    inputs: [[real([2, 3, 4])]],
    attributes: negativeAxes,
  },
  {
    op: softmaxes,
    dtypes: ['float32', 'float64'],
    inputs: [[real([5])], [values([0])]],
    attributes: [{ axis: 0 }],
  },
  {
    op: softmaxes,
    until: 12,
    inputs: [[real([2, 3, 4, 2])], [real([0, 3])], [real([2, 1])]],
    attributes: [{}, { axis: 0 }, { axis: 1 }],
  },
  {
    op: softmaxes,
    since: 13,
    inputs: [[real([2, 3, 4, 2])], [real([0, 3])], [real([3, 0])], [real([2, 1])]],
    attributes: [{}, { axis: 0 }, { axis: -1 }],
  },
  {
    op: softmaxes,
    inputs: [[values([1000, 1001, 999, -1000], [1, 4])], [values([1, 3, 3, 2, 3, 1], [2, 3])]],
  },
  {
    op: ['Softmax', 'LogSoftmax'],
    inputs: [[odd([6, 2])], [values([Number.NEGATIVE_INFINITY, 1, Number.NEGATIVE_INFINITY, 2], [2, 2])]],
  },
]

const params = [real([3]), real([3])]
const stats = [real([3]), real([3], 0.2, 2)]

const batch: readonly Row[] = [
  {
    op: 'BatchNormalization',
    dtypes: 'T',
    inputs: [
      [images, ...params, ...stats],
      [real([2, 3]), ...params, ...stats],
      [real([1, 3, 5]), ...params, ...stats],
      [real([0, 3, 2]), ...params, ...stats],
      [real([1, 3, 2, 1, 2]), ...params, ...stats],
    ],
    attributes: [{}, { epsilon: f(0.01), momentum: f(0.5) }],
  },
  {
    op: 'BatchNormalization',
    until: 8,
    inputs: [[images, ...params.map(() => real([3, 4, 5])), real([3, 4, 5]), real([3, 4, 5], 0.2, 2)]],
    attributes: [{ spatial: 0 }],
  },
  {
    op: 'BatchNormalization',
    since: 14,
    dtypes: ['float32', 'float64', 'float16'],
    inputs: [
      [images, ...params, ...stats],
      [real([4, 3]), ...params, ...stats],
    ],
    attributes: [{ training_mode: 1 }, { training_mode: 1, momentum: f(0.3) }],
    outputs: 3,
  },
  {
    op: 'BatchNormalization',
    since: 15,
    inputs: [
      [real([2, 3, 4], -3, 3, 'float16'), ...params, ...stats],
      [real([2, 3, 4], -3, 3, 'float16'), real([3], -1, 1, 'float16'), real([3], -1, 1, 'float16'), ...stats],
    ],
  },
  {
    op: 'InstanceNormalization',
    dtypes: 'T',
    inputs: [
      [images, ...params],
      [real([2, 3, 4]), ...params],
      [real([1, 3, 2, 2, 2]), ...params],
    ],
    attributes: [{}, { epsilon: f(0.01) }],
  },
  {
    op: 'LayerNormalization',
    dtypes: 'T',
    inputs: [
      [images, real([5]), real([5])],
      [images, real([5])],
    ],
    attributes: [{}, { epsilon: f(0.1) }, { axis: 3 }],
    outputs: 3,
  },
  {
    op: 'LayerNormalization',
    inputs: [
      [images, real([4, 5]), real([4, 5])],
      [images, real([5]), real([4, 5])],
      [images, real([4, 1])],
      [images, real([1])],
      [images, real([])],
    ],
    attributes: [{ axis: -2 }, { axis: 2 }],
    outputs: [true, false, true],
  },
  {
    op: 'LayerNormalization',
    inputs: [[images, images, images]],
    attributes: [{ axis: 0 }, { axis: -4 }],
    outputs: 3,
  },
  {
    op: 'LayerNormalization',
    inputs: [
      [real([2, 3, 1]), real([1])],
      [real([0, 3]), real([3])],
      [real([4]), real([4])],
    ],
    outputs: 3,
  },
  {
    op: 'LayerNormalization',
    dtypes: ['float16', 'bfloat16', 'float64'],
    inputs: [[images, real([5]), real([5])]],
    attributes: [{}, { stash_type: 1 }],
    outputs: 1,
  },
  {
    op: 'RMSNormalization',
    dtypes: 'T',
    inputs: [[images, real([5])]],
    attributes: [{}, { epsilon: f(0.1) }, { axis: 3 }],
  },
  {
    op: 'RMSNormalization',
    inputs: [
      [images, real([4, 5])],
      [images, real([5])],
      [images, real([4, 1])],
      [images, real([])],
    ],
    attributes: [{ axis: -2 }, { axis: 2 }],
  },
  {
    op: 'RMSNormalization',
    inputs: [
      [images, images],
      [images, real([5])],
    ],
    attributes: [{ axis: 0 }, { axis: -4 }],
  },
  {
    op: 'GroupNormalization',
    until: 20,
    dtypes: 'T',
    inputs: [[real([2, 4, 3, 2]), real([2]), real([2])]],
    attributes: [{ num_groups: 2 }, { num_groups: 2, epsilon: f(0.1) }],
  },
  {
    op: 'GroupNormalization',
    since: 21,
    dtypes: 'T',
    tolerance: half,
    inputs: [
      [real([2, 4, 3, 2]), real([4]), real([4])],
      [real([2, 4, 3]), real([4]), real([4])],
      [real([2, 4]), real([4]), real([4])],
    ],
    attributes: [{ num_groups: 2 }, { num_groups: 1, epsilon: f(0.1) }, { num_groups: 4 }],
  },
  {
    op: 'LpNormalization',
    dtypes: 'T',
    inputs: [[images], [real([3])], [values([0, 0, 0], [1, 3])], [real([0, 3])]],
    attributes: [{}, { p: 1 }, { axis: 0 }, { axis: 0, p: 1 }],
  },
  { op: 'LpNormalization', inputs: [[images]], attributes: [{ axis: 1 }, { axis: -2, p: 1 }] },
  {
    op: 'LRN',
    dtypes: 'T',
    inputs: [[real([2, 6, 3, 2])], [real([1, 2, 3, 3])]],
    attributes: [
      { size: 3 },
      { size: 5, alpha: f(0.2), beta: f(0.5), bias: f(2) },
      { size: 1 },
      { size: 11 },
    ],
  },
  {
    op: 'LRN',
    inputs: [[real([2, 6])], [real([2, 6, 3])], [real([2, 6, 2, 2, 2])]],
    attributes: [{ size: 3, alpha: f(0.2) }],
  },
  {
    op: 'LRN',
    inputs: [[real([2, 6, 2, 2])]],
    attributes: [
      { size: 4, alpha: f(0.2) },
      { size: 2, alpha: f(1) },
    ],
  },
  {
    op: 'MeanVarianceNormalization',
    dtypes: 'T',
    inputs: [[images]],
    attributes: [{}, { axes: [1] }, { axes: [0, 2, 3] }, { axes: [0, 1, 2, 3] }, { axes: [-1] }],
  },
  {
    op: 'MeanVarianceNormalization',
    inputs: [[real([2, 3, 4])]],
    attributes: [{ axes: [0, 2] }, { axes: [1] }],
  },
]

const classes = (shape: readonly number[]) => whole(shape, 0, 3, 'int64')
const reductions = [{}, { reduction: 'none' }, { reduction: 'sum' }]
const ignoring = reductions.flatMap(one => [
  { ...one, ignore_index: 1 },
  { ...one, ignore_index: -1 },
  { ...one, ignore_index: 100 },
])
const withIgnored = values([1, -1, 0, 3, 2, 1], [2, 3], 'int64')

const losses: readonly Row[] = [
  {
    op: ['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'],
    dtypes: 'T',
    inputs: [
      [real([3, 4]), classes([3])],
      [real([3, 4]), classes([3]), real([4], 0.1, 1)],
      [real([2, 4, 3]), classes([2, 3]), real([4], 0.1, 1)],
      [real([2, 4, 3]), classes([2, 3])],
      [real([1, 4, 2, 2, 2]), classes([1, 2, 2, 2]), real([4], 0.1, 1)],
    ],
    attributes: [...reductions, { reduction: 'none', ignore_index: 1 }, { ignore_index: 2 }],
  },
  {
    op: ['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'],
    inputs: [
      [real([2, 4, 3]), classes([2, 3]), real([4], 0.1, 1)],
      [real([2, 4, 3]), whole([2, 3], 0, 3, 'int32')],
    ],
    attributes: ignoring,
  },
  {
    op: ['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'],
    inputs: [
      [real([2, 4, 3]), withIgnored],
      [real([2, 4, 3]), withIgnored, real([4], 0.1, 1)],
    ],
    attributes: reductions.map(one => ({ ...one, ignore_index: -1 })),
  },
  {
    op: ['NegativeLogLikelihoodLoss', 'SoftmaxCrossEntropyLoss'],
    inputs: [[real([2, 4]), values([1, 1], [2], 'int64')]],
    attributes: reductions.map(one => ({ ...one, ignore_index: 1 })),
  },
  {
    op: 'SoftmaxCrossEntropyLoss',
    dtypes: ['float32', 'float64', 'float16'],
    inputs: [
      [real([3, 4]), classes([3])],
      [real([2, 4, 3]), classes([2, 3]), real([4], 0.1, 1)],
      [real([1, 4, 2, 2]), classes([1, 2, 2])],
    ],
    attributes: reductions,
    outputs: 2,
  },
]

export const normalization: readonly Row[] = [...softmax, ...batch, ...losses]
