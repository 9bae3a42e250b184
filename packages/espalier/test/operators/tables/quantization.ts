/** Quantisation and back. */

import { numberOfDtype } from '../../../src/formats/onnx/tensor-proto.ts'
import type { DType } from '../../../src/tensor/dtype.ts'
import type { Row } from '../case.ts'
import { any, real, scalar, values, whole } from '../draw.ts'

const x = real([2, 3, 4], -300, 300)
const ties = values([0, 2, 3, 1000, -254, -1000, 1, -1, 5, -5, 7, 255, 256, 257, -257])
const integers: readonly DType[] = ['uint8', 'int8']
const wide: readonly DType[] = ['uint8', 'int8', 'uint16', 'int16']
const narrow: readonly DType[] = ['uint4', 'int4']
const narrowest: readonly DType[] = ['uint2', 'int2']
const float8s: readonly DType[] = ['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz']

const perTensor = (y: DType, scale = 2) => [
  [x, scalar(scale), scalar(0, y)],
  [ties, scalar(scale), whole([], 0, 1, y)],
]
const perAxis = (y: DType) => [[x, real([3], 0.5, 3), whole([3], 0, 1, y)]]
const blocked = (y: DType) => [[real([4, 6], -9, 9), real([2, 6], 0.5, 3), whole([2, 6], 0, 1, y)]]

const quantized = (type: DType, shape: readonly number[]) =>
  type.startsWith('float') ? real(shape, -8, 8, type) : any(shape, type)

