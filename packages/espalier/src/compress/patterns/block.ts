/**
 * Blocks of R outputs by C inputs, kept or pruned whole. Along the inputs in fours (`block4`) they fit dot products of
 * 8-bit integers and vectors of float32. The score of a block is the mean of those of its elements, so that blocks cut off
 * by an edge are not at a disadvantage.
 */
import { EspalierError } from '../../errors.ts'
import type { Extents } from '../../formats/espalier/codecs/codec.ts'
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
    units(scores, extents) {
      const sums = new Float64Array(Math.ceil(extents.rows / r) * Math.ceil(extents.columns / c))
      const sizes = new Uint32Array(sums.length)
      eachElement(extents, r, c, (element, block) => {
        sums[block]! += scores[element]!
        sizes[block]!++
      })
      return Float32Array.from(sums, (sum, block) => sum / sizes[block]!)
    },
    mask(_, extents, kept) {
      const mask = new Uint8Array(extents.rows * extents.columns)
      eachElement(extents, r, c, (element, block) => {
        mask[element] = kept[block]!
      })
      return mask
    },
  }
}

/** Four inputs of one output. */
export const block4: Pattern = blocks(1, 4, 'block4')

function eachElement(
  { rows, columns }: Extents,
  r: number,
  c: number,
  visit: (element: number, block: number) => void,
): void {
  const wide = Math.ceil(columns / c)
  for (let row = 0, element = 0; row < rows; row++) {
    const first = Math.floor(row / r) * wide
    for (let column = 0; column < columns; column++, element++) visit(element, first + Math.floor(column / c))
  }
}
