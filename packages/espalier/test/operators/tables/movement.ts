/** Elements padded, rearranged, and made from nothing. */
import type { Row } from '../case.ts'
import { any, i64, scalar, values, whole } from '../draw.ts'

const i32 = (...list: readonly number[]) => values(list, [list.length], 'int32')

const pads: readonly Row[] = [
  {
    op: 'Pad',
    until: 10,
    dtypes: 'T',
    inputs: [[any([3, 4])]],
    attributes: [
      { pads: [0, 1, 2, 0] },
      { pads: [0, 1, 2, 0], value: { type: 'float', value: 1.5 } },
      { pads: [1, 2, 1, 3], mode: 'reflect' },
      { pads: [1, 2, 1, 3], mode: 'edge' },
      { pads: [0, -1, -1, 2] },
      { pads: [-1, 1, 0, -2], mode: 'edge' },
    ],
  },
  {
    op: 'Pad',
    since: 11,
    dtypes: 'T',
    inputs: [
      [any([3, 4]), i64(0, 1, 2, 0)],
      [any([3, 4]), i64(0, 1, 2, 0), any([])],
    ],
  },
  {
    op: 'Pad',
    since: 11,
    dtypes: ['float32', 'int64'],
    inputs: [
      [any([3, 4]), i64(1, 2, 1, 3)],
      [any([2, 3, 4]), i64(0, 1, 2, 1, 0, 3)],
      [any([3, 4]), i64(0, -1, -1, 2)],
      [any([3, 4]), i64(-1, 1, 0, -2)],
      [any([3, 4]), i64(0, 0, 0, 0)],
      [any([4]), i64(-1, -2)],
    ],
    attributes: [{}, { mode: 'reflect' }, { mode: 'edge' }],
  },
  {
    op: 'Pad',
    since: 11,
    inputs: [
      [any([0, 2]), i64(1, 1, 0, 0)],
      [any([]), i64()],
      [any([2, 0]), i64(0, 1, 1, 1), scalar(2)],
      [any([1, 3]), i64(0, 5, 0, 0)],
    ],
  },
  {
    op: 'Pad',
    since: 11,
    inputs: [
      [any([1, 3]), i64(0, 5, 0, 4)],
      [any([1, 3]), i64(2, 0, 2, 0)],
      [any([0, 2]), i64(1, 1, 0, 0)],
    ],
    attributes: [{ mode: 'edge' }],
  },
  {
    op: 'Pad',
    since: 18,
    dtypes: ['float32', 'int32'],
    inputs: [
      [any([2, 3, 4]), i64(1, 2), scalar(7), i64(1)],
      [any([2, 3, 4]), i64(1, 2, 2, 1), undefined, i64(-1, 0)],
      [any([2, 3, 4]), i64(1, 1), undefined, i32(-2)],
      [any([2, 3, 4]), i64(1, -2), undefined, i64(2)],
    ],
    attributes: [{}, { mode: 'reflect' }, { mode: 'edge' }],
  },
  {
    op: 'Pad',
    since: 19,
    dtypes: ['float32', 'int32'],
    inputs: [
      [any([2, 3, 4]), i64(1, 2), undefined, i64(1)],
      [any([3, 4]), i64(2, 1, 3, 5)],
      [any([3, 4]), i64(0, 9, 1, 7)],
      [any([3, 4]), i64(-1, 2, 1, -1)],
    ],
    attributes: [{ mode: 'wrap' }],
  },
]

