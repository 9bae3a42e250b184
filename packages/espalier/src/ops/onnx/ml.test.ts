import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp, inferOp, type PlainAttributes } from '../support/testing.ts'
import { ArrayFeatureExtractor } from './array-feature-extractor.ts'
import { Binarizer } from './binarizer.ts'
import { LabelEncoder } from './label-encoder.ts'
import { TreeEnsemble } from './tree-ensemble.ts'
import { TreeEnsembleClassifier } from './tree-ensemble-classifier.ts'
import { TreeEnsembleRegressor } from './tree-ensemble-regressor.ts'

const fails = (code: string): unknown => expect.objectContaining({ code })
const words = (...list: string[]): Tensor<'string'> => tensor('string', [list.length], list)
const attribute = (value: Tensor): PlainAttributes[string] => ({ type: 'tensor', value })

test('ArrayFeatureExtractor', () => {
  const x = float32([0, 1, 2, 3, 4, 5], [2, 3])
  expect(evaluateOp(ArrayFeatureExtractor, [x, int64([2, 0, 2])])).toEqual([
    float32([2, 0, 2, 5, 3, 5], [2, 3]),
  ])
  expect(evaluateOp(ArrayFeatureExtractor, [words('a', 'b'), int64([1])])).toEqual([
    tensor('string', [1, 1], ['b']),
  ])
  expect(() => evaluateOp(ArrayFeatureExtractor, [x, int64([3])])).toThrow(fails('bad-argument'))
  expect(() => evaluateOp(ArrayFeatureExtractor, [x, int64([-1])])).toThrow(fails('bad-argument'))
  expect(
    inferOp(ArrayFeatureExtractor, [tensorType('float32', ['n', 3]), tensorType('int64', [1, 'k'])]),
  ).toEqual([tensorType('float32', ['n', 'k'])])
  expect(inferOp(ArrayFeatureExtractor, [tensorType('int32', [3]), tensorType('int64', [2])])).toEqual([
    tensorType('int32', [1, 2]),
  ])
})

test('Binarizer', () => {
  const x = float32([-1, 0, 0.5, 0.75, Number.NaN])
  expect(evaluateNumbers(Binarizer, [x])).toEqual([0, 0, 1, 1, 0])
  expect(evaluateNumbers(Binarizer, [x], { threshold: 0.5 })).toEqual([0, 0, 0, 1, 0])
  expect(evaluateNumbers(Binarizer, [int64([-1, 1, 2])], { threshold: 1 })).toEqual([0, 0, 1])
})

