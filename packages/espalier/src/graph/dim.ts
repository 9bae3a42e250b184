/**
 * Arithmetic on dimensions. A dimension is a number, an expression over named symbols kept as text, or `null`.
 * Expressions are integer polynomials over symbols and over quotients, minima and maxima of such; they are
 * brought to a canonical form, so that equal expressions have equal text: `n+n` and `2*n` are both `2*n`.
 * Text that is no expression (`batch size`, `?`) is taken as the name of one symbol.
 */
import { EspalierError } from '../errors.ts'
import type { Dim } from './graph.ts'

/** Sum of products: coefficient by product key. A product key is its sorted atoms joined by `*`; `''` is the constant. */
type Polynomial = ReadonlyMap<string, number>

const functions = ['floordiv', 'min', 'max'] as const
type FunctionName = (typeof functions)[number]

const cache = new Map<string, Polynomial>()
const cacheLimit = 10_000

/** `a + b`. */
export function addDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null
  if (typeof a === 'number' && typeof b === 'number') return a + b
  return format(add(parse(a), parse(b), 1))
}

/** `a - b`. */
export function subtractDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return format(add(parse(a), parse(b), -1))
}

/** `a * b`. Zero times anything, even something unknown, is zero. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0
  if (a === null || b === null) return null
  if (typeof a === 'number' && typeof b === 'number') return a * b
  return format(multiply(parse(a), parse(b)))
}

/** Product of all; 1 for none. */
export function productOfDims(dims: readonly Dim[]): Dim {
  return dims.reduce(multiplyDims, 1)
}

/** floor(a / b). Exact where `b` divides every term of `a`. `null` for a division by zero. */
export function floorDivideDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null || b === 0) return null
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b)
  const dividend = parse(a)
  const divisor = parse(b)
  const quotient = divideExactly(dividend, divisor)
  return quotient !== undefined ? format(quotient) : call('floordiv', a, b)
}

/** ceil(a / b). */
export function ceilDivideDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null || b === 0) return null
  if (typeof a === 'number' && typeof b === 'number') return Math.ceil(a / b)
  const quotient = divideExactly(parse(a), parse(b))
  return quotient !== undefined ? format(quotient) : call('floordiv', subtractDims(addDims(a, b), 1), b)
}

/** The smaller of two. */
export function minDims(a: Dim, b: Dim): Dim {
  return extremum('min', a, b)
}

/** The larger of two. */
export function maxDims(a: Dim, b: Dim): Dim {
  return extremum('max', a, b)
}

function extremum(kind: 'min' | 'max', a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null
  if (typeof a === 'number' && typeof b === 'number') return Math[kind](a, b)
  const difference = subtractDims(a, b)
  if (typeof difference === 'number') return (kind === 'min') === difference < 0 ? a : b
  const [first, second] = [String(formatDim(a)), String(formatDim(b))].sort()
  return call(kind, first!, second!)
}

/** Whether two dimensions are known to be equal in every run. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a !== null && b !== null && (a === b || subtractDims(a, b) === 0)
}

/** Whether two dimensions are known to differ in every run. */
export function differentDims(a: Dim, b: Dim): boolean {
  const difference = subtractDims(a, b)
  return typeof difference === 'number' && difference !== 0
}

/** The canonical form of a dimension: `1*n` becomes `n`, `2+1` becomes 3. */
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
  return extremum(application.name, a, b)
}

// ---- polynomials

const ONE: Polynomial = new Map([['', 1]])

function add(a: Polynomial, b: Polynomial, factor: number): Polynomial {
  const sum = new Map(a)
  for (const [key, coefficient] of b) {
    const total = (sum.get(key) ?? 0) + factor * coefficient
    if (total === 0) sum.delete(key)
    else sum.set(key, total)
  }
  return sum
}

function multiply(a: Polynomial, b: Polynomial): Polynomial {
  let product: Polynomial = new Map()
  for (const [x, p] of a)
    for (const [y, q] of b) {
      const key = [...splitAtoms(x), ...splitAtoms(y)].sort().join('*')
      product = add(product, new Map([[key, p * q]]), 1)
    }
  return product
}

/** a / b when b is one term that divides every term of a, or when a is a multiple of b; otherwise `undefined`. */
function divideExactly(a: Polynomial, b: Polynomial): Polynomial | undefined {
  const entries = [...b]
  const [key, divisor] = entries[0] ?? ['', 0]
  if (divisor === 0) return undefined
  if (entries.length > 1) {
    const factor = (a.get(key) ?? 0) / divisor
    return Number.isInteger(factor) && add(a, b, -factor).size === 0 ? new Map([['', factor]]) : undefined
  }
  const quotient = new Map<string, number>()
  for (const [product, coefficient] of a) {
    if (coefficient % divisor !== 0) return undefined
    const atoms = splitAtoms(product)
    for (const atom of splitAtoms(key)) {
      const at = atoms.indexOf(atom)
      if (at < 0) return undefined
      atoms.splice(at, 1)
    }
    quotient.set(atoms.join('*'), coefficient / divisor)
  }
  return quotient
}

/** Splits a product key at its top-level `*`: quotes and parentheses hold together. */
function splitAtoms(key: string): string[] {
  if (key === '') return []
  const atoms: string[] = []
  let start = 0
  let depth = 0
  let quoted = false
  for (let i = 0; i < key.length; i++) {
    const c = key[i]
    if (c === '"') quoted = !quoted
    else if (quoted) continue
    else if (c === '(') depth++
    else if (c === ')') depth--
    else if (c === '*' && depth === 0) {
      atoms.push(key.slice(start, i))
      start = i + 1
    }
  }
  atoms.push(key.slice(start))
  return atoms
}

// ---- text

