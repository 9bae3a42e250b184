/**
 * From resizing to steps: nearest positions are picked from tables; linear and cubic interpolation take one step an
 * axis, from tables of taps made here. Axes that shrink come first, then the innermost ones, so that little is carried
 * between the steps.
 */
import type { Operand } from '../../plan/step.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { lowerPick } from './lower-movement.ts'
import { isUnchanged, nearestTables, type ResizedAxis, type ResizeSettings, tapsOf } from './resizing.ts'

/** Output 0 is input 0 resized. */
export function lowerResize(
  c: LowerContext,
  axes: readonly ResizedAxis[],
  settings: ResizeSettings,
): string | undefined {
  const { dtype, shape } = c.type(0)
  if (c.outputType(0).shape.includes(0)) return undefined
  if (axes.some(axis => axis.input === 0)) return 'an axis without elements cannot grow'
  if (settings.mode === 'nearest') {
    const value = fromNumbers(dtype, [], [settings.extrapolation])
    const fill = settings.extrapolation === 0 ? undefined : c.table(value.data as ArrayBufferView)
    return lowerPick(c, nearestTables(axes, settings), fill)
  }
  if (dtype !== 'float32') return `no kernel interpolates ${dtype}`
  const order = axes
    .flatMap((axis, at) => (isUnchanged(axis, settings) ? [] : [at]))
    .sort((a, b) => growth(axes[a]!) - growth(axes[b]!) || b - a)
  if (order.length === 0) {
    c.alias(0, 0)
    return undefined
  }
  const extents = [...shape]
  let from = c.input(0)
  order.forEach((at, step) => {
    const resized = extents.with(at, axes[at]!.output)
    const to = step === order.length - 1 ? c.output(0) : c.scratch(4 * sizeOf(resized))
    emitResample(c, [from, to], extents, at, axes[at]!, settings)
    extents[at] = axes[at]!.output
    from = to
  })
  return undefined
}

/** Whether an axis shrinks, stays or grows. */
function growth({ input, output }: ResizedAxis): number {
  return Math.sign(output - input)
}

function emitResample(
  c: LowerContext,
  [x, y]: readonly [Operand, Operand],
  extents: readonly number[],
  at: number,
  axis: ResizedAxis,
  settings: ResizeSettings,
): void {
  const { first, indices, weights, outside } = tapsOf(axis, settings)
  const total = first.at(-1)!
  const each = total / axis.output
  const equal = first.every((start, i) => start === i * each)
  c.emit('resample_f32', {
    x,
    starts: c.table(first),
    indices: c.table(indices.slice(0, total)),
    weights: c.table(Float32Array.from(weights.subarray(0, total))),
    y,
    outer: sizeOf(extents.slice(0, at)),
    input: axis.input,
    output: axis.output,
    inner: sizeOf(extents.slice(at + 1)),
    taps: equal ? each : 0,
    outside,
  })
}
