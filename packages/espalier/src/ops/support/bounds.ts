/**
 * What can be said of the size of a symbolic extent. Where it matters whether an extent is empty, a symbol is taken to
 * be at least 1, as exporters mean it: `n - 1` is then no more than that, and not `max(0,n-1)`.
 */
import { maxDims, substituteDim, symbolsOf } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'

/** A term with a minus sign that holds more than a number. */
const negativeTerm = /-(?!\d+(?![\d*]))/
const constantQuotient = /floordiv\([^(),]*,\d+\)/g

/** Whether `dim` is at least `bound` for all symbols from 1 on. `false` when that is not certain. */
export function atLeast(dim: Dim, bound: number): boolean {
  if (dim === null) return false
  if (typeof dim === 'number') return dim >= bound
  const symbols = symbolsOf(dim)
  if (symbols.length === 1 && symbols[0] === dim) return bound <= 1
  // What only grows with its symbols is smallest where they are.
  if (negativeTerm.test(dim) || dim.replaceAll(constantQuotient, 'q').includes('floordiv')) return false
  const least = substituteDim(dim, new Map(symbols.map(symbol => [symbol, 1])))
  return typeof least === 'number' && least >= bound
}

/** `dim`, or 0 where it would be negative. */
export function notNegative(dim: Dim): Dim {
  return atLeast(dim, 0) ? dim : maxDims(dim, 0)
}
