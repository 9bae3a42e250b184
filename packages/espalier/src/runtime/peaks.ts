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
export async function measurePeaks({
  budget = 150,
  elements = 2 ** 24,
  ...options
}: PeakOptions = {}): Promise<Peaks> {
  const rates = { budget, options }
  return {
    flops: await bestRate(products(), threads => full('float32', [SIZE * threads, SIZE], 1), 'flops', rates),
    bytes: await bestRate(passes(), () => full('float32', [elements], 1), 'bytes', rates),
  }
}

/** Products one after the other, with numbers that stay as they are. */
function products(): Graph {
  const g = graphBuilder()
  const w = g.constant(full('float32', [SIZE, SIZE], 1 / SIZE))
  let x = g.input('x', 'float32', ['rows', SIZE])
  for (let i = 0; i < 4; i++) x = g.node('MatMul', [x, w])
  g.output(x)
  return g.build()
}

/** One pass that reads and writes and one that only reads: the quicker one tells what memory can do. */
function passes(): Graph {
  const g = graphBuilder()
  g.output(g.node('ReduceMax', [g.node('Relu', [g.input('x', 'float32', ['n'])])]))
  return g.build()
}

/** The highest rate of a step, in what it costs a second. */
async function bestRate(
  graph: Graph,
  feed: (threads: number) => Tensor,
  cost: 'flops' | 'bytes',
  { budget, options }: { readonly budget: number; readonly options: SessionOptions },
): Promise<number> {
  using opened = await session(graph, options)
  const feeds = { x: feed(opened.threads) }
  const started = performance.now()
  let best = 0
  do {
    for (const row of opened.profile(feeds, { runs: 3 }).rows)
      if (row.seconds > 0) best = Math.max(best, row[cost] / row.seconds)
  } while (performance.now() - started < budget)
  return best
}

/** The least seconds that steps can take on a machine. */
export function leastSeconds({ flops, bytes }: Pick<ProfileRow, 'flops' | 'bytes'>, peaks: Peaks): number {
  return Math.max(flops / peaks.flops, bytes / peaks.bytes)
}
