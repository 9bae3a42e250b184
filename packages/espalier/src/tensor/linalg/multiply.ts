/**
 * Products of matrices in float64: A B with either side transposed, and the symmetric A^T A that Hessians of
 * linear layers and covariances are made of. Sums run over at most 256 products at a time, in a fixed order.
 */
import { EspalierError } from '../../errors.ts'
import { addProduct, transposed, wholeOf } from './blocks.ts'
import { checkMatrix, formatSize, type Matrix, matrix } from './matrix.ts'

export interface MultiplyOptions {
  /** Use A^T in place of A. */
  readonly transposeA?: boolean
  /** Use B^T in place of B. */
  readonly transposeB?: boolean
  /** Factor of the product; 1 when left out. */
  readonly scale?: number
  /** Matrix to add the product to, in place; it shares no storage with the factors. */
  readonly into?: Matrix
}

/** `into` + `scale` * A B, with A and B transposed as `options` say. Throws `bad-shape` when the sizes do not fit. */
export function multiply(a: Matrix, b: Matrix, options: MultiplyOptions = {}): Matrix {
  checkMatrix(a)
  checkMatrix(b)
  const { transposeA = false, transposeB = false, scale = 1 } = options
  const [rows, depth] = transposeA ? [a.columns, a.rows] : [a.rows, a.columns]
  const [depthOfB, columns] = transposeB ? [b.columns, b.rows] : [b.rows, b.columns]
  if (depth !== depthOfB)
    throw new EspalierError('bad-shape', 'the matrices cannot be multiplied', {
      expected: `${depth} rows on the right`,
      got: `${rows}x${depth} times ${depthOfB}x${columns}`,
    })
  const result = target(rows, columns, options.into)
  const left = transposeA ? transposed(wholeOf(a)) : wholeOf(a)
  const right = transposeB ? transposed(wholeOf(b)) : wholeOf(b)
  addProduct(wholeOf(result), left, right, rows, columns, depth, scale)
  return result
}

export interface GramOptions {
  /** Factor of the product; 1 when left out. */
  readonly scale?: number
  /** Symmetric matrix to add the product to, in place. */
  readonly into?: Matrix
}

/**
 * `into` + `scale` * A^T A: a symmetric update of as many rows and columns as A has columns, for about half the work
 * of a product. Exactly symmetric; of `into` only the lower triangle counts.
 */
export function gram(a: Matrix, options: GramOptions = {}): Matrix {
  checkMatrix(a)
  const size = a.columns
  const result = target(size, size, options.into)
  const { scale = 1 } = options
  addProduct(wholeOf(result), transposed(wholeOf(a)), wholeOf(a), size, size, a.rows, scale, 'lower')
  mirrorLower(result)
  return result
}

/** Copies the lower triangle of a square matrix over the upper one, in place. */
function mirrorLower({ rows, data }: Matrix): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < i; j++) data[j * rows + i] = data[i * rows + j]!
}

function target(rows: number, columns: number, into: Matrix | undefined): Matrix {
  if (into === undefined) return matrix(rows, columns)
  checkMatrix(into)
  if (into.rows !== rows || into.columns !== columns)
    throw new EspalierError('bad-shape', 'the product does not fit the matrix to add it to', {
      expected: `${rows}x${columns}`,
      got: formatSize(into),
    })
  return into
}
