/**
 * Scaled dot-product attention over one or more heads, with masks and a cache of past keys and values. A
 * query that sees no key at all (its bias is minus infinity everywhere) gives zeros, not NaN. Where
 * `softmax_precision` is given, scores and probabilities are rounded to it; otherwise nothing is rounded
 * before the end.
 */
import { EspalierError } from '../../errors.ts'
import { addDims, floorDivideDims, multiplyDims, productOfDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, InferContext, Op } from '../op.ts'
import { type AttributeSchema, float, floats, int, integers, optional, type Schema } from '../schema.ts'
import { type AttentionMask, biasRows } from '../support/attention-mask.ts'
import {
  appendHeads,
  type Heads,
  readHeads,
  readValues,
  requireAttention,
  scoresOf,
  softmaxRow,
  swapMiddle,
} from '../support/heads.ts'
import { typed } from '../support/infer.ts'
import { lowerOnnxAttention } from '../support/lower-attention.ts'
import { readDtype, roundingTo } from '../support/precision.ts'

const version = (inputs: readonly string[], attributes: Record<string, AttributeSchema>): Schema => ({
  inputs: ['Q: T1', 'K: T1', 'V: T2', 'attn_mask?: U', 'past_key?: T1', 'past_value?: T2', ...inputs],
  outputs: ['Y: T1', 'present_key?: T1', 'present_value?: T2', 'qk_matmul_output?: T1'],
  types: { T1: floats, T2: floats, U: [...integers, ...floats, 'bool'] },
  attributes: {
    is_causal: int(0),
    kv_num_heads: optional('int'),
    q_num_heads: optional('int'),
    qk_matmul_output_mode: int(0),
    scale: optional('float'),
    softcap: float(0),
    softmax_precision: optional('int'),
    ...attributes,
  },
})

export const Attention: Op = {
  name: 'Attention',
  doc: 'Scaled dot-product attention, with masks, grouped heads and a key-value cache.',
  versions: {
    23: version([], {}),
    24: version(['nonpad_kv_seqlen?: int64'], {}),
    25: version(['nonpad_kv_seqlen?: int64'], { left_window_size: int(-1), right_window_size: int(-1) }),
  },
  infer(c) {
    const dims = attentionDims(c)
    if (dims === undefined) return [typed(c.dtype(0), undefined)]
    const { batch, heads, sharedHeads, queries, keys, size, valueSize, packed } = dims
    const y = packed ? [batch, queries, multiplyDims(heads, valueSize)] : [batch, heads, queries, valueSize]
    return [
      typed(c.dtype(0), y),
      typed(c.dtype(1), [batch, sharedHeads, keys, size]),
      typed(c.dtype(2), [batch, sharedHeads, keys, valueSize]),
      typed(c.dtype(0), [batch, heads, queries, keys]),
    ].slice(0, c.outputCount)
  },
  macs(c) {
    const dims = attentionDims(c)
    if (dims === undefined) return null
    const { batch, heads, queries, keys, size, valueSize } = dims
    return multiplyDims(productOfDims([batch, heads, queries, keys]), addDims(size, valueSize))
  },
  lower: lowerOnnxAttention,
  evaluate(c) {
    const { attributes } = c
    requireCacheRules(c)
    const [queryTensor, keyTensor, valueTensor] = [c.tensor(0), c.tensor(1), c.tensor(2)]
    const packed = isPacked(attributes, [queryTensor.shape, keyTensor.shape, valueTensor.shape])
    const q = readHeads(queryTensor, 'Q', attributes.optionalInt('q_num_heads'))
    const [newKeys, newValues] = [keyTensor, valueTensor].map((source, i) =>
      readHeads(source, i === 0 ? 'K' : 'V', attributes.optionalInt('kv_num_heads')),
    ) as [Heads, Heads]
    const [pastKeys, pastValues] = [c.optionalTensor(4), c.optionalTensor(5)]
    const k = pastKeys ? appendHeads(readHeads(pastKeys, 'past_key'), newKeys, 'K') : newKeys
    const v = pastValues ? appendHeads(readHeads(pastValues, 'past_value'), newValues, 'V') : newValues
    requireAttention(q, k, v)

    const { probabilities, exposed } = attend(c, q, k)
    const y = readValues(probabilities, q, v)
    const dtype = queryTensor.dtype
    const results: Tensor[] = [
      packed
        ? fromNumbers(
            dtype,
            [q.batch, q.length, q.heads * v.size],
            swapMiddle(y, q.batch, q.heads, q.length, v.size),
          )
        : fromNumbers(dtype, [q.batch, q.heads, q.length, v.size], y),
    ]
    if (c.outputCount > 1)
      results.push(fromNumbers(keyTensor.dtype, [k.batch, k.heads, k.length, k.size], k.values))
    if (c.outputCount > 2)
      results.push(fromNumbers(valueTensor.dtype, [v.batch, v.heads, v.length, v.size], v.values))
    if (c.outputCount > 3) results.push(fromNumbers(dtype, [q.batch, q.heads, q.length, k.length], exposed))
    return results
  },
}

/**
 * Probabilities [batch, heads, queries, keys], and the scores at the stage that `qk_matmul_output_mode`
 * names.
 */
