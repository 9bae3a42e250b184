/**
 * What steps with sparse weights have in common, of any data type: the windows they walk, as plan/steps/window.ts has them, and
 * how the packed weight (sparse/parts.ts) is cut.
 */
export const sparseCutFields = {
  batch: 'int',
  /** Spatial extents; a matrix is an image of one row of pixels. */
  input: 'int[3]',
  outputSize: 'int[3]',
  kernel: 'int[3]',
  strides: 'int[3]',
  dilations: 'int[3]',
  /** Padding at the beginnings. */
  pads: 'int[3]',
  channels: 'int',
  /** Elements from pixel to pixel of x. */
  xStride: 'int',
  outputs: 'int',
  /** Outputs of a panel, and steps of k of a block. */
  panel: 'int',
  block: 'int',
  /** Where the directory, the places and the values begin in the weight, in bytes. */
  directoryAt: 'int',
  placesAt: 'int',
  valuesAt: 'int',
} as const
