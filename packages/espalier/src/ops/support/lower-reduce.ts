/**
 * Reductions as steps. Axes of extent 1 are dropped and neighbours of one kind merged, so that reduced and kept axes
 * take turns; where there are few outputs, each is split into parts (by sizes alone, so that threads change no bit).
 */
import { reducedSizes, reductions } from '../../plan/steps/reduce.ts'
import type { DType } from '../../tensor/dtype.ts'
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'

export type Reduction = keyof typeof reductions

const maxRank = 8
const exact: readonly Reduction[] = ['sum', 'mean', 'l1', 'sumSquare', 'max', 'min', 'prod']
const integerSizes: Partial<Record<DType, readonly [size: number, isSigned: number]>> = {
  int64: [8, 1],
  int32: [4, 1],
  int8: [1, 1],
  uint8: [1, 0],
  bool: [1, 0],
}

interface Alternating {
  readonly rank: number
  readonly shape: readonly number[]
  readonly firstReduced: number
}

/** A shape whose axes are reduced and kept by turns; at least one axis. */
export function alternate(shape: Shape, reduced: readonly number[]): Alternating {
  const groups: { extent: number; isReduced: boolean }[] = []
  shape.forEach((extent, axis) => {
    if (extent === 1) return
    const isReduced = reduced.includes(axis)
    const last = groups.at(-1)
    if (last?.isReduced === isReduced) last.extent *= extent
    else groups.push({ extent, isReduced })
  })
  if (groups.length === 0) groups.push({ extent: 1, isReduced: false })
  return {
    rank: groups.length,
    shape: groups.map(({ extent }) => extent),
    firstReduced: Number(groups[0]!.isReduced),
  }
}

/** Lowers a reduction of input 0 over `axes` to output 0; without `axes`, they are not constant. */
export function lowerReduction(
  c: LowerContext,
  operation: Reduction,
  axes: readonly number[] | undefined,
): string | undefined {
  if (axes === undefined) return 'the axes are not constant'
  const { dtype, shape } = c.type(0)
  const view = alternate(shape, axes)
  if (view.rank > maxRank) return `the kernel takes at most ${maxRank} groups of axes`
  const values = { x: c.input(0), y: c.output(0), operation: reductions[operation], ...view }
  if (dtype === 'float32') {
    const splits = splitsOf(view)
    const partials = splits > 1 ? c.scratch(16 * splits * reducedSizes(view).kept) : undefined
    c.emit('reduce_f32', { ...values, partials, splits })
    return undefined
  }
  const integer = integerSizes[dtype]
  if (integer === undefined || !exact.includes(operation)) return `there is no kernel for ${dtype}`
  // The kernel's extremes of no bytes are not booleans.
  if (dtype === 'bool' && sizeOf(shape) === 0) return 'there is no kernel for no booleans'
  c.emit('reduce_integer', { ...values, size: integer[0], isSigned: integer[1] })
  return undefined
}

/** A part should have work for some microseconds, and whole runs of rows where rows are summed. */
const elementsOfPart = 32768
const manyOutputs = 1024

function splitsOf(view: Alternating): number {
  const { all, kept } = reducedSizes(view)
  if (kept === 0 || kept >= manyOutputs) return 1
  const lastReduced = (view.rank - 1) % 2 === 0 ? view.firstReduced === 1 : view.firstReduced === 0
  const least = lastReduced ? 4096 : 16
  return Math.max(1, Math.min(64, Math.floor(all / elementsOfPart), Math.floor(all / kept / least)))
}
