/**
 * The algebra behind dim.ts: integer polynomials over atoms, and their text. An atom is a symbol (quoted unless it is an
 * identifier) or the call of a function on two expressions, all as canonical text. `undefined` stands for what is too
 * large to handle, as an operand and as a result.
 */
import { EspalierError } from '../errors.ts'

/** Sum of products: coefficient by product key. A product key is its sorted atoms joined by `*`; `''` is the constant. */
export type Polynomial = ReadonlyMap<string, number>

const functions = ['floordiv', 'min', 'max'] as const
export type FunctionName = (typeof functions)[number]

/** Longest text of an expression: real ones have some hundred characters. Longer text names one symbol. */
export const LONGEST = 1000
/** Most terms of a sum while it is computed: `(a+b)*(c+d)*...` doubles with every factor. */
const MOST_TERMS = 100

const cache = new Map<string, Polynomial>()
const cacheLimit = 10_000

export function add(
  a: Polynomial | undefined,
  b: Polynomial | undefined,
  factor: number,
): Polynomial | undefined {
  if (a === undefined || b === undefined) return undefined
  const sum = new Map(a)
  for (const [key, coefficient] of b) if (!addTerm(sum, key, factor * coefficient)) return undefined
  return sum
}

/** Adds a term in place; `false` where the sum gets too large. */
function addTerm(sum: Map<string, number>, key: string, coefficient: number): boolean {
  const total = (sum.get(key) ?? 0) + coefficient
  if (total === 0) sum.delete(key)
  else sum.set(key, total)
  return Number.isSafeInteger(total) && sum.size <= MOST_TERMS
}

export function multiply(a: Polynomial | undefined, b: Polynomial | undefined): Polynomial | undefined {
  if (a === undefined || b === undefined) return undefined
  const product = new Map<string, number>()
  for (const [x, p] of a)
    for (const [y, q] of b) {
      const key = [...splitAtoms(x), ...splitAtoms(y)].sort().join('*')
      if (!addTerm(product, key, p * q)) return undefined
    }
  return product
}

/** a / b when b is one term that divides every term of a, or when a is a multiple of b; otherwise `undefined`. */
export function divideExactly(a: Polynomial, b: Polynomial): Polynomial | undefined {
  const [[key, divisor] = ['', 0]] = b
  if (divisor === 0) return undefined
  if (b.size === 1) {
    const { quotient, rest } = divideTerms(a, key, divisor)
    return rest.size === 0 ? quotient : undefined
  }
  const factor = (a.get(key) ?? 0) / divisor
  return Number.isInteger(factor) && add(a, b, -factor)?.size === 0 ? constant(factor) : undefined
}

/** The terms of `a` that one term divides, divided; and the rest. */
function divideTerms(
  a: Polynomial,
  key: string,
  divisor: number,
): { readonly quotient: Polynomial; readonly rest: Polynomial } {
  const quotient = new Map<string, number>()
  const rest = new Map<string, number>()
  for (const [product, coefficient] of a) {
    const left = coefficient % divisor === 0 ? withoutAtoms(product, key) : undefined
    if (left === undefined) rest.set(product, coefficient)
    else quotient.set(left, coefficient / divisor)
  }
  return { quotient, rest }
}

/** A product key without the atoms of another; `undefined` where it lacks one. */
function withoutAtoms(product: string, key: string): string | undefined {
  const atoms = splitAtoms(product)
  for (const atom of splitAtoms(key)) {
    const at = atoms.indexOf(atom)
    if (at < 0) return undefined
    atoms.splice(at, 1)
  }
  return atoms.join('*')
}

/** floor(a / b); `undefined` also for a division by zero. */
export function floorDivide(a: Polynomial | undefined, b: Polynomial | undefined): Polynomial | undefined {
  if (a === undefined || b === undefined) return undefined
  const [x, y] = [constantOf(a), constantOf(b)]
  if (y === 0) return undefined
  if (x !== undefined && y !== undefined) return constant(Math.floor(x / y))
  return divideExactly(a, b) ?? divideInPart(a, b) ?? mergeQuotients(a, y) ?? apply('floordiv', a, b)
}

/** floor((q*b + r) / b) as q + floor(r / b), where q has symbols: extents that were doubled and then halved. */
function divideInPart(a: Polynomial, b: Polynomial): Polynomial | undefined {
  const [[key, divisor] = ['', 0]] = b
  if (b.size !== 1) return undefined
  const symbolic = new Map([...a].filter(([product]) => product !== ''))
  const { quotient, rest } = divideTerms(symbolic, key, divisor)
  if (quotient.size === 0) return undefined
  return add(quotient, floorDivide(add(rest, constant(a.get('') ?? 0), 1), b), 1)
}

/** floor((floor(x/k) + m) / c) as floor((x + k*m) / (k*c)), for numbers k, c > 0 and m: a chain of strided layers. */
function mergeQuotients(a: Polynomial, c: number | undefined): Polynomial | undefined {
  const terms = [...a].filter(([key]) => key !== '')
  const [[key, coefficient] = ['', 0]] = terms
  if (terms.length !== 1 || coefficient !== 1 || c === undefined || c < 0) return undefined
  const [atom, another] = splitAtoms(key)
  const inner = another === undefined ? parseCall(atom!) : undefined
  if (inner?.name !== 'floordiv' || typeof inner.b !== 'number' || inner.b < 0) return undefined
  const dividend = add(parse(inner.a), constant(a.get('') ?? 0), inner.b)
  const divisor = inner.b * c
  return Number.isSafeInteger(divisor) ? floorDivide(dividend, constant(divisor)) : undefined
}

