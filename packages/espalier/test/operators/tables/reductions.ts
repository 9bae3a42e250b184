/** Reductions over axes, running sums, extremes and orders. */
import type { Row } from '../case.ts'
import { any, distinct, i64, odd, real, scalar, values, whole } from '../draw.ts'

const reduced = [
  'ReduceSum',
  'ReduceMean',
  'ReduceProd',
  'ReduceMax',
  'ReduceMin',
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceSumSquare',
]
const axesInput = reduced.filter(op => op !== 'ReduceSum')
const withoutProduct = axesInput.filter(op => op !== 'ReduceProd')
const x = whole([3, 2, 4], 1, 4)
const fraction = real([3, 2, 4], 0.1, 2)

const attributeAxes = [
  {},
  { axes: [1] },
  { axes: [0, 2] },
  { axes: [-1], keepdims: 0 },
  { axes: [-3, 1], keepdims: 0 },
  { keepdims: 0 },
  { axes: [2, 0, 1] },
]

const axesOf = (input: typeof x): (typeof x | undefined)[][] => [
  [input],
  [input, undefined],
  [input, i64()],
  [input, i64(1)],
  [input, i64(0, 2)],
  [input, i64(-1)],
  [input, i64(-3, 1)],
  [input, i64(2, 0, 1)],
]
const flags = [{}, { keepdims: 0 }, { noop_with_empty_axes: 1 }, { keepdims: 0, noop_with_empty_axes: 1 }]

