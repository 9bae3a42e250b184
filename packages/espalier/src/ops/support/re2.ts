/**
 * Regular expressions in the syntax of RE2 (github.com/google/re2/wiki/Syntax), matched against whole
 * strings. A pattern becomes a Thompson automaton whose states are advanced together, so that the time is
 * linear in the text whatever the pattern is: no backtracking, as RE2 promises. Only whether a string matches
 * is asked, so that groups and greediness mean nothing. Strings are sequences of Unicode code points; `\C` (a
 * single byte) is not supported.
 */
import { EspalierError } from '../../errors.ts'

/** A pattern, ready to match. */
export interface FullMatcher {
  /** Whether the pattern matches all of `text`. */
  matches(text: string): boolean
}

/** Reads `pattern`. Throws `bad-argument` when it is not RE2 syntax, `unsupported` for `\C`, `too-large`. */
export function fullMatcher(pattern: string): FullMatcher {
  const program = compile(new PatternParser(pattern).whole())
  return { matches: text => run(program, text) }
}

// ---- syntax tree

type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'boundary' | 'no-boundary'
type Test = (codePoint: string) => boolean

type Syntax =
  | { readonly kind: 'empty' }
  | { readonly kind: 'character'; readonly test: Test }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Syntax[] }
  | { readonly kind: 'repeat'; readonly part: Syntax; readonly min: number; readonly max: number }

interface Flags {
  /** Case is ignored. */
  readonly i: boolean
  /** `^` and `$` match at lines. */
  readonly m: boolean
  /** `.` matches line feed. */
  readonly s: boolean
  /** Greediness is swapped; without meaning here. */
  readonly U: boolean
}

const perlClasses: Readonly<Record<string, string>> = {
  d: '0-9',
  s: '\\t\\n\\f\\r ',
  w: '0-9A-Za-z_',
}

const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\x2f:-@\\x5b-`\\x7b-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

const assertions: Readonly<Record<string, Assertion>> = {
  A: 'text-start',
  z: 'text-end',
  b: 'boundary',
  B: 'no-boundary',
}

const simpleEscapes: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

/** RE2's limit on counted repetition, nested ones multiplied. */
const mostRepetitions = 1000
const deepestNesting = 500
/** States of an automaton; counted repetition multiplies them. */
const mostStates = 200_000

function quoteCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`
}

function isProperty(property: string): boolean {
  if (!/^[\w=]+$/.test(property)) return false
  try {
    new RegExp(`\\p{${property}}`, 'u')
    return true
  } catch {
    return false
  }
}

/** Recursive descent over RE2's syntax. */
class PatternParser {
  readonly #pattern: string
  readonly #characters: readonly string[]
  #at = 0
  #depth = 0
  #flags: Flags = { i: false, m: false, s: false, U: false }

  constructor(pattern: string) {
    this.#pattern = pattern
    this.#characters = Array.from(pattern)
  }

  whole(): Syntax {
    const syntax = this.#choice()
    if (this.#at < this.#characters.length) throw this.#error('a parenthesis is not opened')
    return syntax
  }

  #choice(): Syntax {
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }

