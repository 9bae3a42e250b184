/**
 * Negative log-likelihood of labels: the loss itself, its reductions, class weights and ignored labels.
 * `SoftmaxCrossEntropyLoss` is the same on the logarithm of the softmax.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { bigints, fromNumbers } from '../../tensor/elements.ts'
import { formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext } from '../op.ts'
import { type AttributeSchema, optional, string } from '../schema.ts'
import { vectorOf } from './normalize.ts'

export const lossAttributes: Readonly<Record<string, AttributeSchema>> = {
  ignore_index: optional('int'),
  reduction: string('mean', ['none', 'sum', 'mean']),
}

/** The labels' shape, for scores [N, C, ...]. Throws `bad-shape` where labels, if known, do not fit. */
export function labelShape<D extends Dim>(scores: readonly D[], labels?: readonly D[]): D[] {
  const shape = scores.filter((_, axis) => axis !== 1)
  const fits =
    scores.length >= 2 &&
    (labels === undefined ||
      (labels.length === shape.length &&
        labels.every((extent, axis) => !differentDims(extent, shape[axis]!))))
  if (fits) return shape
  throw new EspalierError('bad-shape', 'labels and scores do not fit', {
    expected: 'scores N x C x ..., labels N x ...',
    got: `scores ${formatShape(scores)}, labels ${labels === undefined ? 'unknown' : formatShape(labels)}`,
  })
}

/** Shape of the loss. */
export function lossShape<D extends Dim>(
  attributes: Attributes,
  scores: readonly D[],
  labels?: readonly D[],
): D[] {
  const shape = labelShape(scores, labels)
  return attributes.string('reduction') === 'none' ? shape : []
}

/**
 * The loss of log-probabilities [N, C, ...] (of shape `shape`) at labels (input 1), with class weights (input 2).
 * Throws `bad-argument` for a label that is no class.
 */
export function negativeLogLikelihood(
  c: EvaluateContext,
  logProbabilities: Float64Array,
  { dtype, shape }: { readonly dtype: Tensor['dtype']; readonly shape: Shape },
): Tensor {
  const target = c.tensor(1)
  const samples = labelShape(shape, target.shape)
  const classes = shape[1]!
  const inner = sizeOf(shape.slice(2))
  const labels = bigints(target)
  const weightInput = c.optionalTensor(2)
  const classWeights = weightInput && vectorOf(weightInput, classes, 'the weight')
  const ignored = ignoredLabel(c)
  const losses = new Float64Array(labels.length)
  let weightSum = 0
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] === ignored) continue
    const label = classOf(labels[i]!, classes)
    const weight = classWeights === undefined ? 1 : classWeights[label]!
    const sample = Math.floor(i / inner)
    losses[i] = -weight * logProbabilities[(sample * classes + label) * inner + (i % inner)]!
    weightSum += weight
  }
  const reduction = c.attributes.string('reduction')
  if (reduction === 'none') return fromNumbers(dtype, samples, losses)
  const total = losses.reduce((sum, loss) => sum + loss, 0)
  return fromNumbers(dtype, [], [reduction === 'sum' ? total : total / weightSum])
}

/** The label whose samples do not count. It may be any 64-bit integer. */
function ignoredLabel(c: EvaluateContext): bigint | undefined {
  const attribute = c.attributes.get('ignore_index')
  return attribute?.type === 'int' ? BigInt(attribute.value) : undefined
}

function classOf(label: bigint, classes: number): number {
  if (label >= 0n && label < classes) return Number(label)
  throw new EspalierError('bad-argument', `the label ${label} is no class`, {
    expected: `0 to ${classes - 1}, or the "ignore_index"`,
  })
}
