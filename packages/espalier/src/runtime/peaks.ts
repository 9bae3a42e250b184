/**
 * What a machine can do at most, measured through the kernels themselves: arithmetic by products of matrices that stay in
 * the cache, traffic by passes over more memory than caches hold. A step cannot be quicker than the slower of both allows;
 * how close it comes is its share of the roofline (Williams, Waterman, Patterson 2009).
 */
import { graphBuilder } from '../graph/builder.ts'
import type { Graph } from '../graph/graph.ts'
import { full } from '../tensor/elements.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { ProfileRow } from './profile.ts'
import { type SessionOptions, session } from './session.ts'

export interface Peaks {
  /** Float32 operations a second, a multiply-add being two. 8-bit kernels may do more. */
  readonly flops: number
  /** Bytes a second from and to main memory. What lies in a cache may be quicker. */
  readonly bytes: number
}

export interface PeakOptions extends Pick<SessionOptions, 'backend' | 'threads' | 'isa' | 'onWarning'> {
  /** Milliseconds that each of the two measurements takes at least; 150 when left out. */
  readonly budget?: number
  /** Elements of the array that memory is measured with; 2^24 (64 MiB) when left out. */
  readonly elements?: number
}

/** Extents of the matrices: three of them take less than the second cache of any core. */
const SIZE = 256

/** Measures for as many threads as a session with these options has. Throws what `session` does, `unsupported` on the reference. */
export async function measurePeaks(options: PeakOptions = {}): Promise<Peaks> {
  const { budget = 150, elements = 2 ** 24, ...rest } = options
  const threads = rest.threads ?? 1
  return {
    flops: await bestRate(products(threads), { x: full('float32', [SIZE * threads, SIZE], 1) }, 'flops', rest, budget),
    bytes: await bestRate(passes(), { x: full('float32', [elements], 1) }, 'bytes', rest, budget),
  }
}
