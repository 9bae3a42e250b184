/** Matrix products and what is made of them. */
import { floatAttribute as f } from '../../../src/graph/builder.ts'
import type { Row } from '../case.ts'
import { any, real, scalar, values, whole } from '../draw.ts'

const loose = { relative: 2e-2, absolute: 2e-2 }

const matrices = [
  [real([2, 3]), real([3, 4])],
  [real([3]), real([3])],
  [real([3]), real([3, 4])],
  [real([2, 3]), real([3])],
  [real([3]), real([2, 3, 4])],
  [real([2, 4, 3]), real([3])],
  [real([2, 2, 3]), real([2, 3, 4])],
  [real([2, 2, 3]), real([3, 4])],
  [real([2, 3]), real([2, 3, 4])],
  [real([2, 1, 2, 3]), real([3, 3, 2])],
  [real([1, 3, 2, 3]), real([2, 1, 3, 2])],
  [real([2, 0]), real([0, 3])],
  [real([0, 2]), real([2, 3])],
  [real([2, 2]), real([2, 0])],
]

const equations = [
  ['ij,jk->ik', [2, 3], [3, 4]],
  ['ij,jk', [2, 3], [3, 4]],
  ['ji,jk', [3, 2], [3, 4]],
  ['bij,bjk->bik', [2, 2, 3], [2, 3, 4]],
  ['...ij,...jk->...ik', [2, 1, 2, 3], [3, 3, 4]],
  ['...ij,...jk', [2, 2, 3], [2, 3, 4]],
  ['i,j->ij', [3], [4]],
  ['i,i->', [3], [3]],
  ['i,i', [3], [3]],
  ['ii->i', [3, 3]],
  ['ii', [3, 3]],
  ['...ii->...i', [2, 3, 3]],
  ['iij->ij', [2, 2, 3]],
  ['ij->ji', [2, 3]],
  ['ij->', [2, 3]],
  ['ij->j', [2, 3]],
  ['ba', [2, 3]],
  ['...j->...', [2, 3, 4]],
  ['b...->...b', [2, 3, 4]],
  ['...', [2, 3]],
  [' i j , j k -> i k ', [2, 3], [3, 4]],
  ['ij,jk,kl->il', [2, 3], [3, 4], [4, 2]],
  ['ij,ij,j->i', [2, 3], [2, 3], [3]],
  ['bhqd,bhkd->bhqk', [1, 2, 3, 4], [1, 2, 5, 4]],
  ['Ab,bA->A', [2, 3], [3, 2]],
  ['i,->i', [3], []],
  ['ij,j->ij', [2, 3], [3]],
  ['ij,ij->ij', [2, 3], [1, 3]],
  ['ij,kj->ik', [0, 3], [2, 3]],
  ['ij,jk->ik', [2, 0], [0, 3]],
] as const

const einsum: readonly Row[] = equations.map(([equation, ...shapes]) => ({
  op: 'Einsum',
  dtypes: ['float32', 'float64', 'int32', 'int64', 'float16'],
  inputs: [shapes.map(shape => real(shape))],
  attributes: [{ equation }],
  tolerance: { relative: 4e-3, absolute: 5e-3 },
}))

const gemmFlags = [{}, { alpha: f(0.5), beta: f(2) }, { transA: 0, beta: f(0) }]

