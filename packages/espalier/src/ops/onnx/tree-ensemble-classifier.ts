/**
 * Classification by an ensemble of decision trees (ai.onnx.ml, before `TreeEnsemble`). With two classes of
 * which the leaves only vote for one, the score decides on the second class: it is a probability when all weights are
 * non-negative, otherwise a margin around zero; ONNX's text says nothing of this, onnxruntime does it.
 */
import { EspalierError } from '../../errors.ts'
import { type Dim, tensorType } from '../../graph/graph.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import { optional, type Schema } from '../schema.ts'
import { featureRows, scoreRow } from '../support/decision-trees.ts'
import { scoreTransform } from '../support/score-transforms.ts'
import { floatList, readTrees, treeAttributes } from '../support/tree-attributes.ts'

const version = (tensors: boolean): Schema => ({
  inputs: ['X: T1'],
  outputs: ['Y: T2', 'Z: float32'],
  types: { T1: ['float32', 'float64', 'int64', 'int32'], T2: ['string', 'int64'] },
  attributes: {
    classlabels_int64s: optional('ints'),
    classlabels_strings: optional('strings'),
    ...treeAttributes('class', tensors),
  },
})

export const TreeEnsembleClassifier: Op = {
  name: 'TreeEnsembleClassifier',
  domain: 'ai.onnx.ml',
  doc: 'The class of every row of features, and its score for each class, from the leaves that it reaches.',
  limits: 'At least two classes.',
  deprecated: 5,
  versions: { 1: version(false), 3: version(true) },
  infer(c) {
    const shape = c.shape(0)
    const rows: Dim = shape?.length === 2 ? shape[0]! : 1
    const { labels, count } = classesOf(c.attributes)
    return [tensorType(labels.dtype, shape && [rows]), tensorType('float32', shape && [rows, count])]
  },
  evaluate(c) {
    const { labels, count } = classesOf(c.attributes)
    const ensemble = readTrees(c.attributes, 'class', count)
    const base = floatList(c.attributes, 'base_values') ?? []
    const transform = scoreTransform(c.attributes.string('post_transform'))
    const rows = featureRows(c.tensor(0))
    const spread = count === 2 ? oneSided(c.attributes) : undefined
    const chosen: number[] = []
    const scores = rows.flatMap(row => {
      const sums = scoreRow(ensemble, row, 'SUM').map((score, index) => score + (base[index] ?? 0))
      const both = spread?.(sums) ?? { scores: sums, best: indexOfLargest(sums) }
      chosen.push(both.best)
      return transform(both.scores)
    })
    return [chosenLabels(labels, chosen), fromNumbers('float32', [rows.length, count], scores)]
  },
}

interface Classes {
  readonly labels: Tensor<'int64'> | Tensor<'string'>
  readonly count: number
}

function classesOf(attributes: Attributes): Classes {
  const names = attributes.optionalStrings('classlabels_strings') ?? []
  const ids = attributes.optionalInts('classlabels_int64s') ?? []
  if ((names.length === 0) === (ids.length === 0))
    throw new EspalierError('invalid-graph', 'one list of class labels is wanted, and only one')
  const count = names.length || ids.length
  if (count < 2)
    throw new EspalierError('unsupported', 'a classifier of a single class', {
      expected: 'two classes or more',
    })
  return { labels: names.length > 0 ? tensor('string', [count], names) : int64(ids), count }
}

interface Decision {
  readonly scores: readonly number[]
  readonly best: number
}

/** For two classes of which one gets all votes: scores of both, from the sums. Votes for the first count for the second. */
function oneSided(attributes: Attributes): ((sums: readonly number[]) => Decision) | undefined {
  const voted = new Set(attributes.ints('class_ids'))
  const [only] = voted
  if (voted.size !== 1 || only === undefined) return undefined
  const positive = (floatList(attributes, 'class_weights') ?? []).every(weight => weight >= 0)
  const probability = positive && ['NONE', 'PROBIT'].includes(attributes.string('post_transform'))
  return sums => {
    const score = sums[only]!
    const best = score > (positive ? 0.5 : 0) ? 1 : 0
    return only === 1 ? { scores: sums, best } : { scores: [probability ? 1 - score : -score, score], best }
  }
}

function indexOfLargest(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0)
}

function chosenLabels(labels: Classes['labels'], chosen: readonly number[]): Tensor {
  return labels.dtype === 'string'
    ? tensor(
        'string',
        [chosen.length],
        chosen.map(index => labels.data[index]!),
      )
    : tensor(
        'int64',
        [chosen.length],
        BigInt64Array.from(chosen, index => labels.data[index]!),
      )
}
