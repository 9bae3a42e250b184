/** Convolutions. */
import type { Row } from '../case.ts'
import { any, i64, real, scalar, whole } from '../draw.ts'

const loose = { relative: 2e-2, absolute: 2e-2 }

export const convolutions: readonly Row[] = [
  {
    op: 'Conv',
    dtypes: 'T',
    inputs: [
      [real([1, 2, 5, 5]), real([3, 2, 3, 3])],
      [real([1, 2, 5, 5]), real([3, 2, 3, 3]), real([3])],
    ],
    tolerance: loose,
  },
  {
    op: 'Conv',
    inputs: [[real([2, 4, 6, 7]), real([6, 2, 3, 2]), real([6])]],
    attributes: [
      { group: 2 },
      { group: 2, strides: [2, 3] },
      { group: 2, dilations: [2, 3] },
      { group: 2, pads: [1, 0, 2, 3] },
      { group: 2, pads: [2, 1, 0, 1], strides: [2, 1], dilations: [1, 2] },
      { group: 2, auto_pad: 'SAME_UPPER' },
      { group: 2, auto_pad: 'SAME_LOWER' },
      { group: 2, auto_pad: 'SAME_UPPER', strides: [2, 3] },
      { group: 2, auto_pad: 'SAME_LOWER', strides: [2, 2] },
      { group: 2, auto_pad: 'SAME_UPPER', strides: [3, 5] },
      { group: 2, auto_pad: 'VALID', strides: [2, 1] },
      { group: 2, kernel_shape: [3, 2] },
      { group: 2, auto_pad: 'SAME_UPPER', dilations: [2, 2] },
      { group: 2, auto_pad: 'SAME_LOWER', dilations: [2, 3], strides: [2, 2] },
    ],
  },
  {
    op: 'Conv',
    inputs: [[real([1, 3, 8]), real([3, 1, 3])]],
    attributes: [
      { group: 3 },
      { group: 3, auto_pad: 'SAME_LOWER', strides: [2] },
      { group: 3, pads: [2, 1], dilations: [2] },
    ],
  },
  {
    op: 'Conv',
    inputs: [[real([1, 2, 4, 5, 3]), real([2, 2, 2, 3, 2])]],
    attributes: [{}, { strides: [1, 2, 1], pads: [1, 0, 1, 0, 1, 1] }, { auto_pad: 'SAME_UPPER' }],
  },
  {
    op: 'Conv',
    inputs: [
      [real([0, 2, 4]), real([3, 2, 2])],
      [real([1, 2, 1]), real([3, 2, 1])],
      [real([1, 1, 2, 2]), real([1, 1, 2, 2])],
    ],
  },
  {
    op: 'ConvTranspose',
    inputs: [
      [real([1, 2, 3, 4]), real([2, 3, 3, 2]), real([3])],
      [real([2, 2, 3, 4]), real([2, 3, 3, 2])],
    ],
    attributes: [
      {},
      { strides: [2, 3] },
      { strides: [3, 2], output_padding: [1, 1] },
      { strides: [3, 2], output_padding: [2, 1], pads: [1, 1, 1, 0] },
      { dilations: [2, 2] },
      { dilations: [2, 3], strides: [2, 2], pads: [1, 0, 2, 1] },
      { strides: [2, 2], output_shape: [8, 9] },
      { strides: [2, 2], output_shape: [6, 7] },
      { strides: [2, 2], output_shape: [6, 7], auto_pad: 'SAME_UPPER' },
      { strides: [2, 2], output_shape: [6, 7], auto_pad: 'SAME_LOWER' },
      { strides: [2, 2], auto_pad: 'SAME_UPPER' },
      { strides: [2, 2], auto_pad: 'SAME_LOWER' },
      { strides: [3, 3], auto_pad: 'SAME_UPPER' },
      { strides: [2, 1], auto_pad: 'VALID' },
      { auto_pad: 'SAME_UPPER' },
      { auto_pad: 'SAME_LOWER' },
      { strides: [3, 2], output_shape: [10, 8] },
      { strides: [3, 2], output_shape: [10, 8], output_padding: [1, 1] },
      { kernel_shape: [3, 2], strides: [1, 2] },
    ],
  },
  {
    op: 'ConvTranspose',
    inputs: [[real([1, 4, 3]), real([4, 2, 3]), real([4])]],
    attributes: [
      { group: 2 },
      { group: 2, strides: [2], pads: [1, 1] },
      { group: 2, strides: [2], output_padding: [1] },
    ],
  },
  {
    op: 'ConvTranspose',
    inputs: [[real([1, 2, 2, 3, 2]), real([2, 1, 2, 2, 2])]],
    attributes: [{}, { strides: [2, 1, 2], pads: [0, 1, 0, 0, 0, 1] }],
  },
  {
    op: 'ConvTranspose',
    dtypes: ['float64', 'float16', 'bfloat16'],
    inputs: [[real([1, 1, 3, 3]), real([1, 2, 3, 3])]],
    tolerance: loose,
  },
  {
    op: 'DeformConv',
    dtypes: ['float32', 'float64'],
    inputs: [
      [real([1, 2, 4, 4]), real([2, 2, 2, 2]), real([1, 8, 3, 3], -1.5, 1.5)],
      [real([1, 2, 4, 4]), real([2, 2, 2, 2]), real([1, 8, 3, 3], -1.5, 1.5), real([2])],
      [
        real([1, 2, 4, 4]),
        real([2, 2, 2, 2]),
        real([1, 8, 3, 3], -1.5, 1.5),
        real([2]),
        real([1, 4, 3, 3], 0, 1),
      ],
      [
        real([1, 2, 4, 4]),
        real([2, 2, 2, 2]),
        real([1, 8, 3, 3], -5, 5),
        undefined,
        real([1, 4, 3, 3], 0, 1),
      ],
    ],
    attributes: [{}, { kernel_shape: [2, 2] }],
  },
  {
    op: 'DeformConv',
    inputs: [
      [
        real([2, 4, 5, 6]),
        real([4, 2, 3, 2]),
        real([2, 24, 3, 6], -1.5, 1.5),
        real([4]),
        real([2, 12, 3, 6], 0, 1),
      ],
    ],
    attributes: [{ group: 2, offset_group: 2, strides: [2, 1], pads: [1, 1, 1, 0] }],
  },
  {
    op: 'DeformConv',
    inputs: [[real([1, 1, 5, 5]), real([1, 1, 2, 2]), real([1, 8, 3, 3], -1.5, 1.5)]],
    attributes: [{ dilations: [2, 2] }],
  },
  {
    op: 'ConvInteger',
    dtypes: ['uint8', 'int8'],
    inputs: (['uint8', 'int8'] as const).flatMap(w => [
      [any([1, 2, 4, 5]), any([4, 2, 2, 3], w)],
      [any([1, 2, 4, 5]), any([4, 2, 2, 3], w), whole([], 0, 9)],
      [any([1, 2, 4, 5]), any([4, 2, 2, 3], w), whole([], 0, 9), whole([], 0, 9, w)],
      [any([1, 2, 4, 5]), any([4, 2, 2, 3], w), undefined, whole([4], 0, 9, w)],
    ]),
    attributes: [
      {},
      { pads: [1, 1, 0, 1] },
      { strides: [2, 1], auto_pad: 'SAME_UPPER' },
      { dilations: [2, 1] },
    ],
  },
  {
    op: 'QLinearConv',
    dtypes: ['uint8', 'int8'],
    inputs: (['uint8', 'int8'] as const).flatMap(w => [
      [
        any([1, 2, 4, 5]),
        scalar(0.02, 'float32'),
        whole([], 0, 9),
        any([4, 2, 2, 3], w),
        scalar(0.03, 'float32'),
        whole([], 0, 0, w),
        scalar(0.01, 'float32'),
        whole([], 0, 9),
      ],
      [
        any([1, 2, 4, 5]),
        scalar(0.02, 'float32'),
        whole([], 0, 9),
        any([4, 2, 2, 3], w),
        real([4], 0.01, 0.05, 'float32'),
        whole([4], 0, 0, w),
        scalar(0.02, 'float32'),
        whole([], 0, 9),
        whole([4], -500, 500, 'int32'),
      ],
    ]),
    attributes: [
      {},
      { pads: [1, 1, 0, 1] },
      { strides: [2, 1], auto_pad: 'SAME_UPPER' },
      { dilations: [2, 1] },
    ],
  },
  {
    op: 'QLinearConv',
    dtypes: ['uint8'],
    inputs: [
      [
        any([1, 4, 4]),
        scalar(0.02, 'float32'),
        whole([], 0, 9),
        any([4, 2, 2]),
        scalar(0.03, 'float32'),
        whole([], 0, 9),
        scalar(0.01, 'float32'),
        whole([], 0, 9),
      ],
    ],
    attributes: [{ group: 2 }],
  },
  {
    op: 'Col2Im',
    dtypes: 'T',
    without: ['string'],
    inputs: [
      [any([1, 5, 5]), i64(5, 5), i64(1, 5)],
      [any([2, 8, 9]), i64(4, 4), i64(2, 2)],
    ],
  },
  { op: 'Col2Im', inputs: [[real([1, 9, 4]), i64(5, 5), i64(3, 3)]], attributes: [{ strides: [2, 2] }] },
  { op: 'Col2Im', inputs: [[real([1, 4, 5]), i64(6, 6), i64(2, 2)]], attributes: [{ dilations: [1, 5] }] },
  {
    op: 'Col2Im',
    inputs: [[real([1, 4, 36]), i64(5, 5), i64(2, 2)]],
    attributes: [{ pads: [1, 1, 1, 1], dilations: [1, 1] }],
  },
  {
    op: 'Col2Im',
    inputs: [
      [real([1, 10, 12]), i64(3, 4, 5), i64(1, 1, 5)],
      [real([1, 3, 4]), i64(6), i64(3)],
    ],
  },
]
