/** Square blocks of pixels against channels: what DepthToSpace and SpaceToDepth share. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, type Shape, stridesOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { NodeContext } from '../op.ts'
import { copyStrided } from './movement.ts'

/** The attribute `blocksize`. Throws `bad-argument` below 1. */
export function blockSize(c: Pick<NodeContext, 'attributes'>): number {
  const size = c.attributes.int('blocksize')
  if (size >= 1) return size
  throw new EspalierError('bad-argument', 'not the size of a block', {
    where: { field: 'blocksize' },
    expected: 'at least 1',
    got: `${size}`,
  })
}

/** Batch, channels, height and width. Throws `bad-shape` for another rank. */
export function requireImages(shape: readonly Dim[]): readonly [Dim, Dim, Dim, Dim] {
  if (shape.length === 4) return shape as unknown as readonly [Dim, Dim, Dim, Dim]
  throw new EspalierError('bad-shape', 'the input holds no images', {
    expected: 'batch, channels, height and width',
    got: `shape ${formatShape(shape)}`,
  })
}

/** Throws `bad-shape` where `extent` certainly is no multiple of `factor`. */
export function checkMultiple(extent: Dim, factor: number, what: string): void {
  if (typeof extent !== 'number' || extent % factor === 0) return
  throw new EspalierError('bad-shape', `the ${what} do not divide into blocks`, {
    expected: `a multiple of ${factor}`,
    got: `${extent}`,
  })
}

/** The input seen as `shape`, its axes then put in the order of `order`. */
export function rearrange(input: Tensor, shape: Shape, order: readonly number[]): Tensor {
  const strides = stridesOf(shape)
  return copyStrided(
    input,
    order.map(axis => shape[axis]!),
    order.map(axis => strides[axis]!),
  )
}
