/** A matrix with ones on a diagonal. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { EvaluateContext, InferContext, Op } from '../op.ts'
import { floats, floats16, int, integers, optional, type TypeName } from '../schema.ts'
import { dtypeAttribute } from '../support/element-type.ts'
import { typed } from '../support/infer.ts'
import { behind, elementBytes, emitCopy, emitFill, movable, notMovable } from '../support/lower-movement.ts'
import { cellsOf, copyCell, newCells, tensorOfCells } from '../support/movement.ts'
import { versionsOf } from '../support/versions.ts'

const types9: readonly TypeName[] = [...floats16, ...integers, 'bool']
const types22: readonly TypeName[] = [...floats, ...integers, 'bool']

export const EyeLike: Op = {
  name: 'EyeLike',
  doc: 'A matrix of the shape of the input: ones on diagonal `k`, zeros elsewhere.',
  versions: versionsOf({ 9: types9, 22: types22 }, T => ({
    inputs: ['input: T1'],
    outputs: ['output: T2'],
    types: { T1: T, T2: T },
    attributes: { dtype: optional('int'), k: int(0) },
  })),
  infer(c) {
    const shape = c.shape(0)
    return [typed(outputType(c, c.dtype(0)), shape === undefined ? [null, null] : requireMatrix(shape))]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const [rows, columns] = requireMatrix(input.shape) as readonly [number, number]
    const k = c.attributes.int('k')
    const dtype = outputType(c, input.dtype)!
    const cells = newCells(dtype, input.shape)
    const one = cellsOf(fromNumbers(dtype, [], [1]))
    for (let row = Math.max(0, -k); row < Math.min(rows, columns - k); row++)
      copyCell(cells, row * columns + row + k, one, 0)
    return [tensorOfCells(cells, input.shape)]
  },
  lower(c) {
    const { dtype, shape } = c.outputType(0)
    if (!movable(dtype)) return notMovable(dtype)
    const [rows, columns] = shape as readonly [number, number]
    const k = c.attributes.int('k')
    const first = Math.max(0, -k)
    const ones = Math.max(0, Math.min(rows, columns - k) - first)
    const size = elementBytes(dtype)
    const values = c.table(fromNumbers(dtype, [2], [0, 1]).data as ArrayBufferView)
    emitFill(c, 0, values)
    if (ones === 0) return undefined
    const diagonal = behind(c.output(0), (first * columns + first + k) * size)
    emitCopy(c, size, [ones], [behind(values, size), [0]], [diagonal, [columns + 1]])
    return undefined
  },
}

function outputType(c: InferContext | EvaluateContext, input: DType | undefined): DType | undefined {
  return c.attributes.has('dtype') ? dtypeAttribute(c.attributes, 'dtype') : input
}

function requireMatrix(shape: readonly Dim[]): readonly Dim[] {
  if (shape.length === 2) return shape
  throw new EspalierError('bad-shape', 'the input is not a matrix', {
    expected: 'rank 2',
    got: `shape ${formatShape(shape)}`,
  })
}
