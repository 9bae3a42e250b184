/** Elements chosen by index, and put where an index says. */
import type { Row } from '../case.ts'
import { any, i64, values, whole } from '../draw.ts'

const at = (shape: readonly number[], low: number, high: number, type: 'int64' | 'int32' = 'int64') =>
  whole(shape, low, high, type)

const gathers: readonly Row[] = [
  { op: 'Gather', dtypes: 'T', inputs: [[any([3, 2]), at([2], 0, 2)]] },
  {
    op: 'Gather',
    inputs: [
      [any([3, 4, 2]), at([], 0, 2)],
      [any([3, 4, 2]), at([2, 2], 0, 2)],
      [any([3, 4, 2]), at([0], 0, 2)],
      [any([3, 4, 2]), at([3], 0, 1, 'int32')],
    ],
    attributes: [{}, { axis: 1 }],
  },
  {
    op: 'Gather',
    inputs: [[any([3, 4, 2]), at([3], 0, 1)]],
    attributes: [{ axis: 2 }, { axis: -1 }, { axis: -3 }],
  },
  {
    op: 'Gather',
    since: 11,
    inputs: [
      [any([3, 4, 2]), at([3], -3, 2)],
      [any([3, 4, 2]), i64(-1, 0, -3)],
      [any([3, 4, 2]), i64(5)],
    ],
  },
  { op: 'GatherElements', dtypes: 'T', inputs: [[any([3, 3]), at([2, 3], -3, 2)]] },
  {
    op: 'GatherElements',
    inputs: [
      [any([3, 4, 2]), at([3, 2, 2], -4, 3)],
      [any([3, 4, 2]), at([2, 5, 1], 0, 3)],
    ],
    attributes: [{ axis: 1 }, { axis: -2 }],
  },
  {
    op: 'GatherElements',
    inputs: [
      [any([3]), at([5], -3, 2, 'int32')],
      [any([3, 2]), at([0, 2], 0, 2)],
      [any([3, 2]), at([4, 1], 0, 2)],
    ],
  },
  { op: 'GatherND', dtypes: 'T', inputs: [[any([2, 2]), values([0, 0, 1, 1], [2, 2], 'int64')]] },
  {
    op: 'GatherND',
    inputs: [
      [any([3, 4, 2]), at([2, 2], -2, 1)],
      [any([3, 4, 2]), at([2, 1], -3, 2)],
      [any([3, 4, 2]), at([2, 2, 3], -2, 1)],
      [any([3, 4, 2]), at([1], 0, 2)],
      [any([3, 4]), at([0, 2], 0, 1)],
    ],
  },
  {
    op: 'GatherND',
    since: 12,
    inputs: [
      [any([2, 3, 4]), at([2, 1], 0, 2)],
      [any([2, 3, 4]), at([2, 2, 2], 0, 2)],
      [any([2, 2, 2]), values([1, 0], [2, 1], 'int64')],
    ],
    attributes: [{ batch_dims: 1 }],
  },
  {
    op: 'GatherND',
    since: 12,
    inputs: [
      [any([2, 3, 4, 2]), at([2, 3, 1], 0, 3)],
      [any([2, 3, 4, 2]), at([2, 3, 2, 2], 0, 1)],
    ],
    attributes: [{ batch_dims: 2 }],
  },
  {
    op: 'Compress',
    dtypes: 'T',
    inputs: [[any([3, 2]), any([3], 'bool')]],
    attributes: [{}, { axis: 0 }],
  },
  {
    op: 'Compress',
    inputs: [
      [any([3, 2]), values([0, 1], [2], 'bool')],
      [any([3, 2]), values([0, 0], [2], 'bool')],
      [any([3, 2]), values([], [0], 'bool')],
    ],
    attributes: [{}, { axis: 1 }],
  },
  {
    op: 'Compress',
    since: 11,
    inputs: [
      [any([3, 2, 4]), any([4], 'bool')],
      [any([3, 2, 4]), any([2], 'bool')],
    ],
    attributes: [{ axis: -1 }],
  },
]

const reduced = (names: readonly string[]) => names.map(reduction => ({ reduction }))

