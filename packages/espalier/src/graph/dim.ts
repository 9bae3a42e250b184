/**
 * Arithmetic on dimensions. A dimension is a number, an expression over named symbols kept as text, or `null`.
 * Expressions are integer polynomials over symbols and over quotients, minima and maxima of such; they are
 * brought to a canonical form, so that equal expressions have equal text: `n+n` and `2*n` are both `2*n`.
 * Text that is no expression (`batch size`, `?`) is taken as the name of one symbol, and is quoted inside of one:
 * `2*"batch size"`. What grows beyond reading, or beyond exact integers, is `null`: nothing is known.
 */
import type { Dim } from './graph.ts'
import {
  add,
  constantOf,
  divideExactly,
  expression,
  extremum,
  floorDivide,
  LONGEST,
  multiply,
  type Polynomial,
  parse,
  parseCall,
  splitAtoms,
  unquote,
} from './polynomial.ts'

/** `a + b`. */
export function addDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null
  if (typeof a === 'number' && typeof b === 'number') return integer(a + b)
  return format(add(parse(a), parse(b), 1))
}

/** `a - b`. */
export function subtractDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null
  if (typeof a === 'number' && typeof b === 'number') return integer(a - b)
  return format(add(parse(a), parse(b), -1))
}

/** `a * b`. Zero times anything, even something unknown, is zero. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0
  if (a === null || b === null) return null
  if (typeof a === 'number' && typeof b === 'number') return integer(a * b)
  return format(multiply(parse(a), parse(b)))
}

/** Product of all; 1 for none. */
export function productOfDims(dims: readonly Dim[]): Dim {
  return dims.reduce(multiplyDims, 1)
}

/** floor(a / b). Exact where `b` divides every term of `a`. `null` for a division by zero. */
export function floorDivideDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null || b === 0) return null
  if (typeof a === 'number' && typeof b === 'number') return integer(Math.floor(a / b))
  return format(floorDivide(parse(a), parse(b)))
}

/** ceil(a / b). A symbolic `b` is taken to be positive, as extents are. `null` for a division by zero. */
export function ceilDivideDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null || b === 0) return null
  if (typeof a === 'number' && typeof b === 'number') return integer(Math.ceil(a / b))
  if (typeof b === 'number' && b < 0) return ceilDivideDims(subtractDims(0, a), -b)
  const quotient = divideExactly(parse(a), parse(b))
  return quotient !== undefined ? format(quotient) : floorDivideDims(subtractDims(addDims(a, b), 1), b)
}

/** The smaller of two. */
export function minDims(a: Dim, b: Dim): Dim {
  return extremumOfDims('min', a, b)
}

/** The larger of two. */
export function maxDims(a: Dim, b: Dim): Dim {
  return extremumOfDims('max', a, b)
}

function integer(value: number): Dim {
  return Number.isSafeInteger(value) ? value + 0 : null // + 0: no minus zero
}

function extremumOfDims(kind: 'min' | 'max', a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null
  if (typeof a === 'number' && typeof b === 'number') return integer(Math[kind](a, b))
  return format(extremum(kind, parse(a), parse(b)))
}

/** Whether two dimensions are known to be equal in every run. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a !== null && b !== null && (a === b || subtractDims(a, b) === 0)
}

/** Whether two dimensions are known to differ in every run. */
export function differentDims(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a !== b
  const difference = subtractDims(a, b)
  return typeof difference === 'number' && difference !== 0
}

/**
 * The canonical form of a dimension: `1*n` becomes `n`, `2+1` becomes 3. A bare number as text stays the name of a
 * symbol: some exporters write unknown extents as `-1` or `0`.
 */
export function formatDim(dim: Dim): Dim {
  return typeof dim === 'string' ? format(parse(dim)) : dim
}

/** Names of the symbols in a dimension. */
export function symbolsOf(dim: Dim): string[] {
  if (typeof dim !== 'string') return []
  const found = new Set<string>()
  for (const key of parse(dim).keys()) for (const atom of splitAtoms(key)) collectSymbols(atom, found)
  return [...found]
}

/**
 * The value of a dimension under `bindings`. `undefined` where a symbol has no value.
 */
export function evaluateDim(dim: Dim, bindings: ReadonlyMap<string, number>): number | undefined {
  const result = substituteDim(dim, bindings)
  return typeof result === 'number' ? result : undefined
}

/** `dim` with symbols replaced by other dimensions; symbols without a binding stay. */
export function substituteDim(dim: Dim, bindings: ReadonlyMap<string, Dim>): Dim {
  if (typeof dim !== 'string') return dim
  let sum: Dim = 0
  for (const [key, coefficient] of parse(dim)) {
    let product: Dim = coefficient
    for (const atom of splitAtoms(key)) product = multiplyDims(product, substituteAtom(atom, bindings))
    sum = addDims(sum, product)
  }
  return sum
}

function substituteAtom(atom: string, bindings: ReadonlyMap<string, Dim>): Dim {
  const application = parseCall(atom)
  if (application === undefined) {
    const bound = bindings.get(unquote(atom))
    return bound === undefined ? atom : bound
  }
  const a = substituteDim(application.a, bindings)
  const b = substituteDim(application.b, bindings)
  if (application.name === 'floordiv') return floorDivideDims(a, b)
  return extremumOfDims(application.name, a, b)
}

function collectSymbols(atom: string, found: Set<string>): void {
  const application = parseCall(atom)
  if (application === undefined) {
    found.add(unquote(atom))
    return
  }
  for (const part of [application.a, application.b]) for (const symbol of symbolsOf(part)) found.add(symbol)
}

/** A polynomial as a dimension: a number, the name of a lone symbol as the file has it, or an expression. */
function format(polynomial: Polynomial | undefined): Dim {
  if (polynomial === undefined) return null
  const number = constantOf(polynomial)
  if (number !== undefined) return integer(number)
  const text = expression(polynomial)
  if (/^"(?:[^"]|"")*"$/.test(text)) {
    const name = unquote(text)
    if (parse(name).has(text)) return name // unless the name alone would read as an expression
  }
  return text.length > LONGEST ? null : text
}