function attend(
  c: EvaluateContext,
  q: Heads,
  k: Heads,
): { readonly probabilities: Float64Array; readonly exposed: Float64Array } {
  const { attributes } = c
  const mode = attributes.int('qk_matmul_output_mode')
  if (![0, 1, 2, 3].includes(mode))
    throw new EspalierError('bad-argument', 'unknown output mode', {
      where: { field: 'qk_matmul_output_mode' },
      expected: '0, 1, 2 or 3',
      got: `${mode}`,
    })
  const shown = c.hasOutput(3) ? mode : -1
  const scores = scoresOf(q, k, attributes.optionalFloat('scale') ?? 1 / Math.sqrt(q.size))
  let exposed = shown === 0 ? scores.slice() : scores
  const softcap = attributes.float('softcap')
  if (softcap !== 0)
    for (let i = 0; i < scores.length; i++) scores[i] = softcap * Math.tanh(scores[i]! / softcap)
  if (shown === 1) exposed = scores.slice()

  const precision = readDtype(attributes, 'softmax_precision', floats)
  const round = precision === undefined ? undefined : roundingTo(precision)
  const writeBias = biasRows(readMask(c, q, k))
  const bias = new Float64Array(k.length)
  if (shown === 2) exposed = new Float64Array(scores.length)
  for (let row = 0, at = 0; at < scores.length; row++, at += k.length) {
    const head = Math.floor(row / q.length)
    writeBias(bias, Math.floor(head / q.heads), head % q.heads, row % q.length)
    const own = scores.subarray(at, at + k.length)
    for (let j = 0; j < k.length; j++) own[j]! += bias[j]!
    if (shown === 2) exposed.set(own, at)
    if (round) for (let j = 0; j < k.length; j++) own[j] = round(own[j]!)
    if (bias.every(value => value === Number.NEGATIVE_INFINITY)) own.fill(0)
    else softmaxRow(own, 0)
    if (round) for (let j = 0; j < k.length; j++) own[j] = round(own[j]!)
  }
  return { probabilities: scores, exposed }
}

function readMask(c: EvaluateContext, q: Heads, k: Heads): AttentionMask {
  const { attributes } = c
  const validKeys = readValidKeys(c.optionalTensor(6), q.batch)
  const past = c.optionalTensor(4)?.shape[2] ?? 0
  return {
    batch: q.batch,
    heads: q.heads,
    queries: q.length,
    keys: k.length,
    mask: c.optionalTensor(3),
    padMask: c.version >= 24,
    causal: attributes.int('is_causal') !== 0,
    left: readWindowSize(attributes, 'left_window_size'),
    right: readWindowSize(attributes, 'right_window_size'),
    offsets: validKeys?.map(count => count - q.length) ?? new Float64Array(q.batch).fill(past),
    validKeys,
  }
}

function readValidKeys(source: Tensor | undefined, batch: number): Float64Array | undefined {
  if (source === undefined || (source.shape.length === 1 && source.shape[0] === batch))
    return source && numbers(source)
  throw new EspalierError('bad-shape', '"nonpad_kv_seqlen" does not have one length for each sample', {
    expected: `${batch}`,
    got: formatShape(source.shape),
  })
}

function readWindowSize(attributes: Attributes, name: string): number {
  const size = attributes.optionalInt(name) ?? -1
  if (size >= -1) return size
  throw new EspalierError('bad-argument', 'not the size of a window', {
    where: { field: name },
    expected: '-1 or more',
    got: `${size}`,
  })
}

/** A cache is either appended to here (past and present) or kept outside (`nonpad_kv_seqlen`). */
function requireCacheRules(c: EvaluateContext): void {
  const [pastKey, pastValue, valid] = [4, 5, 6].map(index => c.hasInput(index))
  if (pastKey !== pastValue)
    throw new EspalierError('bad-argument', 'past_key and past_value are only used together')
  if (valid && pastKey) throw new EspalierError('bad-argument', 'nonpad_kv_seqlen is not used with past_key')
}

/**
 * Whether heads are packed in the last axis (rank 3). Throws where the ranks differ or the heads are not
 * counted.
 */
function isPacked(attributes: Attributes, shapes: readonly (readonly Dim[])[]): boolean {
  const rank = shapes[0]!.length
  if ((rank !== 3 && rank !== 4) || shapes.some(shape => shape.length !== rank))
    throw new EspalierError('bad-shape', 'queries, keys and values do not have the ranks of an attention', {
      expected: 'rank 3 or rank 4, the same for all',
      got: shapes.map(shape => formatShape(shape)).join(', '),
    })
  for (const name of ['q_num_heads', 'kv_num_heads']) {
    const heads = attributes.optionalInt(name)
    if (heads === undefined ? rank === 4 : heads > 0) continue
    throw new EspalierError('bad-argument', 'the number of heads is not known', {
      where: { field: name },
      expected: 'a positive number, for inputs of rank 3',
      got: `${heads ?? 'nothing'}`,
    })
  }
  return rank === 3
}

interface AttentionDims {
  readonly batch: Dim
  readonly heads: Dim
  readonly sharedHeads: Dim
  readonly queries: Dim
  /** All keys, past ones included. */
  readonly keys: Dim
  readonly size: Dim
  readonly valueSize: Dim
  readonly packed: boolean
}

function attentionDims(c: InferContext): AttentionDims | undefined {
  const [q, k, v] = [c.shape(0), c.shape(1), c.shape(2)]
  if (q === undefined || k === undefined || v === undefined) return undefined
  const packed = isPacked(c.attributes, [q, k, v])
  const past = c.hasInput(4) ? (c.shape(4)?.[2] ?? null) : 0
  if (!packed)
    return {
      batch: q[0]!,
      heads: q[1]!,
      sharedHeads: k[1]!,
      queries: q[2]!,
      keys: addDims(past, k[2]!),
      size: k[3]!,
      valueSize: v[3]!,
      packed,
    }
  const [heads, sharedHeads] = [c.attributes.int('q_num_heads'), c.attributes.int('kv_num_heads')]
  return {
    batch: q[0]!,
    heads,
    sharedHeads,
    queries: q[1]!,
    keys: addDims(past, k[1]!),
    size: floorDivideDims(k[2]!, sharedHeads),
    valueSize: floorDivideDims(v[2]!, sharedHeads),
    packed,
  }
}
