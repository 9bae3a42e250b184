/** Pooling. */
import type { Row } from '../case.ts'
import { any, distinct, i64, real, values } from '../draw.ts'

/** Modes of a window that pooling operators share. */
const windows = [
  { kernel_shape: [2, 2] },
  { kernel_shape: [3, 3], strides: [2, 2] },
  { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 1, 1] },
  { kernel_shape: [3, 3], pads: [2, 2, 2, 2] },
  { kernel_shape: [3, 3], auto_pad: 'SAME_UPPER' },
  { kernel_shape: [3, 3], auto_pad: 'SAME_LOWER', strides: [2, 2] },
  { kernel_shape: [2, 2], auto_pad: 'SAME_UPPER', strides: [3, 2] },
  { kernel_shape: [2, 3], auto_pad: 'SAME_LOWER' },
  { kernel_shape: [3, 3], auto_pad: 'VALID', strides: [2, 1] },
]
const ceiled = [
  { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
  { kernel_shape: [2, 2], strides: [3, 3], ceil_mode: 1 },
  { kernel_shape: [3, 2], strides: [2, 3], ceil_mode: 1, pads: [1, 0, 1, 1] },
  { kernel_shape: [1, 1], strides: [2, 2], ceil_mode: 1 },
  { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1, pads: [1, 1, 1, 1] },
  { kernel_shape: [3, 3], strides: [4, 4], ceil_mode: 1, pads: [0, 0, 2, 2] },
]
const dilated = [
  { kernel_shape: [2, 2], dilations: [2, 2] },
  { kernel_shape: [3, 2], dilations: [1, 3], strides: [2, 1], pads: [1, 1, 0, 1] },
  { kernel_shape: [2, 2], dilations: [3, 2], strides: [2, 2], ceil_mode: 1 },
  { kernel_shape: [2, 2], dilations: [2, 2], auto_pad: 'SAME_UPPER' },
  { kernel_shape: [2, 3], dilations: [2, 2], auto_pad: 'SAME_LOWER', strides: [2, 1] },
]
const counting = [...windows, ...ceiled].flatMap(one => [one, { ...one, count_include_pad: 1 }])
const planes = [[real([2, 2, 6, 7])]]

export const pooling: readonly Row[] = [
  { op: 'MaxPool', dtypes: 'T', inputs: [[any([1, 2, 5, 6])]], attributes: windows.slice(0, 4) },
  { op: 'MaxPool', inputs: planes, attributes: windows },
  {
    op: 'MaxPool',
    since: 8,
    inputs: [[distinct([2, 2, 6, 7])]],
    attributes: [
      ...windows,
      { kernel_shape: [2, 2], storage_order: 1 },
      { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 1, 1, 0], storage_order: 1 },
    ],
    outputs: 2,
  },
  {
    op: 'MaxPool',
    since: 10,
    inputs: [...planes, [distinct([1, 2, 5, 5])]],
    attributes: [...ceiled, ...dilated],
    outputs: 2,
  },
  {
    op: 'MaxPool',
    since: 10,
    dtypes: ['float32', 'float64'],
    inputs: [[distinct([2, 2, 9])]],
    attributes: [
      { kernel_shape: [3] },
      { kernel_shape: [3], strides: [2], dilations: [2], ceil_mode: 1 },
      { kernel_shape: [2], auto_pad: 'SAME_LOWER' },
    ],
    outputs: 2,
  },
  {
    op: 'MaxPool',
    since: 10,
    inputs: [[distinct([1, 2, 4, 3, 5])]],
    attributes: [
      { kernel_shape: [2, 2, 2] },
      { kernel_shape: [2, 2, 3], strides: [2, 1, 2], pads: [1, 0, 1, 0, 1, 1], ceil_mode: 1 },
      { kernel_shape: [2, 2, 2], dilations: [2, 1, 3] },
    ],
    outputs: 2,
  },
  {
    op: 'MaxPool',
    since: 8,
    inputs: [[values([1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 3, 3])]],
    attributes: [{ kernel_shape: [2, 2] }, { kernel_shape: [2, 2], pads: [1, 1, 1, 1] }],
    outputs: 2,
  },
  { op: 'AveragePool', dtypes: 'T', inputs: planes, attributes: windows.slice(0, 4) },
  {
    op: 'AveragePool',
    inputs: planes,
    attributes: windows.flatMap(one => [one, { ...one, count_include_pad: 1 }]),
  },
  { op: 'AveragePool', since: 10, inputs: [...planes, [real([1, 1, 5, 5])]], attributes: counting },
  {
    op: 'AveragePool',
    since: 19,
    inputs: planes,
    attributes: dilated.flatMap(one => [one, { ...one, count_include_pad: 1 }]),
  },
  {
    op: 'AveragePool',
    since: 19,
    inputs: [[real([1, 2, 4, 3, 5])]],
    attributes: [
      { kernel_shape: [2, 2, 3], strides: [2, 1, 2], pads: [1, 0, 1, 0, 1, 1], ceil_mode: 1 },
      { kernel_shape: [2, 2, 2], dilations: [2, 1, 3], count_include_pad: 1 },
    ],
  },
  {
    op: 'AveragePool',
    since: 10,
    inputs: [[real([2, 2, 9])]],
    attributes: [
      { kernel_shape: [3] },
      { kernel_shape: [4], strides: [3], pads: [1, 2], ceil_mode: 1 },
      { kernel_shape: [4], strides: [3], pads: [1, 2], ceil_mode: 1, count_include_pad: 1 },
    ],
  },
  {
    op: 'LpPool',
    dtypes: ['float32', 'float64', 'float16'],
    inputs: planes,
    attributes: [
      ...windows,
      ...windows.slice(0, 3).map(one => ({ ...one, p: 1 })),
      { kernel_shape: [2, 2], p: 3 },
    ],
  },
  { op: 'LpPool', since: 18, inputs: planes, attributes: [...ceiled, ...dilated, { ...dilated[0], p: 3 }] },
  { op: 'LpPool', inputs: [[real([1, 2, 6])], [real([1, 2, 6])]], attributes: [{ kernel_shape: [3], p: 1 }] },
  { op: 'LpPool', inputs: [[real([1, 2, 3, 4, 3])]], attributes: [{ kernel_shape: [2, 2, 2] }] },
  {
    op: ['GlobalAveragePool', 'GlobalMaxPool'],
    dtypes: 'T',
    inputs: [[real([2, 3, 4, 5])], [real([2, 3, 4])], [real([1, 2, 2, 3, 2])], [real([0, 2, 3])]],
  },
  {
    op: 'GlobalLpPool',
    dtypes: 'T',
    inputs: [[real([2, 3, 4, 5])], [real([2, 3, 4])]],
    attributes: [{}, { p: 1 }, { p: 3 }],
  },
  {
    op: 'MaxUnpool',
    dtypes: ['float32', 'float64'],
    inputs: [[values([1, 2, 3, 4], [1, 1, 2, 2]), values([5, 7, 13, 15], [1, 1, 2, 2], 'int64')]],
    attributes: [
      { kernel_shape: [2, 2], strides: [2, 2] },
      { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 1, 1, 0] },
    ],
  },
  {
    op: 'MaxUnpool',
    inputs: [
      [values([5, 6, 7, 8], [1, 1, 2, 2]), values([5, 7, 13, 15], [1, 1, 2, 2], 'int64'), i64(1, 1, 5, 5)],
    ],
    attributes: [{ kernel_shape: [2, 2], strides: [2, 2] }],
  },
  {
    op: 'MaxRoiPool',
    dtypes: ['float32', 'float64'],
    inputs: [
      [real([2, 2, 6, 6]), values([0, 0, 0, 3, 3, 1, 1, 2, 5, 4, 0, 5, 5, 5, 5, 1, 0, 4, 3, 2], [4, 5])],
    ],
    attributes: [{ pooled_shape: [2, 2] }],
  },
  {
    op: 'MaxRoiPool',
    inputs: [[real([1, 1, 6, 6]), values([0, 1, 1, 8, 9, 0, 0, 0, 11, 11], [2, 5])]],
    attributes: [{ pooled_shape: [2, 3], spatial_scale: { type: 'float', value: 0.5 } }],
  },
]
