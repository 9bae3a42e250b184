/**
 * Sliding windows over channels-last tensors [batch, d, h, w, channels], as convolutions and pools have them in their
 * fields: extents are lists of three, with 1 in front for axes that are not there.
 */

/** Product of a list of extents. */
export function product(extents: readonly number[]): number {
  return extents.reduce((a, b) => a * b, 1)
}
