/**
 * Sliding windows over channels-last tensors [batch, d, h, w, channels], as convolutions and pools have them in their
 * fields: extents are lists of three, with 1 in front for axes that are not there.
 */

/** Product of a list of extents. */
export function product(extents: readonly number[]): number {
  return extents.reduce((a, b) => a * b, 1)
}

/** The window fields of a step, as they are before they have its names. */
export interface WindowValues {
  readonly batch: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
}