const scatters: readonly Row[] = [
  {
    op: 'Scatter',
    dtypes: 'T',
    inputs: [[any([3, 3]), values([1, 0, 2, 0, 2, 1], [2, 3], 'int64'), any([2, 3])]],
  },
  {
    op: 'ScatterElements',
    dtypes: 'T',
    inputs: [[any([3, 3]), values([1, 0, 2, 0, 2, 1], [2, 3], 'int64'), any([2, 3])]],
  },
  {
    op: ['Scatter', 'ScatterElements'],
    inputs: [
      [any([1, 5]), values([1, 3], [1, 2], 'int64'), any([1, 2])],
      [any([1, 5]), values([1, 3], [1, 2], 'int32'), any([1, 2])],
    ],
    attributes: [{ axis: 1 }],
  },
  {
    op: 'ScatterElements',
    inputs: [
      [any([1, 5]), values([1, -3], [1, 2], 'int64'), any([1, 2])],
      [any([2, 5]), values([], [0, 2], 'int64'), any([0, 2])],
    ],
    attributes: [{ axis: -1 }, { axis: 1 }],
  },
  {
    op: 'ScatterElements',
    since: 16,
    until: 17,
    dtypes: ['float32', 'float64', 'float16', 'int32', 'int64', 'uint8', 'int8', 'uint64'],
    inputs: [[any([2, 5]), values([1, -4, 1, 0], [2, 2], 'int64'), any([2, 2])]],
    attributes: reduced(['none', 'add', 'mul'])
      .slice(1)
      .map(one => ({ ...one, axis: 1 })),
  },
  {
    op: 'ScatterElements',
    since: 18,
    dtypes: 'T',
    without: ['string', 'complex64', 'complex128'],
    inputs: [[any([2, 5]), values([1, -4, 1, 0], [2, 2], 'int64'), any([2, 2])]],
    attributes: reduced(['add', 'mul', 'max', 'min']).map(one => ({ ...one, axis: 1 })),
  },
  {
    op: 'ScatterElements',
    since: 18,
    inputs: [[any([2, 5]), values([1, 1, 0, 0], [2, 2], 'int64'), any([2, 2])]],
    attributes: reduced(['add', 'mul', 'max', 'min']),
  },
  {
    op: 'ScatterND',
    dtypes: 'T',
    inputs: [[any([8]), values([4, 3, 1, 7], [4, 1], 'int64'), any([4])]],
  },
  {
    op: 'ScatterND',
    inputs: [
      [any([4, 4, 2]), values([0, 2], [2, 1], 'int64'), any([2, 4, 2])],
      [any([4, 4, 2]), values([0, 2, 3, 1], [2, 2], 'int64'), any([2, 2])],
      [any([4, 4, 2]), values([0, 2, 1, 3, 1, 0], [2, 1, 3], 'int64'), any([2, 1])],
      [any([4, 4]), values([1], [1], 'int64'), any([4])],
      [any([4, 4]), values([-1, -2], [2, 1], 'int64'), any([2, 4])],
      [any([4, 4]), values([], [0, 2], 'int64'), any([0])],
    ],
  },
  {
    op: 'ScatterND',
    since: 16,
    dtypes: ['float32', 'float64', 'int32', 'int64', 'uint8', 'float16'],
    inputs: [[any([4, 2]), values([0, 2, 0], [3, 1], 'int64'), any([3, 2])]],
    attributes: reduced(['add', 'mul']),
  },
  {
    op: 'ScatterND',
    since: 18,
    dtypes: ['float32', 'float64', 'int32', 'int64', 'uint8', 'float16', 'bool'],
    inputs: [[any([4, 2]), values([0, 2, 0], [3, 1], 'int64'), any([3, 2])]],
    attributes: reduced(['max', 'min', 'add']),
  },
  {
    op: 'TensorScatter',
    dtypes: ['float32', 'float16', 'int8'],
    inputs: [
      [any([2, 3, 5, 2]), any([2, 3, 2, 2]), i64(1, 3)],
      [any([2, 3, 5, 2]), any([2, 3, 2, 2])],
      [any([2, 5, 2]), any([2, 1, 2]), i64(4, 0)],
    ],
    attributes: [{}, { mode: 'linear' }],
  },
  {
    op: 'TensorScatter',
    inputs: [
      [any([2, 3, 5, 2]), any([2, 3, 2, 2]), i64(4, 3)],
      [any([2, 3, 5, 2]), any([2, 3, 2, 2]), i64(7, 12)],
    ],
    attributes: [{ mode: 'circular' }],
  },
  {
    op: 'TensorScatter',
    inputs: [[any([2, 3, 5]), any([2, 3, 2]), i64(1, 3)]],
    attributes: [{ axis: -1 }, { axis: 2, mode: 'circular' }],
  },
]

export const indexing: readonly Row[] = [...gathers, ...scatters]
