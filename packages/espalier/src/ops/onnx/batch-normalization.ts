/**
 * Batch normalisation. Up to operator set 13 a node with more than one output is in training mode, and
 * operator set 7 can normalise every position on its own (`spatial` 0); from 14 on `training_mode` says which.
 */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { LowerContext } from '../lower.ts'
import type { EvaluateContext, NodeContext, Op } from '../op.ts'
import { float, floats, floats16, int, type Schema } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { linesAlong } from '../support/lines.ts'
import {
  apply,
  constant,
  convert,
  decline,
  inputValue,
  lowerTo,
  stridedValue,
  tableValue,
  type Value,
} from '../support/lower-elementwise.ts'
import { type ChannelView, momentsOf, vectorOf } from '../support/normalize.ts'

const attributes = { epsilon: float(1e-5), momentum: float(0.9) }
const old: Schema = {
  inputs: ['X: T', 'scale: T', 'B: T', 'mean: T', 'var: T'],
  outputs: ['Y: T', 'mean?: T', 'var?: T', 'saved_mean?: T', 'saved_var?: T'],
  types: { T: floats16 },
  attributes,
}

export const BatchNormalization: Op = {
  name: 'BatchNormalization',
  doc: 'Normalises each channel by a given mean and variance, or in training mode by those of the batch.',
  versions: {
    7: { ...old, attributes: { ...attributes, spatial: int(1) } },
    9: old,
    14: {
      inputs: ['X: T', 'scale: T', 'B: T', 'input_mean: U', 'input_var: U'],
      outputs: ['Y: T', 'running_mean?: U', 'running_var?: U'],
      types: { T: floats, U: floats },
      attributes: { ...attributes, training_mode: int(0) },
    },
    15: {
      inputs: ['X: T', 'scale: T1', 'B: T1', 'input_mean: T2', 'input_var: T2'],
      outputs: ['Y: T', 'running_mean?: T2', 'running_var?: T2'],
      types: { T: floats, T1: floats, T2: floats },
      attributes: { ...attributes, training_mode: int(0) },
    },
  },
  infer(c) {
    const statistics = [typed(c.dtype(3), c.shape(3)), typed(c.dtype(4), c.shape(4))]
    return [c.inputs[0], ...statistics, ...statistics].slice(0, c.outputCount)
  },
  lower: lowerTo(c => {
    if (isTraining(c)) decline('it is in training mode')
    if ((c.attributes.optionalInt('spatial') ?? 1) === 0) decline('it normalises every position on its own')
    return normalized(c)
  }),
  evaluate(c) {
    const [X, epsilon] = [c.tensor(0), c.attributes.float('epsilon')]
    const view = viewOf(c, X.shape)
    const vector = (index: number, what: string): Float64Array =>
      vectorOf(c.tensor(index), view.channels, what)
    const [scale, bias] = [vector(1, 'the scale'), vector(2, 'the bias')]
    const [mean, variance] = [vector(3, 'the mean'), vector(4, 'the variance')]
    const x = numbers(X)
    const normalized = (by: Float64Array, spread: Float64Array): Tensor =>
      fromNumbers(X.dtype, X.shape, normalize(x, view, by, spread, scale, bias, epsilon))
    if (!isTraining(c)) return [normalized(mean, variance)]

    const batch = batchMoments(x, view)
    const momentum = c.attributes.float('momentum')
    const statistic = (index: number, values: Float64Array): Tensor =>
      fromNumbers(c.tensor(index).dtype, c.tensor(index).shape, values)
    const running = (before: Float64Array, now: Float64Array): Float64Array =>
      before.map((value, i) => value * momentum + now[i]! * (1 - momentum))
    return [
      normalized(batch.mean, batch.variance),
      statistic(3, running(mean, batch.mean)),
      statistic(4, running(variance, batch.variance)),
      statistic(3, batch.mean),
      statistic(4, batch.variance),
    ].slice(0, c.outputCount)
  },
}

function isTraining(c: NodeContext): boolean {
  const more = [1, 2, 3, 4].some(index => c.hasOutput(index))
  if (c.version < 14) return more
  const training = c.attributes.int('training_mode') !== 0
  if (more && !training)
    throw new EspalierError('invalid-graph', 'running statistics are only computed in training mode', {
      expected: '"training_mode" 1, or one output',
    })
  return training
}

/** A vector is a batch of one channel; without `spatial`, every position is a channel of its own. */
function viewOf(c: EvaluateContext, shape: Shape): ChannelView {
  const [batch = 1, channels = 1, ...inner] = shape
  const spatial = (c.attributes.optionalInt('spatial') ?? 1) !== 0
  return spatial
    ? { batch, channels, inner: sizeOf(inner) }
    : { batch, channels: channels * sizeOf(inner), inner: 1 }
}

function normalize(
  x: Float64Array,
  { batch, channels, inner }: ChannelView,
  mean: Float64Array,
  variance: Float64Array,
  scale: Float64Array,
  bias: Float64Array,
  epsilon: number,
): Float64Array {
  const y = new Float64Array(x.length)
  let at = 0
  for (let n = 0; n < batch; n++)
    for (let channel = 0; channel < channels; channel++) {
      const factor = scale[channel]! / Math.sqrt(variance[channel]! + epsilon)
      const [center, offset] = [mean[channel]!, bias[channel]!]
      for (let i = 0; i < inner; i++, at++) y[at] = (x[at]! - center) * factor + offset
    }
  return y
}

/** Mean and variance of every channel over the batch and the inner positions. */
function batchMoments(
  x: Float64Array,
  { batch, channels, inner }: ChannelView,
): { readonly mean: Float64Array; readonly variance: Float64Array } {
  const { starts, steps } = linesAlong([batch, channels, inner], [0, 2])
  const moments = Array.from(starts, start => momentsOf(x, start, steps))
  return {
    mean: Float64Array.from(moments, ({ mean }) => mean),
    variance: Float64Array.from(moments, ({ variance }) => variance),
  }
}

/** x * factor + offset by channel where all parameters are known, otherwise from the parameters themselves. */
function normalized(c: LowerContext): Value {
  const strides = c.outputType(0).shape.map((_, axis) => (axis === 1 ? 1 : 0))
  const x = inputValue(c, 0)
  const epsilon = c.attributes.float('epsilon')
  const known = [1, 2, 3, 4].map(index => c.constant(index))
  if (x.dtype === 'float32' && known.every(parameter => parameter?.dtype === 'float32')) {
    const [scale, bias, mean, variance] = known.map(parameter => numbers(parameter!))
    const factor = scale!.map((value, i) => value / Math.sqrt(variance![i]! + epsilon))
    const offset = factor.map((value, i) => bias![i]! - mean![i]! * value)
    const table = (data: Float64Array): Value => tableValue(c, Float32Array.from(data), strides)
    return apply('fma', x, table(factor), table(offset))
  }
  const parameter = (index: number): Value => convert(stridedValue(c, index, strides), x.dtype)
  const spread = apply('sqrt', apply('add', parameter(4), constant(x.dtype, epsilon)))
  const centered = apply('sub', x, parameter(3))
  return apply('add', apply('mul', centered, apply('div', parameter(1), spread)), parameter(2))
}