describe('LabelEncoder', () => {
  test('numbers a list of strings, and back (version 1)', () => {
    const classes = { classes_strings: ['a', 'b'], default_int64: -7, default_string: '?' }
    const call = { opset: 1 }
    expect(evaluateOp(LabelEncoder, [words('b', 'x', 'a')], classes, call)).toEqual([int64([1, -7, 0])])
    expect(evaluateOp(LabelEncoder, [int64([1, 5])], classes, call)).toEqual([words('b', '?')])
    expect(inferOp(LabelEncoder, [tensorType('string', ['n'])], classes, call)).toEqual([
      tensorType('int64', ['n']),
    ])
  })

  test('maps between lists', () => {
    const numbers = { keys_strings: ['a', 'b', 'a'], values_int64s: [1, 2, 3] }
    expect(evaluateOp(LabelEncoder, [words('b', 'a', 'c')], numbers)).toEqual([int64([2, 3, -1])])
    const floats = { keys_floats: [Number.NaN, 0], values_strings: ['nan', 'zero'], default_string: 'other' }
    expect(evaluateOp(LabelEncoder, [float32([Number.NaN, -0, 1])], floats, { opset: 2 })).toEqual([
      words('nan', 'zero', 'other'),
    ])
    const reals = { keys_int64s: [1], values_floats: [0.5] }
    expect(evaluateOp(LabelEncoder, [int64([1, 2])], reals)).toEqual([float32([0.5, -0])])
    expect(inferOp(LabelEncoder, [tensorType('int64', ['n'])], reals)).toEqual([tensorType('float32', ['n'])])
  })

  test('maps between tensors', () => {
    const tensors = {
      keys_tensor: attribute(fromNumbers('int16', [2], [1, 2])),
      values_tensor: attribute(fromNumbers('int32', [2], [10, 20])),
    }
    const x = fromNumbers('int16', [2, 2], [2, 1, 3, 2])
    expect(evaluateNumbers(LabelEncoder, [x], tensors)).toEqual([20, 10, -1, 20])
    const other = { ...tensors, default_tensor: attribute(fromNumbers('int32', [1], [99])) }
    expect(evaluateNumbers(LabelEncoder, [x], other)).toEqual([20, 10, 99, 20])
    const wrong = { ...tensors, default_tensor: attribute(int64([99])) }
    expect(() => evaluateOp(LabelEncoder, [x], wrong)).toThrow(fails('invalid-graph'))
  })

  test('refuses what does not fit', () => {
    const mapping = { keys_int64s: [1, 2], values_int64s: [1] }
    expect(() => evaluateOp(LabelEncoder, [int64([1])], mapping)).toThrow(fails('bad-argument'))
    expect(() => evaluateOp(LabelEncoder, [words('a')], { ...mapping, values_int64s: [1, 2] })).toThrow(
      fails('bad-dtype'),
    )
    expect(() => evaluateOp(LabelEncoder, [int64([1])], { keys_int64s: [1] })).toThrow(fails('invalid-graph'))
    expect(() => evaluateOp(LabelEncoder, [int64([1])], { ...mapping, keys_floats: [1] })).toThrow(
      fails('invalid-graph'),
    )
  })
})

