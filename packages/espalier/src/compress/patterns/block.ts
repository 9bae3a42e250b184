/**
 * Blocks of R outputs by C inputs, kept or pruned whole. Along the inputs in fours (`block4`) they fit dot products of
 * 8-bit integers and vectors of float32. The score of a block is the mean of those of its elements, so that blocks cut off
 * by an edge are not at a disadvantage.
 */
import { EspalierError } from '../../errors.ts'
import type { Pattern } from './pattern.ts'

/** Longest side of a block. */
const MAX_SIDE = 1024

/** Blocks of `r` rows and `c` columns. Throws `bad-argument` for other sides than 1 to 1024. */
export function blocks(r: number, c: number, name = `${r}x${c}`): Pattern {
  const isSide = (side: number): boolean => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE
  if (!isSide(r) || !isSide(c))
    throw new EspalierError('bad-argument', `there are no blocks of ${r}x${c}`, {
      expected: `sides from 1 to ${MAX_SIDE}`,
    })
  return {
    name,
    units(scores, { rows, columns }) {
      const wide = Math.ceil(columns / c)
      const sums = new Float64Array(Math.ceil(rows / r) * wide)
      const sizes = new Uint32Array(sums.length)
      for (let row = 0, element = 0; row < rows; row++)
        for (let left = 0, block = Math.floor(row / r) * wide; left < columns; left += c, block++) {
          const end = element + Math.min(c, columns - left)
          sizes[block]! += end - element
          let sum = 0
          for (; element < end; element++) sum += scores[element]!
          sums[block]! += sum
        }
      const means = new Float32Array(sums.length)
      for (let block = 0; block < means.length; block++) means[block] = sums[block]! / sizes[block]!
      return means
    },
    mask(_, { rows, columns }, kept) {
      const wide = Math.ceil(columns / c)
      const mask = new Uint8Array(rows * columns)
      for (let row = 0, element = 0; row < rows; row++)
        for (let left = 0, block = Math.floor(row / r) * wide; left < columns; left += c, block++)
          for (const end = element + Math.min(c, columns - left); element < end; element++)
            mask[element] = kept[block]!
      return mask
    },
  }
}

/** Four inputs of one output. */
export const block4: Pattern = blocks(1, 4, 'block4')