export function extremum(
  kind: 'min' | 'max',
  a: Polynomial | undefined,
  b: Polynomial | undefined,
): Polynomial | undefined {
  if (a === undefined || b === undefined) return undefined
  const difference = add(a, b, -1)
  const distance = difference && constantOf(difference)
  if (distance !== undefined) return (kind === 'min') === distance < 0 ? a : b
  return expression(a) < expression(b) ? apply(kind, a, b) : apply(kind, b, a)
}

function apply(name: FunctionName, a: Polynomial, b: Polynomial): Polynomial | undefined {
  const text = `${name}(${expression(a)},${expression(b)})`
  return text.length > LONGEST ? undefined : new Map([[text, 1]])
}

function constant(value: number): Polynomial {
  return value === 0 ? new Map() : new Map([['', value]])
}

/** The value of a polynomial without symbols. */
export function constantOf(polynomial: Polynomial): number | undefined {
  if (polynomial.size === 0) return 0
  return polynomial.size === 1 ? polynomial.get('') : undefined
}

/** Splits a product key at its top-level `*`: quotes and parentheses hold together. */
export function splitAtoms(key: string): string[] {
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

/** A polynomial as text inside an expression, where a symbol that is no identifier is quoted. */
export function expression(polynomial: Polynomial): string {
  const rest = polynomial.get('')
  const terms = [...polynomial].filter(([key]) => key !== '').sort(([x], [y]) => (x < y ? -1 : 1))
  let text = ''
  for (const [key, coefficient] of terms) {
    const size = Math.abs(coefficient)
    text += coefficient < 0 ? '-' : text === '' ? '' : '+'
    text += size === 1 ? key : `${size}*${key}`
  }
  if (text === '') return `${rest ?? 0}`
  if (rest !== undefined) text += rest < 0 ? `${rest}` : `+${rest}`
  return text
}

/** A symbol as an atom: in quotes, and quotes in it doubled, unless it is an identifier. */
function quote(symbol: string): string {
  return /^[A-Za-z_][\w.]*$/.test(symbol) ? symbol : `"${symbol.replaceAll('"', '""')}"`
}

export function unquote(atom: string): string {
  return atom.startsWith('"') ? atom.slice(1, -1).replaceAll('""', '"') : atom
}

export function parse(dim: number | string): Polynomial {
  if (typeof dim === 'number') return constant(dim)
  if (dim.length > LONGEST) return new Map([[quote(dim), 1]])
  let polynomial = cache.get(dim)
  if (polynomial === undefined) {
    polynomial = new Parser(dim).whole() ?? new Map([[quote(dim), 1]])
    if (cache.size >= cacheLimit) cache.clear()
    cache.set(dim, polynomial)
  }
  return polynomial
}

/** The function and arguments of an atom; `undefined` for a symbol. Numbers in an expression are never symbols. */
export function parseCall(
  atom: string,
): { name: FunctionName; a: number | string; b: number | string } | undefined {
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
    else if (c === ',' && depth === 0)
      return { name, a: argument(inner.slice(0, i)), b: argument(inner.slice(i + 1)) }
  }
  throw new EspalierError('bad-argument', `not a dimension: "${atom}"`)
}

function argument(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text
}

/** Recursive descent over sums, products, numbers, symbols, quoted symbols, parentheses and the three functions. */
class Parser {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The polynomial of the whole text, or `undefined` when it is not an expression or one beyond handling. */
  whole(): Polynomial | undefined {
    if (/^ *-?\d+ *$/.test(this.#text)) return undefined // the name of an unknown extent, not an extent
    const result = this.#sum()
    this.#space()
    return this.#at === this.#text.length ? result : undefined
  }

  #sum(): Polynomial | undefined {
    if (++this.#depth > LONGEST / 3) return undefined // spare the call stack
    let result = this.#take('-') ? add(new Map(), this.#product(), -1) : this.#product()
    while (result !== undefined) {
      const sign = this.#take('+') ? 1 : this.#take('-') ? -1 : 0
      if (sign === 0) break
      result = add(result, this.#product(), sign)
    }
    this.#depth--
    return result
  }

  #product(): Polynomial | undefined {
    let result = this.#factor()
    while (result !== undefined && this.#take('*')) result = multiply(result, this.#factor())
    return result
  }

  #factor(): Polynomial | undefined {
    if (this.#take('(')) {
      const inner = this.#sum()
      return this.#take(')') ? inner : undefined
    }
    const number = this.#match(/\d+/y)
    if (number !== undefined)
      return Number.isSafeInteger(Number(number)) ? constant(Number(number)) : undefined
    const quoted = this.#match(/"(?:[^"]|"")*"/y)
    if (quoted !== undefined) return new Map([[quote(unquote(quoted)), 1]])
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
    return kind === 'floordiv' ? floorDivide(a, b) : extremum(kind, a, b)
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
