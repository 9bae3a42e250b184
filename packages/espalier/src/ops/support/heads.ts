/**
 * Attention heads: queries, keys and values as [batch, heads, length, size], the scores between them and what
 * is read with the probabilities. Query heads share the heads of keys and values in groups of neighbours.
 * Float64 throughout.
 */
import { EspalierError } from '../../errors.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import { allocate, type Tensor } from '../../tensor/tensor.ts'
import { outputSize } from './movement.ts'

export interface Heads {
  readonly batch: number
  readonly heads: number
  /** Positions in the sequence. */
  readonly length: number
  /** Elements of one head at one position. */
  readonly size: number
  /** [batch, heads, length, size]. */
  readonly values: Float64Array
}

/**
 * Reads a tensor [batch, heads, length, size], or [batch, length, heads * size] with the number of heads.
 * Throws `bad-shape`.
 */
export function readHeads(source: Tensor, name: string, heads?: number): Heads {
  const { shape } = source
  if (shape.length === 4) {
    const [batch, own, length, size] = shape as [number, number, number, number]
    if (heads === undefined || heads === own)
      return { batch, heads: own, length, size, values: numbers(source) }
  } else if (shape.length === 3 && heads !== undefined && shape[2]! % heads === 0) {
    const [batch, length, all] = shape as [number, number, number]
    const size = all / heads
    return { batch, heads, length, size, values: swapMiddle(numbers(source), batch, length, heads, size) }
  }
  throw new EspalierError('bad-shape', `"${name}" does not divide into heads`, {
    expected:
      heads === undefined ? 'rank 4' : `rank 4 with ${heads} heads, or rank 3 with a multiple of ${heads}`,
    got: formatShape(shape),
  })
}

/** [batch, a, b, size] as [batch, b, a, size]: heads to the front, or back behind the positions. */
export function swapMiddle(
  values: Float64Array,
  batch: number,
  a: number,
  b: number,
  size: number,
): Float64Array {
  const result = new Float64Array(values.length)
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < a; i++)
      for (let j = 0; j < b; j++) {
        const from = ((n * a + i) * b + j) * size
        result.set(values.subarray(from, from + size), ((n * b + j) * a + i) * size)
      }
  return result
}

/** `past` followed by `next` in the sequence. */
export function appendHeads(past: Heads, next: Heads, name: string): Heads {
  const { batch, heads, size } = next
  if (past.batch !== batch || past.heads !== heads || past.size !== size)
    throw new EspalierError('bad-shape', `the past of "${name}" does not fit what follows`, {
      expected: formatShape([batch, heads, null, size]),
      got: formatShape([past.batch, past.heads, past.length, past.size]),
    })
  const length = past.length + next.length
  const values = allocate('float64', outputSize('float64', [batch, heads, length, size]))
  const [pastPart, nextPart] = [past.length * size, next.length * size]
  for (let head = 0; head < batch * heads; head++) {
    const at = head * length * size
    values.set(past.values.subarray(head * pastPart, (head + 1) * pastPart), at)
    values.set(next.values.subarray(head * nextPart, (head + 1) * nextPart), at + pastPart)
  }
  return { batch, heads, length, size, values }
}

/** Throws `bad-shape` where queries, keys and values do not make an attention. */
export function requireAttention(q: Heads, k: Heads, v: Heads): void {
  const fits =
    q.batch === k.batch &&
    k.batch === v.batch &&
    q.size === k.size &&
    k.length === v.length &&
    k.heads === v.heads &&
    k.heads > 0 &&
    q.heads % k.heads === 0
  if (fits) return
  const show = ({ batch, heads, length, size }: Heads): string => formatShape([batch, heads, length, size])
  throw new EspalierError('bad-shape', 'queries, keys and values do not fit each other', {
    expected: 'one batch; queries as large as keys; as many keys as values; query heads a multiple of theirs',
    got: `${show(q)}, ${show(k)} and ${show(v)} (batch, heads, length, size)`,
  })
}

/** Scaled products of every query with every key of its head: [batch, query heads, queries, keys]. */
export function scoresOf(q: Heads, k: Heads, scale: number): Float64Array {
  const { size } = q
  const scores = allocate('float64', outputSize('float64', [q.batch, q.heads, q.length, k.length]))
  let at = 0
  for (let head = 0; head < q.batch * q.heads; head++) {
    const keys = sharedHead(head, q, k) * k.length * size
    for (let i = 0; i < q.length; i++) {
      const query = (head * q.length + i) * size
      for (let j = 0; j < k.length; j++) {
        const key = keys + j * size
        let sum = 0
        for (let e = 0; e < size; e++) sum += q.values[query + e]! * k.values[key + e]!
        scores[at++] = sum * scale
      }
    }
  }
  return scores
}

/**
 * Values summed under probabilities [batch, query heads, queries, keys]: [batch, query heads, queries, size
 * of v].
 */
export function readValues(probabilities: Float64Array, q: Heads, v: Heads): Float64Array {
  const { size } = v
  const result = allocate('float64', outputSize('float64', [q.batch, q.heads, q.length, size]))
  let at = 0
  for (let head = 0; head < q.batch * q.heads; head++) {
    const values = sharedHead(head, q, v) * v.length * size
    for (let i = 0; i < q.length; i++) {
      const to = (head * q.length + i) * size
      for (let j = 0; j < v.length; j++) {
        const weight = probabilities[at++]!
        const from = values + j * size
        for (let e = 0; e < size; e++) result[to + e]! += weight * v.values[from + e]!
      }
    }
  }
  return result
}

/** The head of keys or values that a query head uses; both counted through the batch. */
function sharedHead(head: number, q: Heads, shared: Heads): number {
  const sample = Math.floor(head / q.heads)
  return sample * shared.heads + Math.floor((head % q.heads) / (q.heads / shared.heads))
}

/** Softmax of one row, in place. A row of minus infinities has no largest element: `empty` is put there. */
export function softmaxRow(row: Float64Array, empty: number): void {
  let largest = Number.NEGATIVE_INFINITY
  for (const value of row) largest = Math.max(largest, value)
  if (largest === Number.NEGATIVE_INFINITY) {
    row.fill(empty)
    return
  }
  let sum = 0
  for (let j = 0; j < row.length; j++) sum += row[j] = Math.exp(row[j]! - largest)
  for (let j = 0; j < row.length; j++) row[j]! /= sum
}