describe('TreeEnsemble', () => {
  // Tree 0: x0 <= 1 ? leaf 0 : (x1 in {2, 3} ? leaf 1 : leaf 2). Tree 1: x1 > 5 ? leaf 3 : leaf 4.
  const attributes = {
    n_targets: 2,
    nodes_featureids: [0, 1, 1],
    nodes_modes: attribute(fromNumbers('uint8', [3], [0, 6, 3])),
    nodes_splits: attribute(float32([1, 0, 5])),
    nodes_truenodeids: [0, 1, 3],
    nodes_trueleafs: [1, 1, 1],
    nodes_falsenodeids: [1, 2, 4],
    nodes_falseleafs: [0, 1, 1],
    nodes_missing_value_tracks_true: [0, 0, 1],
    membership_values: attribute(float32([2, 3, Number.NaN])),
    tree_roots: [0, 2],
    leaf_targetids: [0, 1, 0, 0, 1],
    leaf_weights: attribute(float32([1, 2, 4, 8, 16])),
  }
  const x = float32([0, 0, 2, 3, 2, 7, Number.NaN, Number.NaN], [4, 2])
  const scores = (more: object = {}): number[] =>
    evaluateNumbers(TreeEnsemble, [x], { ...attributes, ...more })

  test('adds up the leaves by target', () => {
    expect(scores()).toEqual([1, 16, 0, 18, 12, 0, 12, 0])
    expect(scores({ aggregate_function: 0 })).toEqual([0.5, 8, 0, 9, 6, 0, 6, 0])
    expect(scores({ aggregate_function: 2 })).toEqual([1, 16, 0, 2, 4, 0, 4, 0])
    expect(scores({ aggregate_function: 3 })).toEqual([1, 16, 0, 16, 8, 0, 8, 0])
    expect(evaluateNumbers(TreeEnsemble, [float32([0, 6])], attributes)).toEqual([9, 0])
  })

  test('transforms the scores', () => {
    const leaves = { leaf_weights: attribute(float32([1, 2, 0.5, 0.25, 0.5])) }
    const first = (post_transform: number): number[] => scores({ ...leaves, post_transform }).slice(0, 2)
    const close = (...values: number[]): unknown[] => values.map(value => expect.closeTo(value, 6))
    expect(first(1)).toEqual(close(Math.exp(0.5) / (1 + Math.exp(0.5)), 1 / (1 + Math.exp(0.5))))
    expect(first(2)).toEqual(close(1 / (1 + Math.exp(-1)), 1 / (1 + Math.exp(-0.5))))
    expect(scores({ ...leaves, post_transform: 3 }).slice(4, 6)).toEqual(close(1, 0))
    expect(first(4)).toEqual([Number.POSITIVE_INFINITY, expect.closeTo(0, 6)])
    expect(
      scores({ ...leaves, post_transform: 4, leaf_weights: attribute(float32([0.975, 0, 0, 0, 0.1])) }).slice(
        0,
        2,
      ),
    ).toEqual(close(1.959964, -1.281552))
  })

  test('a tree that is a single leaf', () => {
    const leaf = { nodes_truenodeids: [0, 1, 3], nodes_falsenodeids: [0, 2, 4], nodes_falseleafs: [1, 1, 1] }
    expect(scores({ ...leaf, tree_roots: [0] })).toEqual([1, 0, 1, 0, 1, 0, 1, 0])
  })

  test('refuses trees that are none', () => {
    expect(() => scores({ nodes_falsenodeids: [0, 2, 4] })).toThrow(fails('invalid-graph')) // a cycle
    expect(() => scores({ tree_roots: [77] })).toThrow(fails('invalid-graph'))
    expect(() => scores({ nodes_truenodeids: [0] })).toThrow(fails('invalid-graph'))
    expect(() => scores({ leaf_targetids: [0, 1, 2, 0, 1] })).toThrow(fails('bad-argument'))
    expect(() => scores({ nodes_modes: attribute(fromNumbers('uint8', [3], [0, 9, 3])) })).toThrow(
      fails('bad-argument'),
    )
    expect(() => scores({ membership_values: attribute(float32([])) })).toThrow(fails('bad-argument'))
    expect(() => scores({ n_targets: 2 ** 50 })).toThrow(fails('too-large'))
    expect(() => evaluateOp(TreeEnsemble, [float32([0])], attributes)).toThrow(fails('bad-shape'))
  })

  test('inference', () => {
    expect(inferOp(TreeEnsemble, [tensorType('float64', ['n', 2])], attributes)).toEqual([
      tensorType('float64', ['n', 2]),
    ])
  })
})

