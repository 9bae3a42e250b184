/**
 * How long kernels take: what there is to do, times what each of it costs. Costs are seconds on a machine with a number of
 * threads; they are built in (below), or measured there (runtime/calibrate). A model of a few terms, which knows nothing of
 * patterns: what it says of two kernels is to be trusted where they are well apart.
 */
import type { WindowValues } from '../plan/steps/window.ts'
import type { Target } from '../plan/target.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { ProductShape, SparseDtype, SparseLayout } from './layout.ts'

/** What a kernel has to do. */
export interface Work {
  /** Units that are kept, times the vectors of rows (or the rows) that each is multiplied by; see the layout. */
  readonly kept: number
  /** What is done whatever is zero: turning activations, looking through masks. Counted as the layout says. */
  readonly fixed: number
  /** Bytes of weights that are read. */
  readonly bytes: number
  /** Pieces of about the same size that threads can take. */
  readonly pieces: number
}

/** Seconds for one of each. */
export interface KernelCosts {
  readonly kept: number
  readonly fixed: number
}

/** Seconds, all threads working. */
export interface Costs {
  /** Whether nobody has measured them on the machine. */
  readonly builtIn: boolean
  /** For a byte of weights that comes from memory. */
  readonly byte: number
  /** For a multiply-add of dense kernels, by {@link denseKey}. */
  readonly dense: Readonly<Record<string, number>>
  /** Of layouts, by {@link layoutKey}. */
  readonly layouts: Readonly<Record<string, KernelCosts>>
}

/** Of dense kernels on one core with AVX2. */
const dense: Costs['dense'] = {
  'float32 many': 2.1e-11,
  'int8 many': 1.4e-11,
  'float32 few': 3.2e-11,
  'int8 few': 1.5e-11,
}
/** Floats of a vector there. */
const lanes = 8
const byte = 5e-11

/** What is in {@link Costs.layouts}. */
export function layoutKey({ dtype, name }: Pick<SparseLayout, 'dtype' | 'name'>): string {
  return `${dtype} ${name}`
}

/** What is in {@link Costs.dense}: kernels that a product of so many rows, or of less than a vector of them, runs on. */
export function denseKey(dtype: SparseDtype, few: boolean): string {
  return `${dtype} ${few ? 'few' : 'many'}`
}

/** Bytes of weights that a cache which all cores share holds from run to run, and how much quicker they come from there. */
const SHARED_CACHE = { bytes: 2 ** 24, gain: 3 } as const

/** The same costs for a plan with so many bytes of weights. */
export function costsWith(costs: Costs, weightBytes: number): Costs {
  return weightBytes > SHARED_CACHE.bytes ? costs : { ...costs, byte: costs.byte / SHARED_CACHE.gain }
}

/** Whether a product has fewer rows than a vector has numbers. */
export function hasFewRows({ window }: ProductShape, { traits }: Pick<Target, 'traits'>): boolean {
  return rowsOf(window) < traits.lanes
}

/**
 * Costs on a machine that nobody has measured: those of one with AVX2. A vector of another length is taken to be as quick, so
 * that what layouts gain over dense kernels is the same everywhere.
 */
export function builtInCosts(
  { threads, traits }: Pick<Target, 'threads' | 'traits'>,
  layouts: readonly SparseLayout[],
): Costs {
  const perNumber = lanes / traits.lanes / threads
  return {
    builtIn: true,
    byte,
    dense: Object.fromEntries(Object.entries(dense).map(([key, seconds]) => [key, seconds * perNumber])),
    layouts: Object.fromEntries(
      layouts.map(layout => [
        layoutKey(layout),
        { kept: layout.costs.kept / threads, fixed: layout.costs.fixed / threads },
      ]),
    ),
  }
}

/** Seconds of work on one thread up to which others may not be woken at all: whether they would all be busy says nothing. */
const LITTLE = 30e-6

/** Seconds that a kernel takes. */
export function secondsOf(
  { kept, fixed, bytes, pieces }: Work,
  costs: KernelCosts,
  perByte: number,
  threads: number,
): number {
  const shared = kept * costs.kept + fixed * costs.fixed
  const busy = shared * threads < LITTLE ? 1 : idleFactor(pieces, threads)
  return Math.max(shared * busy, bytes * perByte)
}

/** How many times longer work takes than if it could be shared evenly: the last pieces leave some threads without any. */
function idleFactor(pieces: number, threads: number): number {
  return (Math.ceil(pieces / threads) * threads) / Math.max(pieces, 1)
}

/** Seconds that the dense kernel takes, `gain` times less than one product for each weight and row would. */
export function denseSeconds(
  product: ProductShape,
  dtype: SparseDtype,
  gain: number,
  costs: Costs,
  target: Pick<Target, 'traits'>,
): number {
  const { matrix, window } = product
  const numbers = matrix.outputs * matrix.taps * matrix.channels
  const each = costs.dense[denseKey(dtype, hasFewRows(product, target))]!
  return Math.max(
    (rowsOf(window) * numbers * each) / gain,
    numbers * (dtype === 'float32' ? 4 : 1) * costs.byte,
  )
}

/** Rows of the product: pixels that come out. */
export function rowsOf({ batch, output }: WindowValues): number {
  return batch * sizeOf(output)
}
