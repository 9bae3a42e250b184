/**
 * From operators that gather and scatter to steps. Indices are int32 or int64 and may be computed in the run, where one
 * outside its axis makes the run fail.
 */
import { scatterReductions } from '../../plan/steps/scatter.ts'
import { normalizeAxis, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { elementBytes, emitCopy, movable, notMovable } from './lower-movement.ts'
import { reductionOf } from './scatter.ts'

const mostAxes = 8

/** Bytes of an index. */
export function indexBytes(c: LowerContext, input: number): number {
  return elementBytes(c.type(input).dtype)
}

/** Gather: the slices along `axis` of input 0 that input 1 names. */
export function lowerGather(c: LowerContext, axis: number): string | undefined {
  const { dtype, shape } = c.type(0)
  if (!movable(dtype)) return notMovable(dtype)
  const indices = c.type(1).shape
  const extent = shape[axis]!
  c.emit('gather', {
    x: c.input(0),
    indices: c.input(1),
    y: c.output(0),
    indexSize: indexBytes(c, 1),
    outer: sizeOf(shape.slice(0, axis)),
    tuples: sizeOf(indices),
    length: 1,
    run: sizeOf(shape.slice(axis + 1)) * elementBytes(dtype),
    outerStride: extent,
    indexStride: 0,
    extents: [extent],
    strides: [1],
  })
  return undefined
}

/** GatherND: the slices of input 0, behind `batch` leading axes, that the index tuples of input 1 name. */
export function lowerGatherND(c: LowerContext, batch: number): string | undefined {
  const { dtype, shape } = c.type(0)
  if (!movable(dtype)) return notMovable(dtype)
  const indices = c.type(1).shape
  const length = indices.at(-1)!
  const outer = sizeOf(shape.slice(0, batch))
  const tuples = sizeOf(indices.slice(batch, -1))
  const extents = shape.slice(batch, batch + length)
  if (length > mostAxes) return `index tuples of more than ${mostAxes}`
  c.emit('gather', {
    x: c.input(0),
    indices: c.input(1),
    y: c.output(0),
    indexSize: indexBytes(c, 1),
    outer,
    tuples,
    length,
    run: sizeOf(shape.slice(batch + length)) * elementBytes(dtype),
    outerStride: sizeOf(extents),
    indexStride: tuples * length,
    extents,
    strides: stridesOf(extents),
  })
  return undefined
}

/** An index tensor aligned with data: its axes, and the strides of the data along them, 0 for the indexed one. */
interface Aligned {
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly axis: number
}

function alignedAxes(data: Shape, indices: Shape, axis: number): Aligned {
  const strides = stridesOf(data).with(axis, 0)
  const axes: { extent: number; stride: number; indexed: boolean }[] = []
  indices.forEach((extent, i) => {
    const indexed = i === axis
    const [outer, stride] = [axes.at(-1), strides[i]!]
    if (extent === 1 && !indexed) return
    if (outer && !indexed && !outer.indexed && outer.stride === stride * extent)
      axes[axes.length - 1] = { extent: outer.extent * extent, stride, indexed }
    else axes.push({ extent, stride, indexed })
  })
  return {
    shape: axes.map(({ extent }) => extent),
    strides: axes.map(({ stride }) => stride),
    axis: axes.findIndex(({ indexed }) => indexed),
  }
}

export function lowerGatherElements(c: LowerContext): string | undefined {
  const { dtype, shape: data } = c.type(0)
  if (!movable(dtype)) return notMovable(dtype)
  const at = normalizeAxis(c.attributes.int('axis'), data.length)
  const { shape, strides } = alignedAxes(data, c.type(1).shape, at)
  if (shape.length > mostAxes) return `indices of more than ${mostAxes} axes`
  c.emit('gather_elements', {
    x: c.input(0),
    indices: c.input(1),
    y: c.output(0),
    size: elementBytes(dtype),
    indexSize: indexBytes(c, 1),
    rank: shape.length,
    shape,
    xStrides: strides,
    extent: data[at]!,
    stride: stridesOf(data)[at]!,
  })
  return undefined
}

/** The place of the node's reduction in the step's list, or why there is no kernel for it. */
function reductionCode(c: LowerContext): number | string {
  const { dtype } = c.type(0)
  if (!movable(dtype)) return notMovable(dtype)
  const reduction = reductionOf(c.attributes)
  if (reduction !== 'none' && dtype !== 'float32') return `no kernel scatters ${dtype} with "${reduction}"`
  return scatterReductions.indexOf(reduction)
}

function copyData(c: LowerContext): void {
  const { dtype, shape } = c.type(0)
  const strides = stridesOf(shape)
  emitCopy(c, elementBytes(dtype), shape, [c.input(0), strides], [c.output(0), strides])
}

export function lowerScatterElements(c: LowerContext): string | undefined {
  const reduction = reductionCode(c)
  if (typeof reduction === 'string') return reduction
  const { dtype, shape: data } = c.type(0)
  const at = normalizeAxis(c.attributes.int('axis'), data.length)
  const { shape, strides, axis } = alignedAxes(data, c.type(1).shape, at)
  if (shape.length > mostAxes) return `indices of more than ${mostAxes} axes`
  copyData(c)
  c.emit('scatter_elements', {
    indices: c.input(1),
    updates: c.input(2),
    y: c.output(0),
    size: elementBytes(dtype),
    indexSize: indexBytes(c, 1),
    reduction,
    rank: shape.length,
    shape,
    yStrides: strides,
    axis,
    extent: data[at]!,
    stride: stridesOf(data)[at]!,
  })
  return undefined
}

export function lowerScatterND(c: LowerContext): string | undefined {
  const reduction = reductionCode(c)
  if (typeof reduction === 'string') return reduction
  const { dtype, shape: data } = c.type(0)
  const indices = c.type(1).shape
  const length = indices.at(-1)!
  if (length > mostAxes) return `index tuples of more than ${mostAxes}`
  const extents = data.slice(0, length)
  copyData(c)
  c.emit('scatter', {
    indices: c.input(1),
    updates: c.input(2),
    y: c.output(0),
    size: elementBytes(dtype),
    indexSize: indexBytes(c, 1),
    reduction,
    tuples: sizeOf(indices.slice(0, -1)),
    length,
    run: sizeOf(data.slice(length)),
    extents,
    strides: stridesOf(extents),
  })
  return undefined
}
