/** What a plan is made for: a variant of the kernels, a number of threads. Plans for the same target are the same. */
import { layoutHash } from './layout.ts'

/** Sizes of tiles that a variant of the kernels was compiled with, as it reports them (kernels/core/traits.hpp). */
export const traitNames = ['layout', 'lanes', 'gemmRows', 'gemmColumns', 'int8Columns', 'int8Depth'] as const

export type Traits = Readonly<Record<(typeof traitNames)[number], number>>

/** Variants of the kernels. */
export type Isa = 'avx2' | 'avx512' | 'avx512vnni' | 'amx' | 'neon' | 'neondotprod' | 'wasm' | 'wasm-relaxed'

/**
 * When sparse kernels multiply weights that have zeros: `auto` where they are quicker than dense ones, as far as is known;
 * `never`; `always` that they can, however few zeros there are.
 */
export type SparseUse = 'auto' | 'never' | 'always'

export interface Target {
  readonly isa: Isa
  readonly threads: number
  readonly traits: Traits
  /** Whether convolutions may be computed by Winograd's method. */
  readonly winograd: boolean
  /** When sparse kernels multiply weights that have zeros. */
  readonly sparse: SparseUse
  /** The only layout of weights with zeros that may be used, by its name; any when left out. */
  readonly sparseLayout?: string
}

/** Whether kernels that report these numbers were built for the steps of this library. */
export function fits(numbers: ArrayLike<number>): boolean {
  return numbers[0] === layoutHash
}

/** Names the numbers that a kernel library reports. */
export function traitsOf(numbers: ArrayLike<number>): Traits {
  return Object.fromEntries(traitNames.map((name, index) => [name, numbers[index]!])) as Traits
}
