/**
 * 8-bit integers of which at most one or two of every four along the inputs are not zero (1:4, 2:4), for few rows of
 * activations, which are bound by reading the weights: `some_of_four_i8` (kernels/some_of_four_i8.hpp). Of float32 weights with
 * these patterns the layout with a bit each (bitmask.ts) takes as many bytes.
 */
import { fewRows } from '../bitmask-layout.ts'
import type { CutLayout, SparseLayout } from '../layout.ts'
import { addColumnSums } from '../nonzeros.ts'
import { fours, type OfFourShape, ofFourBytes, packOfFour, spanOf, unpackOfFour } from '../of-four.ts'

/** What a row takes, in units of making the places of a vector of words. */
const rowShare = 0.5

function ofFour(kept: 1 | 2): SparseLayout<'int8'> {
  return {
    name: `${kept}:4`,
    dtype: 'int8',
    unit: `fours, at most ${kept} of each`,
    width: 4,
    costs: { kept: 0, fixed: 1.55e-9 },
    probe: { few: true, unit: [1, 1], group: 4, shares: [kept / 4] },
    cut(product, target): CutLayout<'int8', Readonly<Record<'placesAt' | 'extraAt', number>>> | undefined {
      const { matrix } = product
      const { outputs, channels } = matrix
      const { lanes, int8Depth } = target.traits
      const shape: OfFourShape = { kept, columns: 2 * lanes, depth: int8Depth }
      const few = fewRows(product, target)
      if (few === undefined || channels % spanOf(shape) !== 0) return undefined
      const { rows, expanding } = few
      const panels = Math.ceil(outputs / shape.columns)
      const extra = 4 * panels * shape.columns
      const bytes = ofFourBytes(matrix, shape)
      return {
        id: `${kept} of four: ${shape.columns} ${shape.depth}`,
        units: (outputs * channels) / 4,
        kept: nonzeros => fours(nonzeros, kept),
        bytes: () => bytes + extra,
        pack(nonzeros) {
          const { bytes, placesAt, extraAt } = packOfFour(nonzeros, matrix, shape, extra)
          addColumnSums(nonzeros, new Int32Array(bytes.buffer, extraAt, extra / 4))
          return { bytes, at: { placesAt, extraAt } }
        },
        unpack: ({ bytes, at }) => unpackOfFour({ ...shape, ...at, bytes }, matrix),
        work: units => ({
          kept: units,
          fixed: 2 * panels * (channels / spanOf(shape)) * (expanding + rows * rowShare),
          bytes,
          pieces: panels,
        }),
        emit(to, operands, w, { placesAt, extraAt }) {
          const fields = { m: rows, n: outputs, k: channels, kept, placesAt, sumsAt: extraAt }
          to.emit('some_of_four_i8', { ...operands, ...fields, w })
        },
      }
    },
  }
}

export const oneOfFour: SparseLayout<'int8'> = ofFour(1)
export const twoOfFour: SparseLayout<'int8'> = ofFour(2)
