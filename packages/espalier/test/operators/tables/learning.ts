/** Operators of classical machine learning (ai.onnx.ml) and of training. */
import { floatAttribute as f, floatsAttribute as floats } from '../../../src/graph/builder.ts'
import type { Attribute } from '../../../src/graph/graph.ts'
import { float32, int64, type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import type { CaseAttributes, Row } from '../case.ts'
import { any, f32, i64, real, scalar, text, values, whole } from '../draw.ts'

const strings = (...value: string[]): Attribute => ({ type: 'strings', value })
const transforms = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT']
const modes = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ']

/** Two trees: x0 ? (x1 ? a : b) : c, and x1 ? d : e. */
const trees = (mode: string): CaseAttributes => ({
  nodes_treeids: [0, 0, 0, 0, 0, 1, 1, 1],
  nodes_nodeids: [0, 1, 2, 3, 4, 0, 1, 2],
  nodes_featureids: [0, 1, 0, 0, 0, 1, 0, 0],
  nodes_values: floats([0.5, -0.5, 0, 0, 0, 1, 0, 0]),
  nodes_modes: strings(mode, mode, 'LEAF', 'LEAF', 'LEAF', mode, 'LEAF', 'LEAF'),
  nodes_truenodeids: [1, 2, 0, 0, 0, 1, 0, 0],
  nodes_falsenodeids: [4, 3, 0, 0, 0, 2, 0, 0],
})
const leaves = (
  name: 'target' | 'class',
  ids: readonly number[],
  weights = [0.3, -0.2, 0.5, 0.25, 0.1],
): CaseAttributes => ({
  [`${name}_treeids`]: [0, 0, 0, 1, 1],
  [`${name}_nodeids`]: [2, 3, 4, 1, 2],
  [`${name}_ids`]: ids,
  [`${name}_weights`]: floats(weights),
})
const samples = values([0.5, 1, 0.4, -0.5, 0.6, -1, 2, 3, -1, 0.2, Number.NaN, 1], [6, 2])
const regression = { ...trees('BRANCH_LEQ'), ...leaves('target', [0, 1, 0, 1, 0]), n_targets: 2 }
const labels = { classlabels_int64s: [10, 20, 30] }
const classification = { ...trees('BRANCH_LEQ'), ...leaves('class', [0, 1, 2, 1, 0]), ...labels }

const tensorOf = (value: Tensor): Attribute => ({ type: 'tensor', value })
const ensemble: CaseAttributes = {
  n_targets: 2,
  nodes_featureids: [0, 0, 0],
  nodes_splits: tensorOf(float32([3.14, 1.2, 4.2])),
  nodes_modes: tensorOf(tensor('uint8', [3], Uint8Array.of(0, 0, 0))),
  nodes_truenodeids: [1, 0, 1],
  nodes_trueleafs: [0, 1, 1],
  nodes_falsenodeids: [2, 2, 3],
  nodes_falseleafs: [0, 1, 1],
  leaf_targetids: [0, 1, 0, 1],
  leaf_weights: tensorOf(float32([5.23, 12.12, -12.23, 7.21])),
  tree_roots: [0],
}

const machineLearning: readonly Row[] = [
  {
    op: 'ArrayFeatureExtractor',
    dtypes: 'T',
    inputs: [
      [any([3, 4]), i64(0, 2)],
      [any([2, 2, 4]), i64(3)],
      [any([4]), i64(1, 1)],
      [any([3, 4]), values([0, 3], [1, 2], 'int64')],
    ],
  },
  {
    op: 'Binarizer',
    dtypes: 'T',
    inputs: [[any([2, 3])], [any([0, 2])]],
    attributes: [{}, { threshold: f(1) }, { threshold: f(-0.5) }],
  },
  {
    op: 'LabelEncoder',
    until: 1,
    inputs: [[text('a', 'b', 'x')], [i64(0, 1, 5)]],
    attributes: [
      { classes_strings: strings('a', 'b') },
      { classes_strings: strings('a', 'b'), default_int64: 7, default_string: 'none' },
    ],
  },
  {
    op: 'LabelEncoder',
    since: 2,
    inputs: [[text('a', 'b', 'x')]],
    attributes: [
      { keys_strings: strings('a', 'b'), values_int64s: [5, 6] },
      { keys_strings: strings('a', 'b'), values_floats: floats([0.5, 6]), default_float: f(9) },
      { keys_strings: strings('a', 'b'), values_strings: strings('c', 'd') },
    ],
  },
  {
    op: 'LabelEncoder',
    since: 2,
    inputs: [[i64(1, 2, 3)]],
    attributes: [
      { keys_int64s: [1, 2], values_int64s: [5, 6] },
      { keys_int64s: [1, 2], values_floats: floats([0.5, 6]) },
      { keys_int64s: [1, 2], values_strings: strings('c', 'd'), default_string: 'z' },
    ],
  },
  {
    op: 'LabelEncoder',
    since: 2,
    inputs: [[f32([1, 2.5, Number.NaN, 0])]],
    attributes: [
      { keys_floats: floats([1, 2.5]), values_int64s: [5, 6] },
      { keys_floats: floats([1, Number.NaN]), values_floats: floats([0.5, 6]) },
      { keys_floats: floats([1, 2.5]), values_strings: strings('c', 'd') },
    ],
  },
  {
    op: 'LabelEncoder',
    since: 4,
    inputs: [[text('a', 'b', 'x')]],
    attributes: [
      {
        keys_tensor: tensorOf(tensor('string', [2], ['a', 'b'])),
        values_tensor: tensorOf(tensor('int16', [2], Int16Array.of(4, 5))),
        default_tensor: tensorOf(tensor('int16', [1], Int16Array.of(42))),
      },
      { keys_tensor: tensorOf(tensor('string', [2], ['a', 'b'])), values_tensor: tensorOf(int64([4, 5])) },
    ],
  },
  {
    op: 'TreeEnsembleRegressor',
    dtypes: ['float32', 'float64'],
    inputs: [[samples]],
    attributes: [
      ...modes.map(mode => ({ ...regression, ...trees(mode) })),
      ...['AVERAGE', 'MIN', 'MAX', 'SUM'].map(aggregate_function => ({ ...regression, aggregate_function })),
      { ...regression, base_values: floats([1, -1]) },
      { ...regression, nodes_missing_value_tracks_true: [1, 1, 0, 0, 0, 1, 0, 0] },
      ...transforms.slice(0, 4).map(post_transform => ({ ...regression, post_transform })),
    ],
  },
  {
    op: 'TreeEnsembleRegressor',
    inputs: [[samples]],
    attributes: [
      { ...regression, n_targets: 1, ...leaves('target', [0, 0, 0, 0, 0]) },
      {
        ...regression,
        n_targets: 1,
        ...leaves('target', [0, 0, 0, 0, 0]),
        aggregate_function: 'AVERAGE',
        base_values: floats([0.5]),
      },
    ],
  },
  {
    op: 'TreeEnsembleClassifier',
    dtypes: ['float32', 'float64', 'int32', 'int64'],
    inputs: [[whole([5, 2], -2, 2)]],
    attributes: [classification],
    outputs: 2,
  },
  {
    op: 'TreeEnsembleClassifier',
    inputs: [[samples]],
    attributes: [
      ...transforms.slice(0, 4).map(post_transform => ({ ...classification, post_transform })),
      { ...classification, base_values: floats([1, 0, -1]) },
    ],
    outputs: 2,
  },
  {
    op: 'TreeEnsembleClassifier',
    inputs: [[samples]],
    attributes: [
      {
        ...trees('BRANCH_LEQ'),
        ...leaves('class', [0, 1, 2, 1, 0]),
        classlabels_strings: strings('a', 'b', 'c'),
      },
    ],
    outputs: 2,
  },
  {
    op: 'TreeEnsembleClassifier',
    inputs: [[samples]],
    attributes: ['NONE', 'SOFTMAX', 'LOGISTIC'].flatMap(post_transform => [
      {
        ...trees('BRANCH_LEQ'),
        ...leaves('class', [0, 1, 0, 1, 0]),
        classlabels_int64s: [3, 4],
        post_transform,
      },
      {
        ...trees('BRANCH_LEQ'),
        ...leaves('class', [0, 0, 0, 0, 0]),
        classlabels_int64s: [3, 4],
        post_transform,
      },
      {
        ...trees('BRANCH_LEQ'),
        ...leaves('class', [0, 0, 0, 0, 0], [0.3, 0.6, 0.1, 0.25, 0.1]),
        classlabels_int64s: [3, 4],
        post_transform,
      },
      {
        ...trees('BRANCH_LEQ'),
        ...leaves('class', [1, 1, 1, 1, 1], [0.3, 0.6, 0.1, 0.25, 0.1]),
        classlabels_int64s: [3, 4],
        post_transform,
      },
    ]),
    outputs: 2,
  },
  {
    op: 'TreeEnsemble',
    inputs: [[f32([1.2, 3.4, -0.12, 1.66, 4.14, 1.77], [3, 2])]],
    attributes: [
      ensemble,
      { ...ensemble, aggregate_function: 0 },
      { ...ensemble, aggregate_function: 2 },
      { ...ensemble, aggregate_function: 3 },
      { ...ensemble, post_transform: 1 },
      { ...ensemble, nodes_modes: tensorOf(tensor('uint8', [3], Uint8Array.of(1, 2, 3))) },
    ],
  },
  {
    op: 'TreeEnsemble',
    inputs: [[f32([1.2, 3.4, -0.12, Number.NaN, 12, 7], [6, 1])]],
    attributes: [
      {
        n_targets: 4,
        aggregate_function: 1,
        membership_values: tensorOf(float32([1.2, 3.7, 8, 9, Number.NaN, 12, 7, Number.NaN])),
        nodes_missing_value_tracks_true: [0, 0, 0],
        nodes_featureids: [0, 0, 0],
        nodes_splits: tensorOf(float32([11, 232344, Number.NaN])),
        nodes_modes: tensorOf(tensor('uint8', [3], Uint8Array.of(0, 6, 6))),
        nodes_trueleafs: [0, 1, 1],
        nodes_truenodeids: [1, 0, 1],
        nodes_falseleafs: [1, 0, 1],
        nodes_falsenodeids: [2, 2, 3],
        leaf_targetids: [0, 1, 2, 3],
        leaf_weights: tensorOf(float32([1, 10, 1000, 100])),
        tree_roots: [0],
      },
    ],
  },
]

const state = [scalar(0.1, 'float32'), scalar(3, 'int64')]
const training: readonly Row[] = [
  {
    op: 'Dropout',
    until: 11,
    dtypes: 'T',
    inputs: [[any([2, 3])]],
    attributes: [{}, { ratio: f(0.9) }],
    outputs: 1,
  },
  { op: 'Dropout', since: 10, until: 11, inputs: [[any([2, 3])]], outputs: 2 },
  {
    op: 'Dropout',
    since: 12,
    dtypes: 'T',
    inputs: [
      [any([2, 3])],
      [any([2, 3]), scalar(0.3, 'float32')],
      [any([2, 3]), scalar(0, 'float32'), values([1], [], 'bool')],
      [any([2, 3]), scalar(0.3, 'float32'), values([0], [], 'bool')],
    ],
    attributes: [{}, { seed: 3 }],
    outputs: 2,
  },
  {
    op: 'Adagrad',
    inputs: [[...state, real([3]), real([3]), real([3], 0, 2)]],
    attributes: [{}, { norm_coefficient: f(0.01), epsilon: f(1e-3), decay_factor: f(0.1) }],
    outputs: 2,
  },
  {
    op: 'Momentum',
    inputs: [[...state, real([3]), real([3]), real([3])]],
    attributes: [
      { norm_coefficient: f(0.01), alpha: f(0.9), beta: f(0.1), mode: 'standard' },
      { norm_coefficient: f(0.01), alpha: f(0.9), beta: f(0.1), mode: 'nesterov' },
    ],
    outputs: 2,
  },
  {
    op: 'Momentum',
    inputs: [
      [
        scalar(0.1, 'float32'),
        scalar(0, 'int64'),
        real([3]),
        real([2, 2]),
        real([3]),
        real([2, 2]),
        real([3], 0, 2),
        real([2, 2], 0, 2),
      ],
    ],
    attributes: [{ norm_coefficient: f(0.1), alpha: f(0.9), beta: f(0.2), mode: 'nesterov' }],
    outputs: 4,
  },
  {
    op: 'Adam',
    inputs: [
      [
        scalar(0.1, 'float32'),
        scalar(0, 'int64'),
        real([3]),
        real([2]),
        real([3]),
        real([2]),
        real([3]),
        real([2]),
        real([3], 0, 2),
        real([2], 0, 2),
      ],
    ],
    attributes: [
      {
        alpha: f(0.8),
        beta: f(0.7),
        epsilon: f(1e-3),
        norm_coefficient: f(0.1),
        norm_coefficient_post: f(0.01),
      },
    ],
    outputs: 6,
  },
  {
    op: 'Adam',
    inputs: [[...state, real([3]), real([3]), real([3]), real([3], 0, 2)]],
    attributes: [{}, { norm_coefficient: f(0.01) }],
    outputs: 3,
  },
]

const constants: readonly Row[] = [
  {
    op: 'Constant',
    inputs: [[]],
    attributes: [
      { value: tensorOf(float32([1, 2, 3])) },
      { value: tensorOf(tensor('string', [2], ['a', 'b'])) },
    ],
  },
  {
    op: 'Constant',
    since: 12,
    inputs: [[]],
    attributes: [
      { value_int: 3 },
      { value_ints: [1, 2] },
      { value_float: f(0.5) },
      { value_floats: floats([0.5, 1]) },
      { value_string: 'x' },
      { value_strings: strings('x', 'y') },
    ],
  },
]

export const learning: readonly Row[] = [...machineLearning, ...training, ...constants]
