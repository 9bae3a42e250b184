/**
 * From operators that move elements to steps: strided views become aliases where they lie together in memory, and
 * strided copies elsewhere, with as few axes as describe them; tables of positions become `pick_axes`. Elements of less
 * than a byte, and strings, stay with the reference evaluation.
 */
import type { Operand } from '../../plan/step.ts'
import { type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { LowerContext } from '../lower.ts'
import type { EvaluateContext } from '../op.ts'

/** Most axes of a step (`int[8]`). */
const mostAxes = 8
const largestWord = 2 ** 31 - 1

/** Whether elements take whole bytes, so that steps can move them. */
export function movable(dtype: DType): boolean {
  return dtypeInfo(dtype).bits >= 8
}

/** Bytes of an element of a {@link movable} type. */
export function elementBytes(dtype: DType): number {
  return dtypeInfo(dtype).bits / 8
}

/** Why elements of a type are not moved by steps. */
export function notMovable(dtype: DType): string {
  return `no kernel moves elements of ${dtype}`
}

/** What an operator's own functions read beside data: attributes, and inputs that are constants. */
export type Steering = Pick<EvaluateContext, 'attributes' | 'version' | 'tensor' | 'optionalTensor'>

/** The inputs `indices` as constants; `undefined` when one of them differs from run to run. */
export function steering(c: LowerContext, ...indices: readonly number[]): Steering | undefined {
  if (indices.some(index => c.hasInput(index) && c.constant(index) === undefined)) return undefined
  const constant = (index: number): Tensor | undefined => (c.hasInput(index) ? c.constant(index) : undefined)
  return {
    attributes: c.attributes,
    version: c.version,
    optionalTensor: constant,
    tensor(index) {
      const value = constant(index)
      if (value === undefined) throw new Error(`input ${index} is not a constant`)
      return value
    },
  }
}

/** Why an operator is not lowered whose steering inputs are computed in the run. */
export const steeredInRun = 'an input that says what to move is computed in the run'

/** An operand some bytes further on. */
export function behind(operand: Operand, bytes: number): Operand {
  return { buffer: operand.buffer, offset: operand.offset + bytes }
}

interface Axis {
  readonly extent: number
  readonly x: number
  readonly y: number
}

/** The fewest axes that visit the same elements, those that step furthest through y first. None: one element. */
function fewestAxes(shape: Shape, xStrides: readonly number[], yStrides: readonly number[]): Axis[] {
  const axes = shape
    .map((extent, i): Axis => ({ extent, x: xStrides[i]!, y: yStrides[i]! }))
    .filter(({ extent }) => extent !== 1)
    .sort((a, b) => Math.abs(b.y) - Math.abs(a.y))
  const merged: Axis[] = []
  for (const inner of axes) {
    const outer = merged.at(-1)
    const together =
      outer !== undefined &&
      outer.x === inner.x * inner.extent &&
      outer.y === inner.y * inner.extent &&
      outer.extent * inner.extent <= largestWord
    if (together) merged[merged.length - 1] = { ...inner, extent: outer.extent * inner.extent }
    else merged.push(inner)
  }
  return merged
}

/** Emits y[i . yStrides] = x[i . xStrides]. Strides in elements of `size` bytes. False when it has too many axes. */
export function emitCopy(
  c: LowerContext,
  size: number,
  shape: Shape,
  [x, xStrides]: readonly [Operand, readonly number[]],
  [y, yStrides]: readonly [Operand, readonly number[]],
): boolean {
  if (shape.includes(0)) return true
  let axes = fewestAxes(shape, xStrides, yStrides)
  let bytes = size
  const last = axes.at(-1)
  // A short innermost run is one larger element.
  if (last && last.x === 1 && last.y === 1 && [2, 4, 8, 16].includes(last.extent * size)) {
    const rest = axes.slice(0, -1)
    if (rest.every(axis => axis.x % last.extent === 0 && axis.y % last.extent === 0)) {
      axes = rest.map(axis => ({ ...axis, x: axis.x / last.extent, y: axis.y / last.extent }))
      bytes = size * last.extent
    }
  }
  if (axes.length > mostAxes) return false
  c.emit('copy', {
    x,
    y,
    size: bytes,
    rank: axes.length,
    shape: axes.map(axis => axis.extent),
    xStrides: axes.map(axis => axis.x),
    yStrides: axes.map(axis => axis.y),
  })
  return true
}

/** A strided view of input 0: strides and offset in elements. */
export interface StridedView {
  readonly shape: Shape
  readonly strides: readonly number[]
  readonly offset?: number
}

/** Makes output `output` the elements of a view of input 0, in row-major order: an alias where they lie together. */
export function lowerView(
  c: LowerContext,
  { shape, strides, offset = 0 }: StridedView,
  output = 0,
): string | undefined {
  const { dtype } = c.type(0)
  if (!movable(dtype)) return notMovable(dtype)
  const size = elementBytes(dtype)
  const dense = stridesOf(shape)
  const axes = fewestAxes(shape, strides, dense)
  if (axes.length === 0 || (axes.length === 1 && axes[0]!.x === 1)) {
    c.alias(output, 0, sizeOf(shape) === 0 ? 0 : offset * size)
    return undefined
  }
  const from = behind(c.input(0), offset * size)
  if (emitCopy(c, size, shape, [from, strides], [c.output(output), dense])) return undefined
  return `a view of more than ${mostAxes} axes`
}

/** Output 0 is input 0 under another shape. */
export function lowerAlias(c: LowerContext): string | undefined {
  if (c.type(0).dtype === 'string') return notMovable('string')
  c.alias(0, 0)
  return undefined
}

/** Output 0 holds the same value in every run. */
export function lowerConstant(c: LowerContext, value: Tensor): string | undefined {
  const { dtype, shape } = value
  if (!movable(dtype)) return notMovable(dtype)
  const from = c.table(value.data as ArrayBufferView)
  const strides = stridesOf(shape)
  emitCopy(c, elementBytes(dtype), shape, [from, strides], [c.output(0), strides])
  return undefined
}

/** Fills an output with the first element at `value`. */
export function emitFill(c: LowerContext, output: number, value: Operand): void {
  const { dtype, shape } = c.outputType(output)
  const zeros = shape.map(() => 0)
  emitCopy(c, elementBytes(dtype), shape, [value, zeros], [c.output(output), stridesOf(shape)])
}

/**
 * Output 0 by picking positions of input 0 axis by axis, as `selectAxes` (movement.ts) does. `fill` is one element, for
 * positions of -1; zeros without it.
 */
export function lowerPick(
  c: LowerContext,
  tables: readonly (ArrayLike<number> | undefined)[],
  fill?: Operand,
): string | undefined {
  const { dtype, shape } = c.type(0)
  if (!movable(dtype)) return notMovable(dtype)
  if (tables.every(table => table === undefined)) return lowerAlias(c)
  if (c.outputType(0).shape.includes(0)) return undefined
  const axes = pickedAxes(shape, tables)
  if (axes.length > mostAxes) return `positions along more than ${mostAxes} axes`
  const last = axes.at(-1)!
  const [from, to] = last.table === undefined ? [0, last.extent] : longestRun(last.table)
  const whole = from === 0 && to === last.extent
  // A last axis that is a run keeps no table: where it starts is part of where x starts.
  const start = whole ? (last.table?.[0] ?? 0) : 0
  const kept = axes.map((axis, i) => (whole && i === axes.length - 1 ? [] : tableOf(axis)))
  const entries = kept.flatMap(table => Array.from(table))
  c.emit('pick_axes', {
    x: behind(c.input(0), start * last.stride * elementBytes(dtype)),
    tables: c.table(Int32Array.from(entries)),
    fill,
    y: c.output(0),
    size: elementBytes(dtype),
    rank: axes.length,
    shape: axes.map(axis => axis.extent),
    xStrides: axes.map(axis => axis.stride),
    from,
    to,
    repeat: isDoubled(last.table) ? 2 : 0,
  })
  return undefined
}

interface PickedAxis {
  readonly extent: number
  readonly stride: number
  /** Missing where every position stays. */
  readonly table?: ArrayLike<number>
}

/** Axes that stay are one with their neighbours, and one with the axis before them where its table is mostly a run. */
function pickedAxes(shape: Shape, tables: readonly (ArrayLike<number> | undefined)[]): PickedAxis[] {
  const strides = stridesOf(shape)
  const axes: PickedAxis[] = []
  shape.forEach((own, i) => {
    const table = tables[i]
    const outer = axes.at(-1)
    const axis = { extent: table?.length ?? own, stride: strides[i]!, ...(table && { table }) }
    if (outer === undefined || table !== undefined) axes.push(axis)
    else if (outer.table === undefined) axes[axes.length - 1] = { ...axis, extent: outer.extent * own }
    else axes.push(axis)
  })
  if (axes.length === 0) return [{ extent: 1, stride: 1 }]
  const [outer, inner] = [axes.at(-2), axes.at(-1)!]
  if (outer?.table === undefined || inner.table !== undefined) return axes
  const [from, to] = longestRun(outer.table)
  if (to - from < outer.extent / 2 || outer.extent * inner.extent > 2 ** 16) return axes
  const table = Array.from(outer.table).flatMap(at =>
    Array.from({ length: inner.extent }, (_, i) => (at < 0 ? -1 : at * inner.extent + i)),
  )
  return [...axes.slice(0, -2), { extent: table.length, stride: inner.stride, table }]
}

function tableOf({ extent, table }: PickedAxis): ArrayLike<number> {
  return table ?? Array.from({ length: extent }, (_, i) => i)
}

/** The longest range of a table in which positions count up by one: its start and end. */
function longestRun(table: ArrayLike<number>): readonly [number, number] {
  let best: readonly [number, number] = [0, 0]
  for (let from = 0, to = 1; from < table.length; from = to, to++) {
    while (to < table.length && table[to] === table[to - 1]! + 1 && table[from]! >= 0) to++
    if (table[from]! >= 0 && to - from > best[1] - best[0]) best = [from, to]
  }
  return best
}

/** Whether a table is 0, 0, 1, 1, 2, 2... */
function isDoubled(table: ArrayLike<number> | undefined): boolean {
  return table !== undefined && table.length % 2 === 0 && Array.from(table).every((at, i) => at === i >> 1)
}