export const reductions: readonly Row[] = [
  { op: 'ReduceSum', until: 12, dtypes: 'T', inputs: [[x]], attributes: attributeAxes },
  {
    op: withoutProduct,
    until: 17,
    dtypes: 'T',
    inputs: [[x]],
    attributes: attributeAxes.slice(2, 4),
  },
  { op: withoutProduct, until: 17, dtypes: ['float32'], inputs: [[x]], attributes: attributeAxes },
  {
    op: axesInput,
    until: 17,
    dtypes: ['float32', 'float64'],
    inputs: [[fraction], [real([2, 0, 3])], [real([0])], [odd([4, 3])]],
    attributes: [{}, { keepdims: 0 }, { axes: [0] }],
  },
  {
    op: axesInput,
    until: 17,
    dtypes: ['float32', 'float64'],
    inputs: [[real([])]],
    attributes: [{}, { keepdims: 0 }],
  },
  {
    op: 'ReduceSum',
    since: 13,
    dtypes: 'T',
    inputs: [[x, i64(-1, 0)]],
    attributes: flags.slice(0, 2),
  },
  { op: 'ReduceSum', since: 13, dtypes: ['float32', 'int32'], inputs: axesOf(x), attributes: flags },
  {
    op: withoutProduct,
    since: 18,
    dtypes: 'T',
    inputs: [[x, i64(-1, 0)]],
    attributes: flags.slice(0, 2),
  },
  {
    op: withoutProduct,
    since: 18,
    dtypes: ['float32', 'int32'],
    inputs: axesOf(x),
    attributes: flags,
  },
  {
    op: 'ReduceProd',
    until: 17,
    dtypes: 'T',
    inputs: [[whole([3, 2, 4], 1, 2)]],
    attributes: attributeAxes.slice(2, 4),
  },
  {
    op: 'ReduceProd',
    since: 18,
    dtypes: 'T',
    inputs: [[whole([3, 2, 4], 1, 2), i64(-1, 0)]],
    attributes: flags.slice(0, 2),
  },
  {
    op: reduced,
    since: 18,
    inputs: [
      ...axesOf(real([3, 2, 4], -2, 3)).slice(3),
      [any([])],
      [any([]), i64()],
      [any([2, 0, 3])],
      [any([2, 0, 3]), i64(1)],
      [any([2, 0, 3]), i64(0)],
      [any([0]), i64(0)],
      [any([0])],
    ],
    attributes: flags,
  },
  {
    op: reduced,
    since: 18,
    dtypes: ['float32', 'float64', 'float16'],
    inputs: [
      [odd([5, 4]), i64(1)],
      [odd([5, 4]), i64(0)],
      [values([1000, 1000, -1000, 5], [2, 2]), i64(1)],
      [values([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]), i64(0)],
      [values([Number.POSITIVE_INFINITY, 0]), i64(0)],
    ],
  },
  {
    op: ['ReduceMax', 'ReduceMin'],
    since: 20,
    dtypes: ['bool'],
    inputs: [...axesOf(any([3, 2, 4])), [any([0, 2]), i64(0)]],
    attributes: flags,
  },
  {
    op: ['ReduceMax', 'ReduceMin'],
    since: 18,
    dtypes: ['int8', 'uint8', 'int32', 'int64', 'uint32', 'uint64', 'float16', 'float64'],
    inputs: [
      [any([2, 0, 3]), i64(1)],
      [odd([3, 4]), i64(1)],
    ],
  },
  {
    op: ['ArgMax', 'ArgMin'],
    dtypes: 'T',
    inputs: [[whole([3, 2, 4], 0, 3)]],
    attributes: [{}, { axis: 1 }, { axis: -1, keepdims: 0 }, { axis: 2 }, { axis: -3 }],
  },
  {
    op: ['ArgMax', 'ArgMin'],
    since: 12,
    dtypes: ['float32', 'int32', 'float64', 'int8', 'uint8'],
    inputs: [[whole([3, 2, 4], 0, 2)], [any([1])], [any([0, 2])]],
    attributes: [
      { select_last_index: 1, axis: 1 },
      { select_last_index: 1, axis: -1, keepdims: 0 },
    ],
  },
  {
    op: ['ArgMax', 'ArgMin'],
    since: 13,
    inputs: [[odd([4, 5])]],
    attributes: [{ axis: 1 }, { axis: 1, select_last_index: 1 }],
  },
  {
    op: ['CumSum', 'CumProd'],
    dtypes: 'T',
    inputs: [[any([3, 2, 4]), scalar(1, 'int32')]],
    attributes: [{}, { exclusive: 1, reverse: 1 }],
  },
  {
    op: ['CumSum', 'CumProd'],
    inputs: [
      [any([3, 2, 4]), scalar(1, 'int32')],
      [any([3, 2]), scalar(-1, 'int64')],
      [any([5]), i64(0)],
      [any([2, 0]), scalar(0, 'int64')],
      [any([2, 0]), scalar(1, 'int64')],
    ],
    attributes: [{}, { exclusive: 1 }, { reverse: 1 }, { exclusive: 1, reverse: 1 }],
  },
  {
    op: 'TopK',
    until: 9,
    dtypes: 'T',
    inputs: [[distinct([3, 4])], [distinct([2, 3, 4])]],
    attributes: [{ k: 1 }, { k: 3 }, { k: 2, axis: 0 }, { k: 1, axis: -2 }],
    outputs: 2,
  },
  {
    op: 'TopK',
    since: 10,
    until: 10,
    dtypes: 'T',
    inputs: [
      [distinct([3, 4]), i64(2)],
      [distinct([2, 3, 4]), i64(2)],
    ],
    attributes: [{}, { axis: 0 }, { axis: -2 }],
    outputs: 2,
  },
  {
    op: 'TopK',
    since: 11,
    dtypes: 'T',
    inputs: [
      [distinct([3, 4]), i64(2)],
      [whole([3, 6], 0, 3), i64(3)],
    ],
    attributes: [{}, { axis: -2, largest: 0 }],
    outputs: 2,
  },
  {
    op: 'TopK',
    since: 11,
    inputs: [
      [any([2, 3, 4]), i64(2)],
      [any([2, 2]), i64(0)],
      [whole([2, 2], 0, 9), i64(2)],
    ],
    attributes: [{}, { largest: 0 }, { axis: 0 }, { axis: -2, largest: 0 }],
    outputs: 2,
  },
  {
    op: 'TopK',
    since: 11,
    inputs: [
      [whole([40], 0, 8), i64(20)],
      [real([200]), i64(7)],
    ],
    attributes: [{}, { largest: 0 }],
    outputs: 2,
  },
  {
    op: 'Unique',
    dtypes: 'T',
    inputs: [[whole([12], 0, 4)], [whole([3, 4], 0, 4)]],
    attributes: [{}, { sorted: 0 }],
    outputs: 4,
    without: ['string'],
  },
  {
    op: 'Unique',
    dtypes: ['float32', 'int64', 'int8', 'float64', 'string'],
    inputs: [
      [any([0])],
      [any([8])],
      [any([2, 2, 3])],
      [values([1, 0, 0, 1, 0, 0, 2, 3, 4], [3, 3], 'float32')],
      [values([1, 1, 0, 1, 2, 1, 0, 1, 1, 1, 0, 1, 2, 1, 0, 1], [2, 4, 2], 'float32')],
    ],
    attributes: [{}, { axis: 0 }, { axis: -1 }, { axis: 0, sorted: 0 }, { sorted: 0 }].slice(0, 5),
    outputs: 4,
  },
  { op: 'Unique', dtypes: ['float32'], inputs: [[whole([5], 0, 2)]], outputs: [true, false, true, true] },
  {
    op: 'NonZero',
    dtypes: 'T',
    inputs: [
      [whole([3, 4], 0, 1)],
      [whole([2, 2, 2], 0, 1)],
      [whole([], 1, 1)],
      [whole([], 0, 0)],
      [whole([0, 2], 0, 1)],
      [whole([5], 0, 0)],
    ],
    without: ['string'],
  },
  { op: 'NonZero', dtypes: ['string', 'float32'], inputs: [[any([2, 3])], [odd([6])]] },
]
