/**
 * The layouts for few rows of activations, of both widths: words with a bit each (bitmask.ts) for a product on a machine, and
 * what their kernels (kernels/bitmask.hpp) have to do. They win where weights come from memory: what they spend on
 * looking through the bits, dense kernels spend on reading zeros.
 */
import type { StepValues } from '../plan/step.ts'
import type { bitmaskCutFields } from '../plan/steps/bitmask-cut.ts'
import type { Isa, Target } from '../plan/target.ts'
import { type BitmaskShape, bitmaskBytes, packBitmask, unpackBitmask } from './bitmask.ts'
import { rowsOf } from './costs.ts'
import {
  type CutLayout,
  isLine,
  type Operands,
  type ProductShape,
  type SparseDtype,
  type StepMaker,
} from './layout.ts'
import { addColumnSums } from './nonzeros.ts'
import { keptSteps, stepsOf } from './parts.ts'

/** More rows are worth turning activations for. */
const mostRows = 8
/** Rows that share what is expanded, as `bitmask_tile` of the kernel does. */
const tileRows = [4, 2, 1]
/** What a row takes, in units of expanding a vector of words. */
const rowShare = 0.25

/**
 * The rows of a product, and how often a weight is expanded for them, in units of what that takes with AVX2; `undefined`
 * where it is not one of matrices, or its rows are not few.
 */
export function fewRows(
  { matrix, window }: ProductShape,
  { isa }: Target,
): { readonly rows: number; readonly expanding: number } | undefined {
  const rows = rowsOf(window)
  if (matrix.taps > 1 || !isLine(window) || rows > mostRows) return undefined
  return { rows, expanding: tilesOf(rows) * expandShare(isa) }
}

export type BitmaskAt = Readonly<Record<'startsAt' | 'wordsAt' | 'extraAt' | 'kept', number>>
/** The fields of a step that follow from how the weight is cut. */
export type BitmaskFields = Pick<
  StepValues<'bitmask_f32'>,
  Exclude<keyof typeof bitmaskCutFields, 'x' | 'xStride'>
>

export interface BitmaskOptions<D extends SparseDtype> {
  /** Numbers of a word. */
  readonly width: 1 | 4
  /** Whether the kernel needs the sums of the weights of columns. */
  readonly sums: boolean
  emit(to: StepMaker, operands: Operands<D>, fields: BitmaskFields, at: BitmaskAt): void
}

/** Words with bits for a product; `undefined` where the kernels do not take it. */
export function cutBitmask<D extends SparseDtype>(
  product: ProductShape,
  target: Target,
  { width, sums, emit }: BitmaskOptions<D>,
): CutLayout<D, BitmaskAt> | undefined {
  const { matrix } = product
  const { channels, outputs } = matrix
  const { lanes, int8Depth } = target.traits
  const few = fewRows(product, target)
  if (few === undefined || channels % width !== 0) return undefined
  const { rows, expanding } = few
  const shape: BitmaskShape = { columns: 2 * lanes, depth: width === 1 ? 1 : int8Depth }
  const panels = Math.ceil(outputs / shape.columns)
  const steps = stepsOf(matrix, width)
  const extra = sums ? 4 * panels * shape.columns : 0
  return {
    id: `bitmask of ${width}: ${shape.columns} ${shape.depth} ${extra}`,
    units: outputs * steps,
    kept: nonzeros => keptSteps(nonzeros, matrix, width),
    bytes: nonzeros => bitmaskBytes(matrix, width, keptSteps(nonzeros, matrix, width), shape) + extra,
    pack(nonzeros) {
      const { bytes, startsAt, wordsAt, extraAt, kept } = packBitmask(nonzeros, matrix, shape, extra)
      addColumnSums(nonzeros, new Int32Array(bytes.buffer, extraAt, extra / 4))
      return { bytes, at: { startsAt, wordsAt, extraAt, kept } }
    },
    unpack: ({ bytes, at }, like) => unpackBitmask({ ...shape, ...at, bytes }, matrix, like),
    work: kept => ({
      kept,
      // Every vector of words is expanded, whatever is kept of it.
      fixed: 2 * panels * steps * (expanding + rows * rowShare),
      bytes: bitmaskBytes(matrix, width, kept, shape),
      pieces: panels,
    }),
    emit(to, operands, w, { startsAt, wordsAt, ...at }) {
      const fields = { w, m: rows, n: outputs, k: channels, startsAt, wordsAt, words: at.kept }
      emit(to, operands, fields, { startsAt, wordsAt, ...at })
    },
  }
}

function tilesOf(rows: number): number {
  let [left, tiles] = [rows, 0]
  for (const tile of tileRows) {
    tiles += Math.floor(left / tile)
    left %= tile
  }
  return tiles
}

/** Expanding a vector, in units of what it takes with AVX2: AVX-512 has an instruction for it. */
function expandShare(isa: Isa): number {
  if (isa.startsWith('avx512') || isa === 'amx') return 0.6
  return isa.startsWith('wasm') ? 1.3 : 1
}