export const quantization: readonly Row[] = [
  { op: 'QuantizeLinear', until: 12, inputs: [[x, scalar(2)], ...integers.flatMap(y => perTensor(y))] },
  {
    op: 'QuantizeLinear',
    until: 12,
    dtypes: ['int32'],
    inputs: [[whole([20], -600, 600), scalar(2, 'float32'), scalar(3, 'uint8')]],
  },
  {
    op: 'QuantizeLinear',
    since: 13,
    inputs: [
      [x, scalar(2)],
      [x, real([3], 0.5, 3)],
      ...integers.flatMap(y => [...perTensor(y), ...perAxis(y)]),
    ],
  },
  {
    op: 'QuantizeLinear',
    since: 13,
    inputs: integers.flatMap(y => [[x, real([2], 0.5, 3), whole([2], 0, 9, y)]]),
    attributes: [{ axis: 0 }, { axis: -3 }],
  },
  {
    op: 'QuantizeLinear',
    since: 13,
    inputs: integers.flatMap(y => [[x, real([4], 0.5, 3), whole([4], 0, 9, y)]]),
    attributes: [{ axis: 2 }, { axis: -1 }],
  },
  {
    op: 'QuantizeLinear',
    since: 13,
    dtypes: ['int32'],
    inputs: [[whole([20], -600, 600), scalar(2, 'float32'), scalar(3, 'uint8')]],
  },
  {
    op: 'QuantizeLinear',
    since: 19,
    dtypes: ['float32', 'float16', 'bfloat16'],
    inputs: [...integers, ...float8s].flatMap(y => [...perTensor(y), ...perAxis(y)]),
    attributes: [{}, { saturate: 0 }],
  },
  {
    op: 'QuantizeLinear',
    since: 21,
    dtypes: ['float32', 'float16'],
    inputs: [...wide, ...narrow].flatMap(y => [...perTensor(y), ...perAxis(y)]),
  },
  {
    op: 'QuantizeLinear',
    since: 21,
    inputs: [...wide, ...narrow, ...float8s].flatMap(blocked),
    attributes: [
      { axis: 0, block_size: 2 },
      { axis: -2, block_size: 2 },
    ],
  },
  {
    op: 'QuantizeLinear',
    since: 21,
    inputs: [
      [real([5, 6], -9, 9), real([3, 6], 0.5, 3), whole([3, 6], 0, 1, 'int8')],
      [real([5, 6], -9, 9), real([3, 6], 0.5, 3)],
    ],
    attributes: [{ axis: 0, block_size: 2 }],
  },
  {
    op: 'QuantizeLinear',
    since: 21,
    inputs: [
      [x, scalar(2)],
      [x, real([3], 0.5, 3)],
    ],
    attributes: ['int8', 'uint16', 'int4', 'float8e5m2'].map(type => ({
      output_dtype: numberOfDtype(type as DType),
    })),
  },
  {
    op: 'QuantizeLinear',
    since: 23,
    dtypes: ['float32', 'float16'],
    inputs: [
      [x, scalar(2, 'float32')],
      [x, scalar(2)],
    ],
    attributes: [{ precision: 1 }, { precision: 10 }, { precision: 11 }],
  },
  { op: 'QuantizeLinear', since: 23, inputs: [[real([20], -8, 8), scalar(1), scalar(0, 'float4e2m1')]] },
  { op: 'QuantizeLinear', since: 25, inputs: narrowest.flatMap(y => [...perTensor(y), ...perAxis(y)]) },
  {
    op: 'DequantizeLinear',
    until: 12,
    inputs: [
      ...integers.map(type => [any([2, 3, 4], type), scalar(0.3), whole([], 0, 9, type)]),
      [any([5], 'uint8'), scalar(0.3)],
      [whole([5], -900, 900, 'int32'), scalar(0.3)],
    ],
  },
  {
    op: 'DequantizeLinear',
    since: 13,
    inputs: [
      ...integers.flatMap(type => [
        [any([2, 3, 4], type), scalar(0.3), whole([], 0, 9, type)],
        [any([2, 3, 4], type), real([3], 0.1, 2), whole([3], 0, 9, type)],
      ]),
      [any([5], 'uint8'), scalar(0.3)],
      [whole([5], -900, 900, 'int32'), scalar(0.3)],
      [whole([2, 3], -900, 900, 'int32'), real([3], 0.1, 2)],
    ],
  },
  {
    op: 'DequantizeLinear',
    since: 13,
    inputs: integers.map(type => [any([2, 3, 4], type), real([4], 0.1, 2), whole([4], 0, 9, type)]),
    attributes: [{ axis: 2 }, { axis: -1 }],
  },
  {
    op: 'DequantizeLinear',
    since: 19,
    dtypes: ['float32', 'float16', 'bfloat16'],
    inputs: float8s.flatMap(type => [
      [quantized(type, [2, 3, 4]), scalar(0.5)],
      [quantized(type, [2, 3, 4]), real([3], 0.1, 2), real([3], 0, 0, type)],
    ]),
  },
  {
    op: 'DequantizeLinear',
    since: 21,
    dtypes: ['float32', 'float16'],
    inputs: [...wide, ...narrow].flatMap(type => [
      [any([2, 3, 4], type), scalar(0.5), whole([], 0, 3, type)],
      [any([2, 3, 4], type), real([3], 0.1, 2), whole([3], 0, 3, type)],
    ]),
  },
  {
    op: 'DequantizeLinear',
    since: 21,
    inputs: [...wide, ...narrow].flatMap(type => [
      [any([4, 6], type), real([2, 6], 0.1, 2), whole([2, 6], 0, 3, type)],
      [any([4, 6], type), real([2, 6], 0.1, 2)],
    ]),
    attributes: [
      { axis: 0, block_size: 2 },
      { axis: -2, block_size: 2 },
    ],
  },
  {
    op: 'DequantizeLinear',
    since: 21,
    inputs: [
      [any([5, 3, 2], 'int8'), real([3, 3, 2], 0.1, 2), whole([3, 3, 2], 0, 3, 'int8')],
      [any([2, 7], 'uint4'), real([2, 3], 0.1, 2)],
    ].slice(0, 1),
    attributes: [{ axis: 0, block_size: 2 }],
  },
  {
    op: 'DequantizeLinear',
    since: 23,
    dtypes: ['float32'],
    inputs: [[any([5], 'int8'), scalar(0.3)]],
    attributes: [{ output_dtype: 1 }, { output_dtype: 10 }],
  },
  { op: 'DequantizeLinear', since: 23, inputs: [[values([0, 0.5, 1, -6], [4], 'float4e2m1'), scalar(0.5)]] },
  {
    op: 'DequantizeLinear',
    since: 25,
    inputs: narrowest.map(type => [any([2, 3], type), scalar(0.5), whole([], 0, 1, type)]),
  },
  {
    op: 'DynamicQuantizeLinear',
    inputs: [
      [real([2, 3, 4])],
      [values([1, 2.1, 1.3, 2.5, 3.34, 4])],
      [values([-1, -2.1, -1.3, -2.5, -3.34, -4])],
      [values([0, 0, 0])],
      [values([5])],
      [values([0, 2, -3, -2.5, 1.34, 0.5])],
      [real([40], 0, 1)],
      [real([40], -1e-3, 1e3)],
    ],
    outputs: 3,
  },
]
