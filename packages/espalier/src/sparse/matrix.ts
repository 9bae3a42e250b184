/**
 * A weight as a matrix of outputs by k, which every sparse layout is made from. k runs in the order in which kernels walk:
 * over the taps of a window and, within a tap, over channels.
 */
export type Numbers = Float32Array | Int8Array

export interface WeightMatrix<N extends Numbers = Numbers> {
  readonly data: N
  readonly outputs: number
  /** Taps of the window; 1 for a product of matrices. */
  readonly taps: number
  readonly channels: number
  /** Whether the data lies as [outputs][k], or as [k][outputs]. */
  readonly outputsFirst: boolean
}

/** The second matrix of a product: [k, n], or [n, k] where it lies transposed. */
export function productMatrix<N extends Numbers>(
  data: N,
  k: number,
  n: number,
  transposed: boolean,
): WeightMatrix<N> {
  return { data, outputs: n, taps: 1, channels: k, outputsFirst: transposed }
}

/** The weights of a convolution, [outputs, channels, ...kernel]; a copy where there is more than one tap. */
export function convolutionMatrix<N extends Numbers>(
  data: N,
  outputs: number,
  channels: number,
  taps: number,
): WeightMatrix<N> {
  return {
    data: taps === 1 ? data : tapsFirst(data, outputs, channels, taps),
    outputs,
    taps,
    channels,
    outputsFirst: true,
  }
}

function tapsFirst<N extends Numbers>(data: N, outputs: number, channels: number, taps: number): N {
  const turned = data.slice() as N
  const size = channels * taps
  for (let at = 0; at < outputs * size; at += size)
    for (let tap = 0, to = at; tap < taps; tap++)
      for (let from = at + tap; from < at + size; from += taps) turned[to++] = data[from]!
  return turned
}
