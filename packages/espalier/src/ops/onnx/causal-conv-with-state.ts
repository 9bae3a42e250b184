/**
 * Depthwise convolution along a sequence that only looks back, with the last elements carried from call to
 * call. Used ahead of state-space and linear-attention layers (Mamba, Gated DeltaNet).
 */
import { EspalierError } from '../../errors.ts'
import { multiplyDims, productOfDims, subtractDims } from '../../graph/dim.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sameShape } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import { string } from '../schema.ts'
import { sigmoid } from '../support/activations.ts'
import { convolutionWeights, convolve, readBias } from '../support/convolution.ts'
import { typed } from '../support/infer.ts'
import { roundingTo } from '../support/precision.ts'

export const CausalConvWithState: Op = {
  name: 'CausalConvWithState',
  doc: 'Causal depthwise convolution along a sequence, with its past carried along.',
  versions: {
    27: {
      inputs: ['input: T', 'weight: T', 'bias?: T', 'past_state?: T'],
      outputs: ['output: T', 'present_state: T'],
      types: { T: ['float32', 'float16', 'bfloat16'] },
      attributes: { activation: string('none') },
    },
  },
  infer(c) {
    const [batch, channels] = c.shape(0) ?? [null, null]
    const kept = subtractDims(c.shape(1)?.[2] ?? null, 1)
    const state = typed(c.dtype(0), [batch ?? null, channels ?? c.shape(1)?.[0] ?? null, kept])
    return [typed(c.dtype(0), c.shape(0)), state].slice(0, c.outputCount)
  },
  macs(c) {
    const [x, w] = [c.shape(0), c.shape(1)]
    return x === undefined || w === undefined ? null : multiplyDims(productOfDims(x), w[2] ?? null)
  },
  weights: c => convolutionWeights(c, 1),
  evaluate(c) {
    const [input, weight, past] = [c.tensor(0), c.tensor(1), c.optionalTensor(3)]
    const [batch, channels, length] = input.shape as [number, number, number]
    const kernel = weight.shape[2] ?? 0
    const kept = kernel - 1
    const fits =
      input.shape.length === 3 &&
      sameShape(weight.shape, [channels, 1, kernel]) &&
      kernel > 0 &&
      (past === undefined || sameShape(past.shape, [batch, channels, kept]))
    if (!fits)
      throw new EspalierError('bad-shape', 'input, weight and past state do not fit', {
        expected: '[batch, channels, length], [channels, 1, k] and [batch, channels, k - 1]',
        got: [input, weight, ...(past ? [past] : [])].map(({ shape }) => formatShape(shape)).join(', '),
      })
    const bias = readBias(c.optionalTensor(2), channels)
    const rows = batch * channels
    const sequence = allocate('float64', rows * (length + kept))
    const [before, now] = [past && numbers(past), numbers(input)]
    for (let row = 0; row < rows; row++) {
      const at = row * (length + kept)
      if (before !== undefined) sequence.set(before.subarray(row * kept, (row + 1) * kept), at)
      sequence.set(now.subarray(row * length, (row + 1) * length), at + kept)
    }
    const axis = { input: length + kept, output: length, kernel, stride: 1, dilation: 1, before: 0, after: 0 }
    const convolution = { batch, groups: channels, inputs: channels, outputs: channels, axes: [axis] }
    // The activation sees the convolution as the operators that stand for this one pass it on: rounded.
    const y = convolve(convolution, sequence, numbers(weight), bias).map(roundingTo(input.dtype))
    const state = new Float64Array(rows * kept)
    for (let row = 0; row < rows; row++) {
      const end = (row + 1) * (length + kept)
      state.set(sequence.subarray(end - kept, end), row * kept)
    }
    return [
      fromNumbers(input.dtype, input.shape, y.map(readActivation(c.attributes))),
      fromNumbers(input.dtype, [batch, channels, kept], state),
    ].slice(0, c.outputCount)
  },
}

function readActivation(attributes: Attributes): (value: number) => number {
  const name = attributes.string('activation')
  switch (name) {
    case 'none':
      return value => value
    case 'silu':
    case 'swish':
      return value => value * sigmoid(value)
    default:
      throw new EspalierError('bad-argument', 'unknown activation', {
        where: { field: 'activation' },
        expected: 'none, silu or swish',
        got: name,
      })
  }
}
