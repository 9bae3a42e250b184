/** Operators that compute element by element, with one input or several that broadcast. */
import { floatAttribute } from '../../../src/graph/builder.ts'
import type { Row } from '../case.ts'
import { any, f32, odd, real, scalar, values, whole } from '../draw.ts'

const f = floatAttribute

/** Shapes of one input. */
const single = [[any([2, 3, 4])], [odd([40])], [any([])], [any([0, 3])]]
/** Shapes of two inputs that broadcast. */
const pairs = [
  [any([2, 3]), any([2, 3])],
  [any([2, 1, 4]), any([3, 1])],
  [any([]), any([2, 2])],
  [any([3]), any([])],
  [any([]), any([])],
  [any([0, 2]), any([1, 2])],
  [any([0, 1]), any([3])],
]
const oddPairs = [[odd([40]), odd([40])]]
/** The same without zeros in the second, to divide by. */
const quotients = [
  [any([2, 3]), whole([2, 3], 1, 5)],
  [any([2, 1, 4]), whole([3, 1], 1, 5)],
  [any([]), whole([2, 2], 1, 9)],
  [any([0, 2]), whole([1, 2], 1, 2)],
]

const unary: readonly Row[] = [
  {
    op: ['Abs', 'Neg', 'Sign', 'Relu', 'Sqrt', 'Exp', 'Log', 'Floor', 'Ceil', 'Round', 'Reciprocal'],
    dtypes: 'T',
    inputs: single,
  },
  {
    op: ['Sin', 'Cos', 'Tan', 'Sinh', 'Cosh', 'Asinh', 'Atan', 'Tanh', 'Erf', 'Sigmoid'],
    dtypes: 'T',
    inputs: single,
  },
  { op: ['Softplus', 'Softsign', 'Mish', 'HardSwish'], dtypes: 'T', inputs: single },
  { op: ['Asin', 'Acos', 'Atanh'], dtypes: 'T', inputs: [[real([20], -1, 1)], [odd([20])]] },
  { op: 'Acosh', dtypes: 'T', inputs: [[real([20], 1, 5)], [odd([20])]] },
  {
    op: 'Round',
    dtypes: 'T',
    inputs: [[values([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.1, -0.9, 3.49])]],
  },
  { op: 'Not', dtypes: ['bool'], inputs: single },
  { op: 'BitwiseNot', dtypes: 'T', inputs: single },
  { op: 'IsNaN', dtypes: 'T1', inputs: single },
  {
    op: 'IsInf',
    dtypes: 'T1',
    inputs: single,
    attributes: [
      {},
      { detect_negative: 0 },
      { detect_positive: 0 },
      { detect_negative: 0, detect_positive: 0 },
    ],
  },
  {
    op: ['Elu', 'LeakyRelu', 'ThresholdedRelu', 'Celu'],
    dtypes: 'T',
    inputs: single,
    attributes: [{}, { alpha: f(0.3) }],
  },
  { op: 'Celu', inputs: single, attributes: [{}, { alpha: f(2) }, { alpha: f(-0.5) }] },
  { op: 'Swish', dtypes: 'T', inputs: single, attributes: [{}, { alpha: f(0.3) }] },
  { op: 'Selu', dtypes: 'T', inputs: single, attributes: [{}, { alpha: f(2), gamma: f(1.5) }] },
  {
    op: 'HardSigmoid',
    dtypes: 'T',
    inputs: single,
    attributes: [{}, { alpha: f(0.5), beta: f(0.2) }],
  },
  {
    op: 'Shrink',
    dtypes: 'T',
    inputs: single,
    attributes: [{}, { lambd: f(1.5), bias: f(0.5) }, { lambd: f(1) }],
  },
  {
    op: 'Gelu',
    dtypes: 'T',
    inputs: single,
    attributes: [{}, { approximate: 'tanh' }, { approximate: 'none' }],
  },
]

const arithmetic: readonly Row[] = [
  { op: ['Add', 'Sub', 'Mul'], dtypes: 'T', inputs: [...pairs.slice(1, 3), ...oddPairs] },
  { op: ['Add', 'Sub', 'Mul'], inputs: pairs },
  { op: 'Div', dtypes: 'T', inputs: quotients },
  { op: 'Div', dtypes: ['float32', 'float64', 'float16'], inputs: oddPairs },
  {
    op: 'Div',
    dtypes: ['int32', 'int64', 'int8'],
    inputs: [[values([7, -7, 7, -7]), values([2, 2, -2, -2])]],
  },
  {
    op: 'PRelu',
    dtypes: 'T',
    inputs: [
      [any([2, 3, 4]), any([4])],
      [any([2, 3, 4]), any([3, 1])],
      [any([2, 3]), any([])],
      [any([2, 3]), any([1])],
      [any([2, 3]), any([2, 3])],
      [any([0, 3]), any([3])],
      [odd([20]), odd([20])],
    ],
  },
  {
    op: 'Mod',
    dtypes: 'T',
    inputs: [...quotients, [whole([3, 4], 0, 20), whole([4], 1, 6)]],
    attributes: [{ fmod: 1 }],
  },
  {
    op: 'Mod',
    dtypes: ['uint8', 'uint16', 'uint32', 'uint64', 'int8', 'int16', 'int32', 'int64', 'float32'],
    inputs: [...quotients, [values([7, 2, 6]), values([3, 5, 2])]],
  },
  {
    op: 'Mod',
    dtypes: ['int8', 'int16', 'int32', 'int64'],
    inputs: [[values([7, -7, 7, -7, 6, -6, 0]), values([3, 3, -3, -3, -3, 3, -2])]],
    attributes: [{}, { fmod: 1 }],
  },
  { op: 'Mod', since: 13, dtypes: ['float32'], inputs: oddPairs, attributes: [{ fmod: 1 }] },
]

