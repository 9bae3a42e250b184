/**
 * Golomb-Rice codes of the gaps between stored elements, or between the others where those are fewer. A gap g, the
 * number of places passed over, is g >> k in unary (ones, then a zero) and its k low bits; the last gap leads to the
 * end of the tensor. Within 3 % of the entropy of a random pattern from 50 to 99.9 % zeros, and the cost hangs on the
 * mean gap alone, so that rows of different density do no harm. Source: Rice 1979, JPL publication 79-22.
 * Parameters: k; 1 where the gaps lie between the elements that are not stored, else 0.
 */
import { EspalierError } from '../../../errors.ts'
import { allocate } from '../../../tensor/tensor.ts'
import { BitReader, BitWriter } from '../bits.ts'
import type { Extents, PatternCodec, Plan } from './codec.ts'
import { badParameters, wrongCount } from './malformed.ts'

/** Largest k: gaps of 2^20 on average are beyond what a tensor in a file may have. */
const MAX_K = 20

export const rice: PatternCodec = {
  name: 'rice',
  exact: true,
  plans(positions, { rows, columns }) {
    const count = rows * columns
    const complement = 2 * positions.length > count
    return ricePlans(complement ? complementOf(positions, count) : positions, count).map(plan => ({
      ...plan,
      parameters: [plan.parameters[0]!, complement ? 1 : 0],
      stored: positions.length,
    }))
  },
  encode(positions, { rows, columns }, [k, complement]) {
    const count = rows * columns
    return {
      pattern: encodeGaps(complement ? complementOf(positions, count) : positions, count, k!),
      positions,
    }
  },
  decode(pattern, extents: Extents, parameters, stored) {
    const [k = -1, complement = -1] = parameters
    if (!isK(k) || (complement !== 0 && complement !== 1) || parameters.length !== 2)
      throw badParameters('rice', `k from 0 to ${MAX_K}, then 0 or 1`, parameters)
    const count = extents.rows * extents.columns
    const coded = complement ? count - stored : stored
    const positions = decodeGaps(pattern, count, k, coded)
    return complement ? complementOf(positions, count) : positions
  },
}

export function isK(k: number): boolean {
  return Number.isInteger(k) && k >= 0 && k <= MAX_K
}

/** Gaps beyond which smaller values of k are offered as well. */
const LONG_GAP = 200

/**
 * Plans with k as their parameter: the best one. Where nearly nothing is stored also ever smaller ones, which take more
 * bytes: a reader refuses tensors that are too large for their bytes (limits.ts).
 */
export function ricePlans(positions: Uint32Array, count: number): Plan[] {
  const mean = (count - positions.length) / (positions.length + 1)
  // Rice's rule is off by one at most.
  const guess = Math.max(0, Math.floor(Math.log2(mean * Math.LN2 + 1)))
  const sizes = [guess - 1, guess, guess + 1]
    .filter(isK)
    .map(k => ({ parameters: [k], bytes: riceBytes(positions, count, k), stored: positions.length }))
    .sort((a, b) => a.bytes - b.bytes)
  const best = sizes[0]!
  if (mean < LONG_GAP) return [best]
  const smaller = Array.from({ length: best.parameters[0]! }, (_, i) => best.parameters[0]! - 1 - i)
  return [
    best,
    ...smaller.map(k => ({
      parameters: [k],
      bytes: riceBytes(positions, count, k),
      stored: positions.length,
    })),
  ]
}

function riceBytes(positions: Uint32Array, count: number, k: number): number {
  return Math.ceil(riceBits(positions, count, k) / 8)
}

function riceBits(positions: Uint32Array, count: number, k: number): number {
  const unit = 2 ** k
  let bits = (positions.length + 1) * (1 + k)
  let next = 0
  for (const position of positions) {
    bits += Math.floor((position - next) / unit)
    next = position + 1
  }
  return bits + Math.floor((count - next) / unit)
}

/** The gaps before `positions`, and before the end at `count`. */
export function encodeGaps(positions: Uint32Array, count: number, k: number): Uint8Array {
  const writer = new BitWriter(riceBits(positions, count, k))
  const unit = 2 ** k
  let next = 0
  const write = (position: number): void => {
    const gap = position - next
    writer.writeUnary(Math.floor(gap / unit))
    writer.write(gap % unit, k)
    next = position + 1
  }
  for (const position of positions) write(position)
  write(count)
  return writer.bytes
}

/** The `stored` positions below `count` that {@link encodeGaps} wrote. Throws `malformed`. */
export function decodeGaps(pattern: Uint8Array, count: number, k: number, stored: number): Uint32Array {
  // A position takes a bit at least; a promise of more need not be believed.
  if (stored + 1 > 8 * pattern.length) throw wrongCount(stored, `${pattern.length} bytes`)
  const reader = new BitReader(pattern)
  const positions = allocate('uint32', stored)
  let next = 0
  for (let i = 0; i <= stored; i++) {
    const position = next + reader.readRice(k)
    if (i < stored ? position >= count : position !== count)
      throw new EspalierError('malformed', 'the gaps of the pattern do not fill the tensor', {
        expected: `${count} elements`,
      })
    if (i < stored) positions[i] = position
    next = position + 1
  }
  reader.end()
  return positions
}

/** The places below `count` that are not among `positions`. */
export function complementOf(positions: Uint32Array, count: number): Uint32Array {
  const others = allocate('uint32', count - positions.length)
  let at = 0
  let next = 0
  for (const position of positions) {
    for (; next < position; next++) others[at++] = next
    next = position + 1
  }
  for (; next < count; next++) others[at++] = next
  return others
}