const makers: readonly Row[] = [
  { op: 'ConstantOfShape', inputs: [[i64(2, 3)], [i64()], [i64(0, 2)], [i64(1)]] },
  {
    op: 'ConstantOfShape',
    inputs: [[i64(2, 3)]],
    attributes: (
      [
        'float32',
        'float64',
        'float16',
        'int8',
        'int16',
        'int32',
        'int64',
        'uint8',
        'uint16',
        'uint32',
        'uint64',
        'bool',
      ] as const
    ).map(type => ({ value: (values([1], [1], type) as (source: unknown) => never)({ dtype: type }) })),
  },
  {
    op: 'Range',
    dtypes: ['int16', 'int32', 'int64'],
    inputs: [
      [scalar(3), scalar(9), scalar(2)],
      [scalar(9), scalar(3), scalar(-3)],
      [scalar(3), scalar(3), scalar(1)],
      [scalar(3), scalar(1), scalar(1)],
      [scalar(-2), scalar(8), scalar(5)],
    ],
  },
  {
    op: 'Range',
    dtypes: ['float32', 'float64'],
    inputs: [
      [scalar(1), scalar(2), scalar(0.1)],
      [scalar(1), scalar(5), scalar(2)],
      [scalar(10), scalar(4), scalar(-2)],
      [scalar(0), scalar(1), scalar(0.3)],
      [scalar(0.5), scalar(0.1), scalar(-0.1)],
    ],
  },
  {
    op: 'Range',
    since: 27,
    dtypes: ['float16', 'bfloat16'],
    inputs: [
      [scalar(1), scalar(2), scalar(0.1)],
      [scalar(10), scalar(4), scalar(-1.5)],
    ],
    attributes: [{}, { stash_type: 11 }],
  },
  { op: 'EyeLike', dtypes: 'T1', inputs: [[any([3, 4])]] },
  {
    op: 'EyeLike',
    inputs: [[any([4, 5])], [any([0, 2])]],
    attributes: [
      { k: 1 },
      { k: -2 },
      { k: 10 },
      { k: -10 },
      { dtype: 11 },
      { dtype: 7, k: -1 },
      { dtype: 2 },
      { dtype: 9 },
      { dtype: 10 },
    ],
  },
  { op: 'Trilu', dtypes: 'T', inputs: [[any([3, 4])]], attributes: [{}, { upper: 0 }] },
  {
    op: 'Trilu',
    inputs: [
      [any([2, 3, 4]), scalar(1, 'int64')],
      [any([4, 3]), scalar(-1, 'int64')],
      [any([3, 3]), scalar(10, 'int64')],
      [any([3, 3]), scalar(-10, 'int64')],
      [any([2, 0, 3]), scalar(1, 'int64')],
      [any([3, 0]), scalar(6, 'int64')],
      [any([2, 1, 2, 3]), i64(1)],
    ],
    attributes: [{}, { upper: 0 }],
  },
  {
    op: 'OneHot',
    inputs: (['int64', 'int32', 'float32'] as const).flatMap(type =>
      (['float32', 'int64', 'int32'] as const).map(made => [
        whole([2, 3], -4, 5, type),
        scalar(4, type),
        values([2, 5], [2], made),
      ]),
    ),
    attributes: [{}, { axis: 0 }, { axis: 1 }],
  },
  {
    op: 'OneHot',
    inputs: [
      [whole([2, 3], 0, 3, 'int64'), i64(4), values([0, 1], [2], 'float32')],
      [whole([0, 2], 0, 3, 'int64'), scalar(4, 'int64'), values([0, 1], [2], 'float32')],
      [whole([5], -10, 12, 'int64'), scalar(10, 'int64'), values([1, 3], [2], 'float32')],
      [values([0, 1], [2], 'uint8'), values([3], [], 'uint8'), values([0, 1], [2], 'uint8')],
      [values([0, 1], [2], 'int64'), values([3], [], 'int64'), values([0, 1], [2], 'bool')],
    ],
    attributes: [{}, { axis: -1 }, { axis: 0 }],
  },
]

const arrangements: readonly Row[] = [
  {
    op: 'DepthToSpace',
    dtypes: 'T',
    inputs: [[any([1, 8, 2, 3])]],
    attributes: [{ blocksize: 2 }],
  },
  {
    op: 'DepthToSpace',
    since: 11,
    dtypes: ['float32', 'float64', 'uint8', 'int32'],
    inputs: [[any([2, 8, 2, 3])], [any([1, 12, 1, 2])]],
    attributes: [{ blocksize: 2, mode: 'CRD' }, { blocksize: 2, mode: 'DCR' }, { blocksize: 1 }],
  },
  { op: 'DepthToSpace', inputs: [[any([1, 18, 2, 1])]], attributes: [{ blocksize: 3 }] },
  {
    op: 'SpaceToDepth',
    dtypes: 'T',
    inputs: [[any([2, 2, 4, 6])]],
    attributes: [{ blocksize: 2 }],
  },
  { op: 'SpaceToDepth', inputs: [[any([1, 1, 6, 3])]], attributes: [{ blocksize: 3 }, { blocksize: 1 }] },
  {
    op: 'ReverseSequence',
    dtypes: 'T',
    inputs: [
      [any([4, 3]), i64(4, 1, 2)],
      [any([4, 3, 2]), i64(0, 3, 1)],
    ],
  },
  {
    op: 'ReverseSequence',
    inputs: [
      [any([4, 3]), i64(1, 2, 3, 3)],
      [any([4, 3, 2]), i64(1, 2, 3, 1)],
    ],
    attributes: [{ batch_axis: 0, time_axis: 1 }],
  },
  {
    op: 'CenterCropPad',
    dtypes: ['float32', 'int32', 'string', 'bool', 'float16', 'int8'],
    inputs: [
      [any([5, 4]), i64(3, 6)],
      [any([4, 5]), i64(7, 2)],
      [any([4, 5]), i32(4, 5)],
      [any([5, 4]), i64(2, 1)],
    ],
  },
  {
    op: 'CenterCropPad',
    inputs: [
      [any([5, 4, 3]), i64(2, 7)],
      [any([5, 4, 3]), i64(8, 2)],
    ],
    attributes: [{ axes: [0, 1] }, { axes: [1, 2] }, { axes: [-1, 0] }, { axes: [2, -2] }],
  },
]

export const movement: readonly Row[] = [...pads, ...makers, ...arrangements]
