/**
 * Scaled dot-product attention with two bodies of the model's own: one that changes the scores before the
 * softmax, one that changes the probabilities after it. Queries and keys are each scaled by the root of the scale; they
 * and the scores are rounded to the type of the inputs. The bodies see tensors of the softmax's precision, which is
 * float32 unless the inputs are double or `softmax_precision` says otherwise. A row of minus
 * infinities gives NaN, as Softmax has it. Experimental in ONNX (operator set ai.onnx.preview). After
 * PyTorch's flex_attention.
 */
import { EspalierError } from '../../errors.ts'
import { addDims, multiplyDims, productOfDims } from '../../graph/dim.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, type Shape } from '../../tensor/shape.ts'
import { isTensor, type Tensor } from '../../tensor/tensor.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { floats, optional } from '../schema.ts'
import {
  type Heads,
  readHeads,
  readValues,
  requireAttention,
  scoresOf,
  softmaxRow,
} from '../support/heads.ts'
import { typed } from '../support/infer.ts'
import { readDtype, roundingTo } from '../support/precision.ts'

export const FlexAttention: Op = {
  name: 'FlexAttention',
  domain: 'ai.onnx.preview',
  doc: 'Attention whose scores and probabilities are changed by bodies of the model.',
  versions: {
    1: {
      inputs: ['Q: T1', 'K: T1', 'V: T1'],
      outputs: ['Y: T1'],
      types: { T1: floats },
      attributes: {
        prob_mod: optional('graph'),
        scale: optional('float'),
        score_mod: optional('graph'),
        softmax_precision: optional('int'),
      },
    },
  },
  infer(c) {
    const [q, v] = [c.shape(0), c.shape(2)]
    return [typed(c.dtype(0), q && v && [...q.slice(0, 3), v[3] ?? null])]
  },
  macs(c) {
    const [q, k, v] = [c.shape(0), c.shape(1), c.shape(2)]
    if (q?.length !== 4 || k?.length !== 4 || v?.length !== 4) return null
    return multiplyDims(productOfDims([...q.slice(0, 3), k[2]!]), addDims(q[3]!, v[3]!))
  },
  evaluate(c) {
    const q = readHeads(c.tensor(0), 'Q')
    const k = readHeads(c.tensor(1), 'K')
    const v = readHeads(c.tensor(2), 'V')
    requireAttention(q, k, v)
    const { dtype } = c.tensor(0)
    const precision =
      readDtype(c.attributes, 'softmax_precision', floats) ?? (dtype === 'float64' ? dtype : 'float32')
    const shape = [q.batch, q.heads, q.length, k.length]
    const round = roundingTo(dtype)
    const root = round(Math.sqrt(c.attributes.optionalFloat('scale') ?? 1 / Math.sqrt(q.size)))
    const scaled = (heads: Heads): Heads => ({ ...heads, values: heads.values.map(x => round(x * root)) })
    const scores = scoresOf(scaled(q), scaled(k), 1).map(round)
    // A copy: what the body gives may be one of its inputs or a constant.
    const probabilities = modify(c, 'score_mod', precision, shape, scores).slice()
    if (k.length > 0)
      for (let at = 0; at < probabilities.length; at += k.length)
        softmaxRow(probabilities.subarray(at, at + k.length), Number.NaN)
    const y = readValues(modify(c, 'prob_mod', precision, shape, probabilities), q, v)
    return [fromNumbers(dtype, [q.batch, q.heads, q.length, v.size], y)]
  },
}

/** `values` after the body in attribute `name`; as they are where there is none. */
function modify(
  c: EvaluateContext,
  name: string,
  precision: DType,
  shape: Shape,
  values: Float64Array,
): Float64Array {
  if (!c.attributes.has(name)) return values
  const results = c.runGraph(c.attributes.graph(name), [fromNumbers(precision, shape, values) as Tensor])
  const [result] = results
  if (results.length === 1 && isTensor(result) && formatShape(result.shape) === formatShape(shape))
    return numbers(result)
  throw new EspalierError('bad-shape', `the body "${name}" does not give one tensor like its input`, {
    expected: formatShape(shape),
    got: results.map(value => (isTensor(value) ? formatShape(value.shape) : 'no tensor')).join(', '),
  })
}
