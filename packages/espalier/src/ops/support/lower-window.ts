/** Sliding windows as the fields of steps (plan/steps/window.ts): three spatial axes, missing ones in front. */
import type { WindowValues } from '../../plan/steps/window.ts'
import type { WindowAxis } from './window.ts'

/** A list with one number for each spatial axis, with `fill` for the missing ones. */
export function lastAxes(values: readonly number[], fill: number): number[] {
  return [...new Array<number>(3 - values.length).fill(fill), ...values]
}

export function windowValues(batch: number, axes: readonly WindowAxis[]): WindowValues {
  const each = (key: keyof WindowAxis, fill: number): number[] =>
    lastAxes(
      axes.map(axis => axis[key]),
      fill,
    )
  return {
    batch,
    input: each('input', 1),
    output: each('output', 1),
    kernel: each('kernel', 1),
    strides: each('stride', 1),
    dilations: each('dilation', 1),
    pads: each('before', 0),
  }
}
