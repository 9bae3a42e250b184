/** The upper or lower triangle of matrices. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import type { Op } from '../op.ts'
import { allTypes13, int } from '../schema.ts'
import { sameAsFirst } from '../support/infer.ts'
import { clampToSafe } from '../support/integers.ts'
import { elementBytes, movable, notMovable, steeredInRun, steering } from '../support/lower-movement.ts'
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
  lower: lowerTriangle,
}

function lowerTriangle(c: LowerContext): string | undefined {
  const { dtype, shape } = c.type(0)
  if (!movable(dtype)) return notMovable(dtype)
  const steered = steering(c, 1)
  if (steered === undefined) return steeredInRun
  const offset = steered.optionalTensor(1)
  // Diagonals beyond every matrix are all the same.
  const far = 2 ** 30
  const k = offset === undefined ? 0 : Math.min(Math.max(single(offset, 'k'), -far), far)
  const upper = c.attributes.int('upper') !== 0
  const [rows, columns] = shape.slice(-2) as [number, number]
  c.emit('triangle', {
    x: c.input(0),
    y: c.output(0),
    size: elementBytes(dtype),
    matrices: sizeOf(shape.slice(0, -2)),
    rows,
    columns,
    first: upper ? k : -far,
    last: upper ? far : k,
  })
  return undefined
}

function requireMatrices(shape: readonly Dim[]): void {
  if (shape.length >= 2) return
  throw new EspalierError('bad-shape', 'the input holds no matrices', {
    expected: 'rank 2 or more',
    got: `shape ${formatShape(shape)}`,
  })
}