export const products: readonly Row[] = [
  { op: 'MatMul', dtypes: 'T', inputs: matrices, tolerance: loose },
  { op: 'MatMul', dtypes: ['float32', 'float64'], inputs: matrices },
  ...einsum,
  {
    op: 'Einsum',
    dtypes: 'T',
    inputs: [[whole([2, 3], 0, 5), whole([3, 2], 0, 5)]],
    attributes: [{ equation: 'ij,jk->ik' }],
  },
  {
    op: 'Gemm',
    dtypes: 'T',
    inputs: [[whole([2, 3], 0, 4), whole([3, 4], 0, 4), whole([2, 4], 0, 4)]],
  },
  {
    op: 'Gemm',
    dtypes: ['float32', 'float64'],
    inputs: [[4], [1], [2, 1], [2, 4], [1, 4], [1, 1], []].map(shape => [
      real([2, 3]),
      real([3, 4]),
      real(shape),
    ]),
    attributes: gemmFlags,
  },
  { op: 'Gemm', inputs: [[real([3, 2]), real([3, 4]), real([4])]], attributes: [{ transA: 1 }] },
  { op: 'Gemm', inputs: [[real([2, 3]), real([4, 3]), real([4])]], attributes: [{ transB: 1 }] },
  {
    op: 'Gemm',
    inputs: [[real([3, 2]), real([4, 3]), real([2, 4])]],
    attributes: [{ transA: 1, transB: 1, alpha: f(0.25), beta: f(0.35) }],
  },
  {
    op: 'Gemm',
    since: 11,
    inputs: [
      [real([2, 3]), real([3, 4])],
      [real([0, 3]), real([3, 4]), real([4])],
      [real([2, 0]), real([0, 4]), real([4])],
      [real([2, 0]), real([0, 4])],
    ],
    attributes: gemmFlags,
  },
  {
    op: 'Det',
    dtypes: 'T',
    inputs: [
      [real([3, 3])],
      [real([2, 2, 2])],
      [real([2, 1, 4, 4])],
      [real([1, 1])],
      [values([1, 2, 2, 4], [2, 2])],
      [values([0, 1, 1, 0], [2, 2])],
    ],
  },
  {
    op: 'MatMulInteger',
    dtypes: ['uint8', 'int8'],
    inputs: (['uint8', 'int8'] as const).flatMap(b => [
      [any([2, 3]), any([3, 4], b)],
      [any([2, 3]), any([3, 4], b), whole([], 0, 5), whole([], 0, 5, b)],
      [any([2, 3]), any([3, 4], b), whole([1], 0, 5)],
      [any([2, 3]), any([3, 4], b), undefined, whole([4], 0, 5, b)],
      [any([2, 3]), any([3, 4], b), whole([2], 0, 5), whole([4], 0, 5, b)],
      [any([2, 2, 3]), any([2, 3, 4], b), whole([], 0, 5), whole([2, 1, 4], 0, 5, b)],
      [any([2, 2, 3]), any([3, 4], b), whole([1], 0, 9), whole([1], 0, 9, b)],
      [any([3]), any([3, 2], b)],
      [any([2, 3]), any([3], b)],
      [any([3]), any([3], b)],
    ]),
  },
  {
    op: 'QLinearMatMul',
    dtypes: ['uint8', 'int8'],
    inputs: (['uint8', 'int8'] as const).flatMap(b => [
      [
        any([2, 3]),
        scalar(0.02, 'float32'),
        whole([], 0, 9),
        any([3, 4], b),
        scalar(0.03, 'float32'),
        whole([], 0, 9, b),
        scalar(0.05, 'float32'),
        whole([], 0, 9),
      ],
      [
        any([2, 2, 3]),
        values([0.02], [1], 'float32'),
        whole([1], 0, 9),
        any([2, 3, 4], b),
        values([0.03], [1], 'float32'),
        whole([1], 0, 9, b),
        values([0.01], [1], 'float32'),
        whole([1], 0, 9),
      ],
      [
        any([2, 3]),
        scalar(0.02, 'float32'),
        whole([], 0, 9),
        any([3, 4], b),
        real([4], 0.01, 0.05, 'float32'),
        whole([4], 0, 9, b),
        scalar(0.003, 'float32'),
        whole([], 0, 9),
      ],
      [
        any([2, 3]),
        scalar(0.5, 'float32'),
        whole([], 0, 9),
        any([3, 4], b),
        scalar(0.5, 'float32'),
        whole([], 0, 9, b),
        scalar(1, 'float32'),
        whole([], 0, 9),
      ],
    ]),
  },
]