describe('trees in the form of before version 5', () => {
  // Tree 7: x0 <= 1 ? node 1 : node 2. Tree 3: x1 > 0 ? node 1 : node 2.
  const nodes = {
    nodes_treeids: [7, 7, 7, 3, 3, 3],
    nodes_nodeids: [0, 1, 2, 0, 1, 2],
    nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF', 'BRANCH_GT', 'LEAF', 'LEAF'],
    nodes_featureids: [0, 0, 0, 1, 0, 0],
    nodes_values: [1, 0, 0, 0, 0, 0],
    nodes_truenodeids: [1, 0, 0, 1, 0, 0],
    nodes_falsenodeids: [2, 0, 0, 2, 0, 0],
  }
  const votes = (name: string, targets: readonly number[], weights: readonly number[]): PlainAttributes => ({
    [`${name}_treeids`]: [7, 7, 3, 3],
    [`${name}_nodeids`]: [1, 2, 1, 2],
    [`${name}_ids`]: targets,
    [`${name}_weights`]: weights,
  })
  const x = float32([0, 1, 2, -1], [2, 2])

  test('regression', () => {
    const attributes = { ...nodes, ...votes('target', [0, 0, 0, 1], [1, 2, 4, 8]), n_targets: 2 }
    const values = (more: object = {}, input: Tensor = x): number[] =>
      evaluateNumbers(TreeEnsembleRegressor, [input], { ...attributes, ...more })
    expect(values()).toEqual([5, 0, 2, 8])
    expect(values({ base_values: [10, 20] })).toEqual([15, 20, 12, 28])
    expect(values({ aggregate_function: 'AVERAGE' })).toEqual([2.5, 0, 1, 4])
    expect(values({ aggregate_function: 'MIN' })).toEqual([1, 0, 2, 8])
    expect(values({}, int64([2, 1]))).toEqual([6, 0])
    const tensors = { target_weights_as_tensor: attribute(fromNumbers('float64', [4], [1, 2, 4, 8])) }
    expect(values({ ...tensors, target_weights: [0, 0, 0, 0] })).toEqual([5, 0, 2, 8])
    expect(values({ nodes_missing_value_tracks_true: [1, 0, 0, 0, 0, 0] }, float32([Number.NaN, 1]))).toEqual(
      [5, 0],
    )
    expect(() => values({ nodes_truenodeids: [9, 0, 0, 1, 0, 0] })).toThrow(fails('invalid-graph'))
    expect(() => values({ nodes_truenodeids: [1] })).toThrow(fails('invalid-graph'))
    expect(() => values({ target_ids: [0, 0, 0, 2] })).toThrow(fails('bad-argument'))
    expect(() => values({ nodes_modes: nodes.nodes_modes.with(0, 'BRANCH_ODD') })).toThrow(
      fails('bad-argument'),
    )
    expect(() => values({ n_targets: 2 ** 50 })).toThrow(fails('too-large'))
    expect(inferOp(TreeEnsembleRegressor, [tensorType('int32', ['n', 2])], attributes)).toEqual([
      tensorType('float32', ['n', 2]),
    ])
  })

  const classify = (attributes: PlainAttributes): unknown =>
    evaluateOp(TreeEnsembleClassifier, [x], { ...nodes, ...attributes }, { outputs: 2 })

  test('classification: the largest score wins', () => {
    const three = { ...votes('class', [0, 1, 2, 1], [1, 2, 4, 8]), classlabels_strings: ['a', 'b', 'c'] }
    expect(classify(three)).toEqual([words('c', 'b'), float32([1, 0, 4, 0, 10, 0], [2, 3])])
    expect(classify({ ...three, base_values: [9, 0, 0] })).toEqual([
      words('a', 'b'),
      float32([10, 0, 4, 9, 10, 0], [2, 3]),
    ])
    expect(
      inferOp(TreeEnsembleClassifier, [tensorType('float32', ['n', 2])], { ...nodes, ...three }),
    ).toEqual([tensorType('string', ['n']), tensorType('float32', ['n', 3])])
  })

  test('classification: two classes, votes for one', () => {
    const two = { classlabels_int64s: [10, 20] }
    const positive = votes('class', [0, 0, 0, 0], [0.25, 0.5, 0, 0.25])
    expect(classify({ ...two, ...positive })).toEqual([
      int64([10, 20]),
      float32([0.75, 0.25, 0.25, 0.75], [2, 2]),
    ])
    const mixed = votes('class', [0, 0, 0, 0], [0.25, -0.5, 0, 0.25])
    expect(classify({ ...two, ...mixed })).toEqual([
      int64([20, 10]),
      float32([-0.25, 0.25, 0.25, -0.25], [2, 2]),
    ])
    const logistic = (value: number): number => Math.fround(1 / (1 + Math.exp(-value)))
    expect(classify({ ...two, ...mixed, post_transform: 'LOGISTIC' })).toEqual([
      int64([20, 10]),
      float32([logistic(-0.25), logistic(0.25), logistic(0.25), logistic(-0.25)], [2, 2]),
    ])
    const second = votes('class', [1, 1, 1, 1], [0.25, 0.5, 0, 0.25])
    expect(classify({ ...two, ...second })).toEqual([int64([10, 20]), float32([0, 0.25, 0, 0.75], [2, 2])])
    expect(() => classify({ ...positive, classlabels_int64s: [1] })).toThrow(fails('unsupported'))
    expect(() => classify(positive)).toThrow(fails('invalid-graph'))
  })
})
