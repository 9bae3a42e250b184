/**
 * Multiplication of rectangles inside larger matrices: the inner loop of everything in this folder. Both factors
 * are packed into strips of four rows and four columns, so that one 4x4 kernel serves every transpose and every
 * step, reads memory in order, and does two operations for every number it loads (Goto and van de Geijn,
 * "Anatomy of High-Performance Matrix Multiplication", 2008). Nothing is checked here: callers pass what fits.
 */

import type { Matrix } from './matrix.ts'

/** A rectangle of a matrix, or of its transpose: element (i, j) is `data[offset + i * rowStep + j * columnStep]`. */
export interface Block {
  readonly data: Float64Array
  readonly offset: number
  readonly rowStep: number
  readonly columnStep: number
}

/** All of a matrix. */
export function wholeOf(a: Matrix): Block {
  return { data: a.data, offset: 0, rowStep: a.columns, columnStep: 1 }
}

/** The part of `a` that begins at (`row`, `column`). */
export function blockAt(a: Block, row: number, column: number): Block {
  return { ...a, offset: a.offset + row * a.rowStep + column * a.columnStep }
}

export function transposed(a: Block): Block {
  return { ...a, rowStep: a.columnStep, columnStep: a.rowStep }
}

/** Rows and columns of the kernel. */
const STRIP = 4
// A strip of `DEPTH` numbers of each factor fits the first-level cache; a packed block of each the second.
const DEPTH = 256
const ROWS = 64
const COLUMNS = 256

/** Which elements of the product are wanted; `lower` leaves those above the diagonal undefined. */
export type Part = 'all' | 'lower'

/** c += scale * a b, where c is `rows` x `columns` and a is `rows` x `depth`. */
export function addProduct(
  c: Block,
  a: Block,
  b: Block,
  rows: number,
  columns: number,
  depth: number,
  scale: number,
  part: Part = 'all',
): void {
  const packedA = new Float64Array(paddedTo4(Math.min(rows, ROWS)) * Math.min(depth, DEPTH))
  const packedB = new Float64Array(paddedTo4(Math.min(columns, COLUMNS)) * Math.min(depth, DEPTH))
  const tile = new Float64Array(STRIP * STRIP)
  for (let p0 = 0; p0 < depth; p0 += DEPTH) {
    const p = Math.min(DEPTH, depth - p0)
    for (let j0 = 0; j0 < columns; j0 += COLUMNS) {
      const n = Math.min(COLUMNS, columns - j0)
      pack(packedB, transposed(blockAt(b, p0, j0)), n, p)
      for (let i0 = part === 'lower' ? j0 : 0; i0 < rows; i0 += ROWS) {
        const m = Math.min(ROWS, rows - i0)
        pack(packedA, blockAt(a, i0, p0), m, p)
        const above = part === 'lower' ? i0 - j0 : Number.POSITIVE_INFINITY
        addPacked(blockAt(c, i0, j0), packedA, packedB, tile, m, n, p, scale, above)
      }
    }
  }
}

/** Adds the product of packed blocks to c, leaving out tiles that begin more than `above` columns right of their row. */
function addPacked(
  c: Block,
  packedA: Float64Array,
  packedB: Float64Array,
  tile: Float64Array,
  rows: number,
  columns: number,
  depth: number,
  scale: number,
  above: number,
): void {
  for (let j = 0; j < columns; j += STRIP) {
    for (let i = 0; i < rows; i += STRIP) {
      if (j > i + above) continue
      multiplyStrips(tile, packedA, i * depth, packedB, j * depth, depth)
      addTile(blockAt(c, i, j), tile, Math.min(STRIP, rows - i), Math.min(STRIP, columns - j), scale)
    }
  }
}

function addTile(c: Block, tile: Float64Array, rows: number, columns: number, scale: number): void {
  const { data, offset, rowStep, columnStep } = c
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      data[offset + i * rowStep + j * columnStep]! += scale * tile[i * STRIP + j]!
}

function paddedTo4(count: number): number {
  return Math.ceil(count / STRIP) * STRIP
}

/** Copies `rows` x `depth` elements of a into strips of four rows, column after column; missing rows are zero. */
function pack(into: Float64Array, a: Block, rows: number, depth: number): void {
  const { data, rowStep, columnStep } = a
  for (let i = 0; i < paddedTo4(rows); i++) {
    let to = (i - (i % STRIP)) * depth + (i % STRIP)
    let from = a.offset + i * rowStep
    for (let p = 0; p < depth; p++, to += STRIP, from += columnStep) into[to] = i < rows ? data[from]! : 0
  }
}

/** tile = the product of a strip of four rows and a strip of four columns. */
function multiplyStrips(
  tile: Float64Array,
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  depth: number,
): void {
  let c00 = 0
  let c01 = 0
  let c02 = 0
  let c03 = 0
  let c10 = 0
  let c11 = 0
  let c12 = 0
  let c13 = 0
  let c20 = 0
  let c21 = 0
  let c22 = 0
  let c23 = 0
  let c30 = 0
  let c31 = 0
  let c32 = 0
  let c33 = 0
  for (let p = 0; p < depth; p++, aAt += STRIP, bAt += STRIP) {
    const b0 = b[bAt]!
    const b1 = b[bAt + 1]!
    const b2 = b[bAt + 2]!
    const b3 = b[bAt + 3]!
    const a0 = a[aAt]!
    c00 += a0 * b0
    c01 += a0 * b1
    c02 += a0 * b2
    c03 += a0 * b3
    const a1 = a[aAt + 1]!
    c10 += a1 * b0
    c11 += a1 * b1
    c12 += a1 * b2
    c13 += a1 * b3
    const a2 = a[aAt + 2]!
    c20 += a2 * b0
    c21 += a2 * b1
    c22 += a2 * b2
    c23 += a2 * b3
    const a3 = a[aAt + 3]!
    c30 += a3 * b0
    c31 += a3 * b1
    c32 += a3 * b2
    c33 += a3 * b3
  }
  tile[0] = c00
  tile[1] = c01
  tile[2] = c02
  tile[3] = c03
  tile[4] = c10
  tile[5] = c11
  tile[6] = c12
  tile[7] = c13
  tile[8] = c20
  tile[9] = c21
  tile[10] = c22
  tile[11] = c23
  tile[12] = c30
  tile[13] = c31
  tile[14] = c32
  tile[15] = c33
}
