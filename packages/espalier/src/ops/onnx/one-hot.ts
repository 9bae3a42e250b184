/** One-hot encoding of indices. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { LowerContext } from '../lower.ts'
import type { Op } from '../op.ts'
import { allTypes, int, numeric16, type Schema } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { clampToSafe } from '../support/integers.ts'
import { elementBytes, movable, notMovable } from '../support/lower-movement.ts'
import { cellsOf, copyCell, newCells, tensorOfCells } from '../support/movement.ts'
import { single } from '../support/scalars.ts'

const schema: Schema = {
  inputs: ['indices: T1', 'depth: T2', 'values: T3'],
  outputs: ['output: T3'],
  types: { T1: numeric16, T2: numeric16, T3: allTypes },
  attributes: { axis: int(-1) },
}

export const OneHot: Op = {
  name: 'OneHot',
  doc: 'A new axis of extent `depth` with the on-value where the index points and the off-value elsewhere.',
  versions: { 9: schema, 11: schema },
  infer(c) {
    const [shape, depth] = [c.shape(0), c.constant(1)]
    const extent: Dim = depth === undefined ? (c.content(1)?.[0] ?? null) : depthOf(depth)
    return [typed(c.dtype(2), shape && encodedShape(shape, extent, c.attributes.int('axis')))]
  },
  evaluate(c) {
    const [indices, values] = [c.tensor(0), c.tensor(2)]
    if (values.shape.length !== 1 || values.shape[0] !== 2)
      throw new EspalierError('bad-shape', 'the values are not a pair of off and on', {
        expected: 'shape 2',
        got: formatShape(values.shape),
      })
    const depth = depthOf(c.tensor(1))
    const axis = normalizeAxis(c.attributes.int('axis'), indices.shape.length + 1)
    const shape = encodedShape(indices.shape, depth, axis) as readonly number[]
    const cells = newCells(values.dtype, shape)
    const pair = cellsOf(values)
    for (let i = 0; i < sizeOf(shape); i++) copyCell(cells, i, pair, 0)
    const inner = sizeOf(indices.shape.slice(axis))
    const positions = numbers(indices)
    for (let i = 0; i < positions.length; i++) {
      const index = Math.trunc(positions[i]!)
      const position = index < 0 ? index + depth : index
      if (!(position >= 0 && position < depth)) continue
      copyCell(cells, (Math.floor(i / inner) * depth + position) * inner + (i % inner), pair, 1)
    }
    return [tensorOfCells(cells, shape)]
  },
  lower: lowerOneHot,
}

function lowerOneHot(c: LowerContext): string | undefined {
  const [indices, values] = [c.type(0), c.type(2)]
  if (!movable(values.dtype)) return notMovable(values.dtype)
  if (indices.dtype !== 'int32' && indices.dtype !== 'int64')
    return `no kernel for indices of ${indices.dtype}`
  const axis = normalizeAxis(c.attributes.int('axis'), indices.shape.length + 1)
  c.emit('one_hot', {
    indices: c.input(0),
    values: c.input(2),
    y: c.output(0),
    size: elementBytes(values.dtype),
    indexSize: elementBytes(indices.dtype),
    outer: sizeOf(indices.shape.slice(0, axis)),
    depth: c.outputType(0).shape[axis]!,
    inner: sizeOf(indices.shape.slice(axis)),
  })
  return undefined
}

function depthOf(source: Tensor): number {
  const depth = clampToSafe(Math.trunc(single(source, 'the depth')))
  if (depth >= 0) return depth
  throw new EspalierError('bad-argument', `a one-hot axis cannot have extent ${depth}`, {
    where: { field: 'depth' },
  })
}

function encodedShape(shape: readonly Dim[], depth: Dim, axis: number): readonly Dim[] {
  const at = normalizeAxis(axis, shape.length + 1)
  return [...shape.slice(0, at), depth, ...shape.slice(at)]
}
