/** The upper or lower triangle of matrices. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { allTypes13, int } from '../schema.ts'
import { sameAsFirst } from '../support/infer.ts'
import { clampToSafe } from '../support/integers.ts'
import { cellsOf, copyRun, newCells, tensorOfCells } from '../support/movement.ts'
import { single } from '../support/scalars.ts'

export const Trilu: Op = {
  name: 'Trilu',
  doc: 'The triangle of each matrix on one side of diagonal `k`, the diagonal included; zeros elsewhere.',
  versions: {
    14: {
      inputs: ['input: T', 'k?: int64'],
      outputs: ['output: T'],
      types: { T: allTypes13 },
      attributes: { upper: int(1) },
    },
  },
  infer(c) {
    const shape = c.shape(0)
    if (shape !== undefined) requireMatrices(shape)
    return sameAsFirst(c)
  },
  evaluate(c) {
    const input = c.tensor(0)
    requireMatrices(input.shape)
    const offset = c.optionalTensor(1)
    const k = offset === undefined ? 0 : clampToSafe(single(offset, 'k'))
    const upper = c.attributes.int('upper') !== 0
    const [rows, columns] = input.shape.slice(-2) as [number, number]
    const cells = newCells(input.dtype, input.shape)
    const from = cellsOf(input)
    const within = (column: number): number => Math.min(Math.max(column, 0), columns)
    const lines = sizeOf(input.shape.slice(0, -1))
    for (let line = 0; line < lines; line++) {
      const row = line % rows
      const start = upper ? within(row + k) : 0
      const end = upper ? columns : within(row + k + 1)
      copyRun(cells, line * columns + start, from, line * columns + start, end - start)
    }
    return [tensorOfCells(cells, input.shape)]
  },
}

function requireMatrices(shape: readonly Dim[]): void {
  if (shape.length >= 2) return
  throw new EspalierError('bad-shape', 'the input holds no matrices', {
    expected: 'rank 2 or more',
    got: `shape ${formatShape(shape)}`,
  })
}
