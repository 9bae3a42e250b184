/**
 * One bit for every element, lowest bit of a byte first. The bound for patterns near half zeros, and the form that a
 * kernel can expand without a search.
 */
import { EspalierError } from '../../../errors.ts'
import { allocate } from '../../../tensor/tensor.ts'
import type { Extents, PatternCodec } from './codec.ts'
import { badParameters, wrongCount } from './malformed.ts'

export const bitmask: PatternCodec = {
  name: 'bitmask',
  exact: true,
  plans: (positions, extents) => [{ parameters: [], bytes: maskBytes(extents), stored: positions.length }],
  encode: (positions, extents) => ({ pattern: maskOf(positions, extents.rows * extents.columns), positions }),
  decode(pattern, extents, parameters, stored) {
    if (parameters.length !== 0) throw badParameters('bitmask', 'none', parameters)
    return positionsOfMask(pattern, extents.rows * extents.columns, stored)
  },
}

function maskBytes({ rows, columns }: Extents): number {
  return Math.ceil((rows * columns) / 8)
}

/** A bit for each of `count` places, set at `positions`. */
export function maskOf(positions: ArrayLike<number>, count: number): Uint8Array {
  const mask = allocate('uint8', Math.ceil(count / 8))
  for (let i = 0; i < positions.length; i++) mask[positions[i]! >>> 3]! |= 1 << (positions[i]! & 7)
  return mask
}

/** The set bits of a mask of `count` bits, of which there are `stored`. Throws `malformed`. */
export function positionsOfMask(mask: Uint8Array, count: number, stored: number): Uint32Array {
  if (mask.length !== Math.ceil(count / 8) || (count % 8 !== 0 && mask.at(-1)! >> (count % 8) !== 0))
    throw new EspalierError('malformed', 'a mask of another length than its tensor', {
      expected: `${count} bits`,
      got: `${mask.length} bytes`,
    })
  const positions = allocate('uint32', stored)
  let found = 0
  for (let at = 0; at < mask.length; at++)
    for (let byte = mask[at]!; byte !== 0; byte &= byte - 1) {
      // Writes past the end of a typed array do nothing; the count tells.
      positions[found++] = 8 * at + 31 - Math.clz32(byte & -byte)
    }
  if (found !== stored) throw wrongCount(stored, found)
  return positions
}
