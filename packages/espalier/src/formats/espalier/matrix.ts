/**
 * A tensor read as a matrix: its axes in some order, and how many of them, from the end, are the columns. Weights are read
 * as outputs by inputs, whatever way a model has them: [in, out] of a MatMul with its axes exchanged, [O, C, kh, kw] of a
 * convolution as rows O and columns (kh, kw, C), the order in which kernels walk them: tap, then channel.
 */
import { EspalierError } from '../../errors.ts'
import { formatShape, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { Extents } from './codecs/codec.ts'

export interface MatrixView {
  /** The axes, outermost first. */
  readonly order: readonly number[]
  /** How many of them, from the end, make a row. */
  readonly columnAxes: number
}

/** A tensor in its own order, the last axis in a row; a scalar is a matrix of one element. */
export function naturalView(shape: Shape): MatrixView {
  return { order: shape.map((_, axis) => axis), columnAxes: Math.min(1, shape.length) }
}

/** Rows and columns of a tensor of `shape`. */
export function extentsOf(shape: Shape, { order, columnAxes }: MatrixView): Extents {
  const split = order.length - columnAxes
  return {
    rows: sizeOf(order.slice(0, split).map(axis => shape[axis]!)),
    columns: sizeOf(order.slice(split).map(axis => shape[axis]!)),
  }
}

/** Whether the elements of the matrix lie in the order of the tensor. */
export function isNatural({ order }: MatrixView): boolean {
  return order.every((axis, index) => axis === index)
}

/** Throws `bad-argument` unless a view names every axis of `shape` once. */
export function checkView(shape: Shape, { order, columnAxes }: MatrixView): void {
  const named = [...order].sort((a, b) => a - b)
  const fits = order.length === shape.length && named.every((axis, index) => axis === index)
  if (fits && Number.isInteger(columnAxes) && columnAxes >= 0 && columnAxes <= shape.length) return
  throw new EspalierError('bad-argument', `not an order of the axes of a tensor of ${formatShape(shape)}`, {
    expected: `the axes 0 to ${shape.length - 1}, each once, and up to ${shape.length} of them for columns`,
    got: `[${order.slice(0, 8).join(', ')}], ${columnAxes}`,
  })
}

/**
 * A function from places in the matrix, in row-major order, to places in the tensor. Runs of the innermost axis are
 * looked up in one table, the rest in another, so that a call costs two look-ups.
 */
export function placeOf(shape: Shape, { order }: MatrixView): (position: number) => number {
  const strides = stridesOf(shape)
  const inner = order.length === 0 ? 1 : shape[order.at(-1)!]!
  const step = order.length === 0 ? 1 : strides[order.at(-1)!]!
  const outer = order.slice(0, -1)
  const count = sizeOf(outer.map(axis => shape[axis]!))
  const starts = new Float64Array(count)
  const at = new Array<number>(outer.length).fill(0)
  let place = 0
  for (let i = 0; i < count; i++) {
    starts[i] = place
    for (let k = outer.length - 1; k >= 0; k--) {
      const axis = outer[k]!
      at[k]!++
      place += strides[axis]!
      if (at[k]! < shape[axis]!) break
      place -= strides[axis]! * shape[axis]!
      at[k] = 0
    }
  }
  return position => {
    const run = Math.floor(position / inner)
    return starts[run]! + (position - run * inner) * step
  }
}