function format(polynomial: Polynomial): Dim {
  if (polynomial.size === 0) return 0
  const constant = polynomial.get('')
  if (polynomial.size === 1 && constant !== undefined) return constant
  const terms = [...polynomial].filter(([key]) => key !== '').sort(([x], [y]) => (x < y ? -1 : 1))
  if (terms.length === 1 && constant === undefined && terms[0]![1] === 1) {
    const atoms = splitAtoms(terms[0]![0])
    if (atoms.length === 1) return unquote(atoms[0]!) // a lone symbol is written as the file has it
  }
  let text = ''
  for (const [key, coefficient] of terms) {
    const size = Math.abs(coefficient)
    text += coefficient < 0 ? '-' : text === '' ? '' : '+'
    text += size === 1 ? key : `${size}*${key}`
  }
  if (constant !== undefined) text += constant < 0 ? `${constant}` : `+${constant}`
  return text
}

function call(name: FunctionName, a: Dim, b: Dim): Dim {
  return format(new Map([[`${name}(${argument(a)},${argument(b)})`, 1]]))
}

/** A dimension as text inside an expression: a symbol that is no identifier is quoted. */
function argument(dim: Dim): string {
  const text = String(formatDim(dim))
  const polynomial = parse(text)
  return polynomial.size === 1 && polynomial.has(quote(text)) ? quote(text) : text
}

function quote(symbol: string): string {
  return /^[A-Za-z_][\w.]*$/.test(symbol) ? symbol : `"${symbol}"`
}

function unquote(atom: string): string {
  return atom.startsWith('"') ? atom.slice(1, -1) : atom
}

function parse(dim: number | string): Polynomial {
  if (typeof dim === 'number') return dim === 0 ? new Map() : new Map([['', dim]])
  let polynomial = cache.get(dim)
  if (polynomial === undefined) {
    polynomial = new Parser(dim).whole() ?? new Map([[quote(dim.replaceAll('"', "'")), 1]])
    if (cache.size >= cacheLimit) cache.clear()
    cache.set(dim, polynomial)
  }
  return polynomial
}

function parseCall(atom: string): { name: FunctionName; a: string; b: string } | undefined {
  const name = functions.find(f => atom.startsWith(`${f}(`))
  if (name === undefined) return undefined
  const inner = atom.slice(name.length + 1, -1)
  let depth = 0
  let quoted = false
  for (let i = 0; i < inner.length; i++) {
    const c = inner[i]
    if (c === '"') quoted = !quoted
    else if (quoted) continue
    else if (c === '(') depth++
    else if (c === ')') depth--
    else if (c === ',' && depth === 0) return { name, a: inner.slice(0, i), b: inner.slice(i + 1) }
  }
  throw new EspalierError('bad-argument', `not a dimension: "${atom}"`)
}

function collectSymbols(atom: string, found: Set<string>): void {
  const application = parseCall(atom)
  if (application === undefined) {
    found.add(unquote(atom))
    return
  }
  for (const part of [application.a, application.b]) for (const symbol of symbolsOf(part)) found.add(symbol)
}

/** Recursive descent over sums, products, numbers, symbols, quoted symbols, parentheses and the three functions. */
class Parser {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The polynomial of the whole text, or `undefined` when it is not an expression. */
  whole(): Polynomial | undefined {
    const result = this.#sum()
    this.#space()
    // A bare number as text (`-1`, `0`) is how some exporters write an unknown extent: keep it a symbol.
    const constant = result !== undefined && [...result.keys()].every(key => key === '')
    return this.#at === this.#text.length && !constant ? result : undefined
  }

  #sum(): Polynomial | undefined {
    if (++this.#depth > 100) return undefined
    let result: Polynomial | undefined = this.#take('-') ? this.#negated(this.#product()) : this.#product()
    while (result !== undefined) {
      const sign = this.#take('+') ? 1 : this.#take('-') ? -1 : 0
      if (sign === 0) break
      const next = this.#product()
      result = next && add(result, next, sign)
    }
    this.#depth--
    return result
  }

  #negated(polynomial: Polynomial | undefined): Polynomial | undefined {
    return polynomial && add(new Map(), polynomial, -1)
  }

  #product(): Polynomial | undefined {
    let result = this.#factor()
    while (result !== undefined && this.#take('*')) {
      const next = this.#factor()
      result = next && multiply(result, next)
    }
    return result
  }

  #factor(): Polynomial | undefined {
    if (this.#take('(')) {
      const inner = this.#sum()
      return this.#take(')') ? inner : undefined
    }
    const number = this.#match(/\d{1,15}/y)
    if (number !== undefined)
      return Number(number) === 0 ? new Map() : multiply(ONE, new Map([['', Number(number)]]))
    const quoted = this.#match(/"[^"]*"/y)
    if (quoted !== undefined) return new Map([[quote(quoted.slice(1, -1)), 1]])
    const name = this.#match(/[A-Za-z_][\w.]*/y)
    if (name === undefined) return undefined
    const kind = functions.find(f => f === name)
    return kind !== undefined && this.#take('(') ? this.#call(kind) : new Map([[name, 1]])
  }

  #call(kind: FunctionName): Polynomial | undefined {
    const a = this.#sum()
    if (a === undefined || !this.#take(',')) return undefined
    const b = this.#sum()
    if (b === undefined || !this.#take(')')) return undefined
    const [x, y] = [format(a), format(b)]
    const result = kind === 'floordiv' ? floorDivideDims(x, y) : extremum(kind, x, y)
    return result === null ? undefined : parse(result)
  }

  #space(): void {
    while (this.#text[this.#at] === ' ') this.#at++
  }

  #take(character: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): string | undefined {
    this.#space()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }
}
