/**
 * Blocks of R rows by C columns: a pattern over the grid of blocks, and every element of a block that is not all zero.
 * Blocks at the right and lower edge may be cut. The grid is a bitmask or Rice codes of its gaps, whichever is smaller.
 * Parameters: R, C; k of the Rice codes, or -1 for a bitmask; number of stored blocks.
 */
import { allocate } from '../../../tensor/tensor.ts'
import { maskOf, positionsOfMask } from './bitmask.ts'
import type { Extents, PatternCodec, Plan } from './codec.ts'
import { badParameters, wrongCount } from './malformed.ts'
import { decodeGaps, encodeGaps, isK, ricePlans } from './rice.ts'

/** The forms that are looked for; along the inputs first, as dot products of 8-bit integers take them. */
const known: readonly (readonly [rows: number, columns: number])[] = [
  ...([
    [1, 4],
    [1, 8],
    [1, 16],
  ] as const),
  ...([
    [2, 2],
    [4, 1],
    [4, 4],
    [8, 1],
    [8, 8],
    [16, 1],
    [16, 16],
  ] as const),
]
/** Longest side of a block in a file. */
const MAX_SIDE = 1024
/** Stands for k where the grid is a bitmask. */
const MASK = -1

export const block: PatternCodec = {
  name: 'block',
  exact: false,
  plans: (positions, extents) => known.flatMap(([r, c]) => plansFor(positions, gridOf(extents, r, c))),
  encode(positions, extents, [r, c, k]) {
    const grid = gridOf(extents, r!, c!)
    const blocks = liveBlocks(positions, grid)
    const count = grid.rows * grid.columns
    return {
      pattern: k === MASK ? maskOf(blocks, count) : encodeGaps(blocks, count, k!),
      positions: elementsOf(blocks, grid, storedIn(blocks, grid)),
    }
  },
  decode(pattern, extents, parameters, stored) {
    const [r = 0, c = 0, k = -2, blocks = -1] = parameters
    const isSide = (side: number): boolean => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE
    if (!isSide(r) || !isSide(c) || !(k === MASK || isK(k)) || parameters.length !== 4)
      throw badParameters('block', `two sides of 1 to ${MAX_SIDE}, k or -1, a number of blocks`, parameters)
    const grid = gridOf(extents, r, c)
    const count = grid.rows * grid.columns
    // Before anything of that size is made: every block has an element.
    if (!Number.isInteger(blocks) || blocks < 0 || blocks > Math.min(count, stored))
      throw badParameters('block', `at most ${Math.min(count, stored)} blocks`, parameters)
    const live = k === MASK ? positionsOfMask(pattern, count, blocks) : decodeGaps(pattern, count, k, blocks)
    const found = storedIn(live, grid)
    if (found !== stored) throw wrongCount(stored, found)
    return elementsOf(live, grid, stored)
  },
}

/** The blocks of a matrix. */
interface Grid extends Extents {
  readonly matrix: Extents
  /** Sides of a block. */
  readonly r: number
  readonly c: number
}

function gridOf(matrix: Extents, r: number, c: number): Grid {
  return { matrix, r, c, rows: Math.ceil(matrix.rows / r), columns: Math.ceil(matrix.columns / c) }
}

function plansFor(positions: Uint32Array, grid: Grid): Plan[] {
  const { matrix, r, c } = grid
  if (r > matrix.rows || c > matrix.columns) return []
  const blocks = liveBlocks(positions, grid)
  const count = grid.rows * grid.columns
  const stored = storedIn(blocks, grid)
  const coded = ricePlans(blocks, count).map(({ parameters: [k], bytes }) => ({ k: k!, bytes }))
  return [{ k: MASK, bytes: Math.ceil(count / 8) }, ...coded].map(({ k, bytes }) => ({
    parameters: [r, c, k, blocks.length],
    bytes,
    stored,
  }))
}

/** Numbers of the blocks with an element, ascending. */
function liveBlocks(positions: Uint32Array, { matrix, r, c, rows, columns }: Grid): Uint32Array {
  const live = allocate('uint8', rows * columns)
  let row = 0
  let start = 0
  let count = 0
  for (const position of positions) {
    if (position >= start + matrix.columns) {
      row = Math.floor(position / matrix.columns)
      start = row * matrix.columns
    }
    const at = Math.floor(row / r) * columns + Math.floor((position - start) / c)
    count += 1 - live[at]!
    live[at] = 1
  }
  const blocks = allocate('uint32', count)
  for (let at = 0, i = 0; i < count; at++) if (live[at] === 1) blocks[i++] = at
  return blocks
}

/** Number of elements in blocks. */
function storedIn(blocks: Uint32Array, { matrix, r, c, rows, columns }: Grid): number {
  const lastHeight = matrix.rows - (rows - 1) * r
  const lastWidth = matrix.columns - (columns - 1) * c
  let stored = 0
  for (const at of blocks) {
    const right = at % columns === columns - 1
    stored += (at >= (rows - 1) * columns ? lastHeight : r) * (right ? lastWidth : c)
  }
  return stored
}

/** Positions of the elements of blocks, ascending: row after row through the blocks beside each other. */
function elementsOf(blocks: Uint32Array, { matrix, r, c, columns }: Grid, stored: number): Uint32Array {
  const positions = allocate('uint32', stored)
  let at = 0
  for (let first = 0; first < blocks.length; ) {
    const band = Math.floor(blocks[first]! / columns)
    let end = first
    while (end < blocks.length && blocks[end]! < (band + 1) * columns) end++
    for (let row = band * r; row < Math.min((band + 1) * r, matrix.rows); row++)
      for (let i = first; i < end; i++) {
        const left = (blocks[i]! - band * columns) * c
        const right = Math.min(left + c, matrix.columns)
        for (let column = left; column < right; column++) positions[at++] = row * matrix.columns + column
      }
    first = end
  }
  return positions
}