const power: readonly Row[] = [
  {
    op: 'Pow',
    dtypes: 'T',
    inputs: [
      [whole([2, 3], 0, 5), whole([3], 0, 3)],
      [whole([], 2, 2), whole([2, 2], 0, 4)],
      [real([0, 2]), real([2])],
    ],
  },
  {
    op: 'Pow',
    dtypes: ['float32', 'float64', 'float16'],
    inputs: [...oddPairs, [real([20], -3, 3), whole([20], -3, 3)], [real([20], 0, 3), real([20], -2, 2)]],
  },
  {
    op: 'Pow',
    since: 12,
    dtypes: 'T',
    inputs: (
      [
        'int32',
        'int64',
        'float32',
        'float64',
        'float16',
        'uint8',
        'int8',
        'uint32',
        'uint64',
        'int16',
      ] as const
    ).map(type => [whole([6], 0, 4), whole([6], 0, 3, type)]),
  },
  {
    op: 'Pow',
    since: 12,
    dtypes: ['int32', 'int64'],
    inputs: [
      [values([2, -2, 1, -1, 3, 0]), values([-1, -1, -3, -3, 0.5, 0.5], [6], 'float32')],
      [values([2, -2, 1, -1, 3]), values([-1, -2, -3, -3, -1])],
    ],
  },
]

const logic: readonly Row[] = [
  { op: ['And', 'Or', 'Xor'], dtypes: ['bool'], inputs: pairs },
  {
    op: ['Equal', 'Less', 'Greater', 'LessOrEqual', 'GreaterOrEqual'],
    dtypes: 'T',
    inputs: [...pairs.slice(1, 2), ...oddPairs],
  },
  {
    op: ['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'],
    dtypes: 'T',
    inputs: [...pairs.slice(1, 2), ...oddPairs],
  },
  {
    op: [
      'Equal',
      'Less',
      'Greater',
      'LessOrEqual',
      'GreaterOrEqual',
      'BitwiseAnd',
      'BitwiseOr',
      'BitwiseXor',
    ],
    dtypes: ['float32', 'int32'],
    inputs: pairs,
  },
  {
    op: 'BitShift',
    dtypes: 'T',
    inputs: [
      [odd([20]), whole([20], 0, 7)],
      [any([2, 3]), whole([3], 0, 4)],
      [any([]), whole([2], 0, 4)],
      [any([0, 2]), whole([2], 0, 4)],
      [values([1, 255, 16, 7]), values([8, 16, 33, 70])],
    ],
    attributes: [{ direction: 'LEFT' }, { direction: 'RIGHT' }],
  },
  {
    op: 'Where',
    dtypes: 'T',
    inputs: [
      [any([2, 3], 'bool'), any([2, 3]), any([2, 3])],
      [any([2, 1], 'bool'), any([3]), any([1, 1, 3])],
      [any([], 'bool'), any([2]), any([])],
      [any([1], 'bool'), any([0]), any([1])],
    ],
  },
]

const several: readonly Row[] = [
  {
    op: ['Sum', 'Mean', 'Max', 'Min'],
    dtypes: 'T',
    inputs: [[any([2, 3])], [any([2, 3]), any([2, 3])], [odd([20]), odd([20])]],
  },
  {
    op: ['Sum', 'Mean', 'Max', 'Min'],
    since: 8,
    dtypes: 'T',
    inputs: [
      [any([2, 1]), any([1, 3]), any([])],
      [any([0, 3]), any([3])],
      [odd([20]), odd([20]), odd([1])],
    ],
  },
]

const clip: readonly Row[] = [
  {
    op: 'Clip',
    until: 10,
    dtypes: 'T',
    inputs: [[any([2, 3])], [odd([20])], [any([])]],
    attributes: [{}, { min: f(-1) }, { max: f(0.5) }, { min: f(-1), max: f(1) }],
  },
  {
    op: 'Clip',
    since: 11,
    dtypes: 'T',
    inputs: [
      [any([2, 3])],
      [any([2, 3]), scalar(1)],
      [any([2, 3]), undefined, scalar(2)],
      [any([2, 3]), scalar(1), scalar(2)],
      [any([2, 3]), scalar(3), scalar(1)],
      [odd([20]), scalar(0), scalar(2)],
      [any([]), scalar(1), scalar(2)],
      [any([0]), scalar(1)],
      [odd([20]), undefined, undefined],
    ],
  },
  {
    op: 'Clip',
    since: 11,
    inputs: [
      [odd([20]), f32([Number.NaN], []), f32([1], [])],
      [odd([20]), f32([0], []), f32([Number.NaN], [])],
      [odd([20]), f32([Number.NEGATIVE_INFINITY], []), f32([Number.POSITIVE_INFINITY], [])],
    ],
  },
]

export const elementwise: readonly Row[] = [...unary, ...arithmetic, ...power, ...logic, ...several, ...clip]