  #sequence(): Syntax {
    const parts: Syntax[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      if (this.#takeText('\\Q')) parts.push(...this.#quoted())
      else parts.push(this.#repeated(this.#atom()))
    }
    return { kind: 'sequence', parts }
  }

  /** Literal text up to `\E`. Its last character may be repeated. */
  #quoted(): Syntax[] {
    const parts: Syntax[] = []
    while (this.#at < this.#characters.length && !this.#takeText('\\E'))
      parts.push(this.#literal(this.#next()))
    const last = parts.pop()
    return last === undefined ? [] : [...parts, this.#repeated(last)]
  }

  #repeated(atom: Syntax): Syntax {
    const bounds = this.#repetition()
    if (bounds === undefined) return atom
    this.#take('?')
    if (this.#repetition() !== undefined) throw this.#error('a repetition is repeated')
    return { kind: 'repeat', part: atom, ...bounds }
  }

  #repetition(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    // Braces that are no repetition are literal.
    const match = /^\{(\d+)(,(\d*))?\}/.exec(this.#characters.slice(this.#at, this.#at + 32).join(''))
    if (match === null) return undefined
    this.#at += match[0].length
    const min = Number(match[1])
    const max = match[2] === undefined ? min : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])
    if (max < min || min > mostRepetitions || (Number.isFinite(max) && max > mostRepetitions))
      throw this.#error(`a repetition is not within 0 to ${mostRepetitions}`)
    return { min, max }
  }

  #atom(): Syntax {
    const character = this.#next()
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return this.#class()
      case '.':
        return { kind: 'character', test: this.#flags.s ? () => true : c => c !== '\n' }
      case '^':
        return { kind: 'assertion', assertion: this.#flags.m ? 'line-start' : 'text-start' }
      case '$':
        return { kind: 'assertion', assertion: this.#flags.m ? 'line-end' : 'text-end' }
      case '*':
      case '+':
      case '?':
        throw this.#error('nothing is repeated')
      case '\\':
        return this.#escape()
      default:
        return this.#literal(character)
    }
  }

  #group(): Syntax {
    const outer = this.#flags
    if (this.#take('?')) {
      if (this.#takeText('P<') || this.#take('<')) {
        const name = this.#until('>')
        if (!/^\w+$/.test(name)) throw this.#error('a group has a bad name')
      } else if (this.#readFlags() === ')') return { kind: 'empty' } // holds to the end of the group around
    }
    if (++this.#depth > deepestNesting) throw this.#error('groups are nested too deeply')
    const inner = this.#choice()
    this.#depth--
    if (!this.#take(')')) throw this.#error('a parenthesis is not closed')
    this.#flags = outer
    return inner
  }

  /** Reads `i-s:` or `i-s)` and sets the flags; gives the character that ends them. */
  #readFlags(): string {
    let value = true
    for (;;) {
      const flag = this.#next()
      if (flag === ':' || flag === ')') return flag
      if (flag === '-' && value) value = false
      else if (flag === 'i' || flag === 'm' || flag === 's' || flag === 'U')
        this.#flags = { ...this.#flags, [flag]: value }
      else throw this.#error('a group begins with an unknown flag')
    }
  }

  #escape(): Syntax {
    const letter = this.#peek()
    const assertion = assertions[letter ?? '']
    if (assertion !== undefined) {
      this.#at++
      return { kind: 'assertion', assertion }
    }
    if (letter === 'C')
      throw new EspalierError('unsupported', 'single bytes in a regular expression', {
        expected: 'a pattern without \\C',
        got: this.#pattern,
      })
    const test = this.#escapedSet()
    return test === undefined ? this.#literal(this.#escapedCharacter()) : { kind: 'character', test }
  }

  /** After a backslash: a Perl or Unicode class, if it is one. */
  #escapedSet(): Test | undefined {
    const letter = this.#peek()
    if (letter === undefined) return undefined
    const perl = perlClasses[letter.toLowerCase()]
    if (perl !== undefined) {
      this.#at++
      return this.#test(perl, letter !== letter.toLowerCase())
    }
    if (letter !== 'p' && letter !== 'P') return undefined
    this.#at++
    const written = this.#take('{') ? this.#until('}') : this.#next()
    const name = written.replace(/^\^/, '')
    const negated = (letter === 'P') !== written.startsWith('^')
    if (name === 'Any') return () => !negated
    const property = /^[CLMNPSZ][a-z]?$/.test(name) ? name : `Script=${name}`
    if (!isProperty(property)) throw this.#error(`"${name}" is no Unicode category or script`)
    return this.#test(`\\p{${property}}`, negated)
  }

  #escapedCharacter(): string {
    if (this.#at >= this.#characters.length) throw this.#error('the pattern ends in a backslash')
    const letter = this.#next()
    const simple = simpleEscapes[letter]
    if (simple !== undefined) return String.fromCodePoint(simple)
    if (letter === 'x') {
      const digits = this.#take('{') ? this.#until('}') : this.#next() + this.#next()
      if (!/^[0-9A-Fa-f]{1,8}$/.test(digits) || Number.parseInt(digits, 16) > 0x10ffff)
        throw this.#error('a hexadecimal escape is not a code point')
      return String.fromCodePoint(Number.parseInt(digits, 16))
    }
    if (/[0-7]/.test(letter)) {
      // \0 to \077 and \1nn; a single digit above 0 would be a back-reference, which RE2 does not have.
      let digits = letter
      while (digits.length < 3 && /[0-7]/.test(this.#peek() ?? '')) digits += this.#next()
      if (digits.length > 1 || digits === '0') return String.fromCodePoint(Number.parseInt(digits, 8))
      throw this.#error('back-references do not exist')
    }
    if (/[0-9A-Za-z]/.test(letter)) throw this.#error(`"\\${letter}" means nothing`)
    return letter
  }

  #class(): Syntax {
    const negated = this.#take('^')
    const tests: Test[] = []
    // A closing bracket that comes first is literal.
    do tests.push(this.#classItem())
    while (this.#peek() !== ']')
    this.#at++
    return { kind: 'character', test: c => tests.some(test => test(c)) !== negated }
  }

  #classItem(): Test {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#characters.slice(this.#at, this.#at + 16).join(''))
    if (posix !== null) {
      const set = Object.hasOwn(posixClasses, posix[2]!) ? posixClasses[posix[2]!] : undefined
      if (set === undefined) throw this.#error(`"${posix[0]}" is no character class`)
      this.#at += posix[0].length
      return this.#test(set, posix[1] === '^')
    }
    const low = this.#classPart()
    if (typeof low === 'function') return low
    // A minus before the closing bracket is literal.
    if (this.#peek() !== '-' || this.#peek(1) === ']') return this.#test(quoteCharacter(low))
    this.#at++
    const high = this.#classPart()
    if (typeof high === 'function' || high.codePointAt(0)! < low.codePointAt(0)!)
      throw this.#error('a range of characters is not in order')
    return this.#test(`${quoteCharacter(low)}-${quoteCharacter(high)}`)
  }

  /** One character of a class, or a whole set. */
  #classPart(): string | Test {
    if (!this.#take('\\')) return this.#next()
    return this.#escapedSet() ?? this.#escapedCharacter()
  }

  #literal(character: string): Syntax {
    const test = this.#flags.i
      ? this.#test(quoteCharacter(character))
      : (c: string): boolean => c === character
    return { kind: 'character', test }
  }

  /** Membership in a set, given as the inside of a JavaScript character class. */
  #test(inside: string, negated = false): Test {
    const expression = new RegExp(`^[${inside}]$`, this.#flags.i ? 'iu' : 'u')
    return c => expression.test(c) !== negated
  }

  #peek(ahead = 0): string | undefined {
    return this.#characters[this.#at + ahead]
  }

  #next(): string {
    const character = this.#characters[this.#at]
    if (character === undefined) throw this.#error('the pattern ends too early')
    this.#at++
    return character
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false
    this.#at++
    return true
  }

  #takeText(text: string): boolean {
    if (!Array.from(text).every((character, ahead) => this.#peek(ahead) === character)) return false
    this.#at += text.length
    return true
  }

  #until(end: string): string {
    let text = ''
    for (let character = this.#next(); character !== end; character = this.#next()) text += character
    return text
  }

  #error(problem: string): EspalierError {
    return new EspalierError('bad-argument', `not a regular expression: ${problem}`, {
      expected: 'RE2 syntax',
      got: `${this.#pattern} (at character ${this.#at})`,
    })
  }
}

// ---- automaton

type State =
  | { readonly kind: 'character'; readonly test: Test; readonly next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'match' }

interface Program {
  readonly states: readonly State[]
  readonly start: number
}

function compile(syntax: Syntax): Program {
  const states: State[] = [{ kind: 'match' }]
  const add = (state: State): number => {
    if (states.length >= mostStates)
      throw new EspalierError('too-large', 'a regular expression repeats too much', {
        expected: `at most ${mostStates} states`,
      })
    return states.push(state) - 1
  }
  /** Adds what matches `part` and then goes on at `next`; gives its first state. */
  const emit = (part: Syntax, next: number): number => {
    switch (part.kind) {
      case 'empty':
        return next
      case 'character':
        return add({ kind: 'character', test: part.test, next })
      case 'assertion':
        return add({ kind: 'assertion', assertion: part.assertion, next })
      case 'sequence':
        return part.parts.reduceRight((after, one) => emit(one, after), next)
      case 'choice':
        return part.parts
          .map(one => emit(one, next))
          .reduce((other, first) => add({ kind: 'split', next: first, other }))
      case 'repeat':
        return repeat(part.part, part.min, part.max, next)
    }
  }
  const repeat = (part: Syntax, min: number, max: number, next: number): number => {
    let first = next
    if (max === Number.POSITIVE_INFINITY) {
      first = add({ kind: 'split', next, other: next })
      const loop = states[first] as { other: number }
      loop.other = emit(part, first)
    } else
      for (let optional = min; optional < max; optional++)
        first = add({ kind: 'split', next: emit(part, first), other: next })
    for (let needed = 0; needed < min; needed++) first = emit(part, first)
    return first
  }
  const start = emit(syntax, 0)
  return { states, start }
}

function run({ states, start }: Program, text: string): boolean {
  const characters = Array.from(text)
  /** The position at which a state was last entered: each is entered once a position. */
  const entered = new Int32Array(states.length).fill(-1)
  let current: number[] = []
  const enter = (from: number, position: number): void => {
    const pending = [from]
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (entered[index] === position) continue
      entered[index] = position
      const state = states[index]!
      if (state.kind === 'split') pending.push(state.other, state.next)
      else if (state.kind !== 'assertion') current.push(index)
      else if (holds(state.assertion, characters[position - 1], characters[position]))
        pending.push(state.next)
    }
  }
  enter(start, 0)
  for (const [position, character] of characters.entries()) {
    const before = current
    current = []
    for (const index of before) {
      const state = states[index]!
      if (state.kind === 'character' && state.test(character)) enter(state.next, position + 1)
    }
    if (current.length === 0) return false
  }
  return current.includes(0)
}

/** Whether an assertion holds between two characters; `undefined` is an end of the text. */
function holds(assertion: Assertion, before: string | undefined, after: string | undefined): boolean {
  switch (assertion) {
    case 'text-start':
      return before === undefined
    case 'text-end':
      return after === undefined
    case 'line-start':
      return before === undefined || before === '\n'
    case 'line-end':
      return after === undefined || after === '\n'
    case 'boundary':
      return isWord(before) !== isWord(after)
    case 'no-boundary':
      return isWord(before) === isWord(after)
  }
}

const isWord = (character: string | undefined): boolean =>
  character !== undefined && /^[0-9A-Za-z_]$/.test(character)
