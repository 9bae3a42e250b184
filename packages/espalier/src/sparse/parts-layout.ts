/**
 * The layouts for many rows of activations, of both widths: how parts (parts.ts) are cut for a product on a machine, and
 * what their kernels (kernels/sparse_rows.hpp) have to do.
 */
import type { StepValues } from '../plan/step.ts'
import type { sparseCutFields } from '../plan/steps/sparse-cut.ts'
import type { Target } from '../plan/target.ts'
import { rowsOf } from './costs.ts'
import type { CutLayout, Operands, ProductShape, SparseDtype, StepMaker } from './layout.ts'
import type { Nonzeros } from './nonzeros.ts'
import { addColumnSums } from './nonzeros.ts'
import { keptSteps, type PartsShape, packParts, partsBytes, stepsOf, unpackParts } from './parts.ts'
import { keptStacks, stackedMatrix, stackedNonzeros, unstacked } from './stacked.ts'

/** Vectors of rows of a block: `sparse_vectors` of kernels/sparse_rows.hpp. */
const blockVectors = (lanes: number): number => (lanes >= 8 ? 4 : 8)
/** Taps of a window at most: `sparse_taps` there. */
const mostTaps = 64
/** Outputs of a panel at most: their sums stay in the second-level cache. */
const panelOutputs = 1024
/** Bytes of turned rows that stay there for the next panel: `sparse_kept` of kernels/sparse_rows.hpp. */
const keptBytes = 196608
/** Outputs of a panel that panels are not made smaller than, where rows stay turned, and where they do not. */
const leastOutputs = { turned: 128, not: 512 } as const
/** Columns of float32 that are finished together: `sparse_columns` there. */
const finishedColumns = 128
/** Bytes of turned activations that stay in the first-level cache beside weights and sums. */
const blockBytes = 24576
/** With fewer channels, activations are not turned in whole vectors, which takes so many times longer. */
const leastChannels = 8
const slowTurn = 4
/** What a step that is kept takes for a block of rows beside its multiply-adds, in vectors of rows. */
const stepVectors = 0.8
/** Bytes of the place of a step that is kept. */
const placeBytes = 2

/** Where the sections of a packed weight begin, and how many steps are kept. */
export type PartsAt = Readonly<Record<'directoryAt' | 'placesAt' | 'valuesAt' | 'extraAt' | 'kept', number>>

export interface PartsOptions<D extends SparseDtype> {
  /** Numbers of a step. */
  readonly width: 1 | 4
  /** Outputs whose numbers are those of a step: 1, or `width` of them. */
  readonly tall?: number
  /** 32-bit words of activations in a step. */
  readonly words: number
  /** Bytes of scratch before everything else. */
  readonly padding?: number
  /** Columns that are finished together, where the kernel needs the sums of their weights. */
  readonly columns?: number
  emit(to: StepMaker, operands: Operands<D>, fields: PartsFields, at: PartsAt): void
}

/** The fields of a step that follow from how the weight is cut, but for the weight itself. */
export type PartsFields = Pick<
  StepValues<'sparse_f32'>,
  Exclude<keyof typeof sparseCutFields, 'xStride'> | 'w' | 'scratch' | 'scratchBytes'
>

/** Parts for a product; `undefined` where the kernels do not take it. */
export function cutParts<D extends SparseDtype>(
  { matrix, window }: ProductShape,
  { traits: { lanes, int8Columns }, threads }: Target,
  { width, tall = 1, words, padding = 0, columns, emit }: PartsOptions<D>,
): CutLayout<D, PartsAt> | undefined {
  const { channels, outputs, taps } = matrix
  const rows = rowsOf(window)
  if (taps > mostTaps || rows < lanes) return undefined
  const blockRows = blockVectors(lanes) * lanes
  const pitch = blockRows * words
  const packed = tall > 1 ? stackedMatrix(matrix, tall) : matrix
  const numbersOf = (nonzeros: Nonzeros): Nonzeros => (tall > 1 ? stackedNonzeros(nonzeros, tall) : nonzeros)
  const steps = stepsOf(packed, width)
  const block = Math.min(steps, Math.floor(blockBytes / (4 * pitch)))
  const finished = columns ?? tall
  const vectors = Math.ceil(rows / lanes)
  const blocks = Math.ceil(vectors / blockVectors(lanes))
  // What is finished by columns is 8-bit integers.
  const numberBytes = columns === undefined ? 4 : 1
  const mayStay = steps * pitch * 4 <= keptBytes
  const panel =
    Math.ceil(outputs / panelsOf(outputs, vectors / blockVectors(lanes), threads, mayStay) / finished) *
    finished
  const panels = Math.ceil(outputs / panel)
  const stay = mayStay && panels > 1
  const sums = columns === undefined ? 0 : Math.ceil(outputs / columns) * columns
  const shape: PartsShape = { width, panel: panel / tall, block, pitch }
  return {
    id: `parts of ${width}, ${tall} tall: ${panel} ${block} ${pitch} ${sums}`,
    units: packed.outputs * steps,
    kept: nonzeros => (tall > 1 ? keptStacks(nonzeros, matrix, tall) : keptSteps(nonzeros, matrix, width)),
    bytes: nonzeros => partsBytes(numbersOf(nonzeros), packed, shape, 4 * sums),
    pack(nonzeros) {
      const { bytes, directoryAt, placesAt, valuesAt, extraAt, kept } = packParts(
        numbersOf(nonzeros),
        packed,
        shape,
        4 * sums,
      )
      addColumnSums(nonzeros, new Int32Array(bytes.buffer, extraAt, sums))
      return { bytes, at: { directoryAt, placesAt, valuesAt, extraAt, kept } }
    },
    unpack({ bytes, at }, like) {
      const dense = unpackParts({ ...shape, ...at, bytes }, packed, like)
      return tall > 1 ? unstacked(dense, matrix, tall) : dense
    },
    work: kept => ({
      kept: kept * (vectors + stepVectors * blocks),
      // Turning activations, for every panel unless they stay, and finishing sums.
      fixed: (steps * (stay ? 1 : panels) * (channels < leastChannels ? slowTurn : 1) + outputs) * vectors,
      bytes: kept * (placeBytes + numberBytes * width),
      pieces: panels * blocks,
    }),
    emit(to, operands, w, at) {
      const { output, ...windowFields } = window
      const scratchBytes =
        Math.ceil(
          (padding +
            taps * blockRows * 8 +
            4 * ((stay ? steps : block) * pitch + panel * blockRows) +
            4 * Math.max(4 * finishedColumns, blockRows * int8Columns)) /
            64,
        ) * 64
      const { directoryAt, placesAt, valuesAt } = at
      const fields: PartsFields = {
        ...{ ...windowFields, outputSize: output, channels, outputs, panel, block },
        ...{ w, directoryAt, placesAt, valuesAt, scratchBytes },
        scratch: to.scratch(scratchBytes * threads),
      }
      emit(to, operands, fields, at)
    },
  }
}

/**
 * Panels of outputs for so many blocks of rows: as few as the cache allows, but enough for threads to end together. They are
 * smaller where rows need not be turned again for each of them.
 */
function panelsOf(outputs: number, blocks: number, threads: number, stay: boolean): number {
  const pieces = threads === 1 ? 1 : threads * (blocks % threads === 0 ? 2 : 4)
  const most = Math.max(1, Math.floor(outputs / leastOutputs[stay ? 'turned' : 'not']))
  return Math.max(Math.ceil(outputs / panelOutputs), Math.min(most, Math.ceil(pieces / Math.ceil(blocks))))
}
