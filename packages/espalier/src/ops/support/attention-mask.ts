/**
 * The additive bias of ONNX's `Attention`: a mask input, the causal frontier, a window around each query and
 * padded keys, summed. A boolean mask gives 0 and minus infinity. Query `i` of a sample is at position
 * `offset + i`, where the offset is the number of keys that come before this block of queries. Source: ONNX
 * Operators.md, Attention 23 to 25.
 */
import { EspalierError } from '../../errors.ts'
import { numbers } from '../../tensor/elements.ts'
import { broadcastStrides, formatShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

export interface AttentionMask {
  readonly batch: number
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly mask: Tensor | undefined
  /** Whether a mask with fewer keys goes on with minus infinity (operator set 24). */
  readonly padMask: boolean
  readonly causal: boolean
  /** How far a query sees to the left and to the right; -1 is without bound. */
  readonly left: number
  readonly right: number
  /** Keys before the first query, by sample. */
  readonly offsets: ArrayLike<number>
  /** Keys that are not padding, by sample. */
  readonly validKeys: ArrayLike<number> | undefined
}

/** Writes the bias of query `i` of head `h` of sample `n` to `row` [keys]. */
export type BiasRow = (row: Float64Array, n: number, h: number, i: number) => void

export function biasRows(settings: AttentionMask): BiasRow {
  const { keys, causal, left, right, offsets, validKeys } = settings
  const fill = settings.mask === undefined ? undefined : maskRows(settings, settings.mask)
  return (row, n, h, i) => {
    if (fill === undefined) row.fill(0)
    else fill(row, n, h, i)
    const position = offsets[n]! + i
    const from = left >= 0 ? position - left : 0
    const reach = causal ? (right >= 0 ? Math.min(right, 0) : 0) : right
    const seen = causal || right >= 0 ? position + reach + 1 : keys
    const to = Math.min(seen, validKeys?.[n] ?? keys, keys)
    for (let j = 0; j < keys; j++) if (j < from || j >= to) row[j]! += Number.NEGATIVE_INFINITY
  }
}

/** Rows of the mask input, broadcast to [batch, heads, queries, keys]. */
function maskRows({ batch, heads, queries, keys, padMask }: AttentionMask, mask: Tensor): BiasRow {
  const raw = numbers(mask)
  const values =
    mask.dtype === 'bool' ? raw.map(allowed => (allowed !== 0 ? 0 : Number.NEGATIVE_INFINITY)) : raw
  const given = mask.shape.at(-1) ?? 1
  const length = padMask ? Math.min(given, keys) : keys
  const target = [batch, heads, queries, length]
  const fits =
    mask.shape.length <= 4 &&
    given <= Math.max(keys, 1) &&
    mask.shape.every((extent, axis) => extent === 1 || extent === target[axis + 4 - mask.shape.length])
  if (!fits)
    throw new EspalierError('bad-shape', 'the attention mask does not broadcast to the scores', {
      expected: `${formatShape([batch, heads, queries, keys])}${padMask ? ', or fewer keys' : ''}`,
      got: formatShape(mask.shape),
    })
  const [perSample, perHead, perQuery, perKey] = broadcastStrides(mask.shape, target) as [
    number,
    number,
    number,
    number,
  ]
  return (row, n, h, i) => {
    const at = n * perSample + h * perHead + i * perQuery
    for (let j = 0; j < length; j++) row[j] = values[at + j * perKey]!
    row.fill(Number.NEGATIVE_INFINITY, length)
  }
}
