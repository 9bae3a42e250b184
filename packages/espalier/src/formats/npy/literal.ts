/**
 * A strict reader for the subset of Python literals in which npy headers are written: dictionaries with text keys,
 * tuples, lists, text, integers, booleans, None. It builds values and runs nothing; what it does not know it refuses.
 */
import { EspalierError } from '../../errors.ts'

/** A Python literal; tuples and lists are both arrays. Integers are exact to 2^53 and refused beyond. */
export type Literal = null | boolean | number | string | readonly Literal[] | ReadonlyMap<string, Literal>

/** Deepest nesting of brackets. */
const MAX_DEPTH = 32

/** The value of `text`, which begins at byte `start` of its file. Throws `malformed`, with the place in the file. */
export function parseLiteral(text: string, start = 0): Literal {
  const cursor: Cursor = { text, start, at: 0 }
  const value = parseValue(cursor, 0)
  skipSpace(cursor)
  if (cursor.at < text.length) throw unexpected(cursor, 'the end')
  return value
}

interface Cursor {
  readonly text: string
  readonly start: number
  at: number
}

function parseValue(cursor: Cursor, depth: number): Literal {
  if (depth > MAX_DEPTH) throw unexpected(cursor, `at most ${MAX_DEPTH} nested brackets`)
  skipSpace(cursor)
  const char = cursor.text[cursor.at]
  if (char === '{') return parseDictionary(cursor, depth)
  if (char === '(') return parseTuple(cursor, depth)
  if (char === '[') return parseSequence(cursor, ']', depth).items
  if (char === "'" || char === '"' || /^[ub]['"]/.test(cursor.text.slice(cursor.at, cursor.at + 2)))
    return parseText(cursor)
  return /[A-Za-z_]/.test(char ?? '') ? parseWord(cursor) : parseInteger(cursor)
}

function parseWord(cursor: Cursor): Literal {
  const { at } = cursor
  const word = match(cursor, /\w+/y)
  if (word === 'True') return true
  if (word === 'False') return false
  if (word === 'None') return null
  cursor.at = at
  throw unexpected(cursor, 'True, False or None', word)
}

function parseDictionary(cursor: Cursor, depth: number): Literal {
  const result = new Map<string, Literal>()
  cursor.at++
  while (!take(cursor, '}')) {
    if (result.size > 0) expect(cursor, ',')
    if (result.size > 0 && take(cursor, '}')) break
    skipSpace(cursor)
    const key = parseText(cursor)
    if (result.has(key)) throw unexpected(cursor, 'keys that differ', `"${key}" twice`)
    expect(cursor, ':')
    result.set(key, parseValue(cursor, depth + 1))
  }
  return result
}

/** `(1, 2)` and `(1,)` are tuples, `(1)` is the number. */
function parseTuple(cursor: Cursor, depth: number): Literal {
  const { items, trailingComma } = parseSequence(cursor, ')', depth)
  return items.length === 1 && !trailingComma ? items[0]! : items
}

function parseSequence(
  cursor: Cursor,
  close: string,
  depth: number,
): { items: Literal[]; trailingComma: boolean } {
  const items: Literal[] = []
  cursor.at++
  for (let trailingComma = false; ; trailingComma = true) {
    if (take(cursor, close)) return { items, trailingComma }
    items.push(parseValue(cursor, depth + 1))
    if (take(cursor, close)) return { items, trailingComma: false }
    expect(cursor, ',')
  }
}

/** Text in either quotes, with an optional `u` or `b` before it (Python 2 and 3 wrote both). */
function parseText(cursor: Cursor): string {
  match(cursor, /[ub](?=['"])/y)
  const quote = match(cursor, /['"]/y)
  if (quote === undefined) throw unexpected(cursor, 'a quoted text')
  let result = ''
  for (;;) {
    const char = cursor.text[cursor.at++]
    if (char === undefined || char === '\n') throw unexpected(cursor, `a closing ${quote}`)
    if (char === quote) return result
    result += char === '\\' ? parseEscape(cursor) : char
  }
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

function parseEscape(cursor: Cursor): string {
  const hex = match(cursor, /x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}/y)
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex.slice(1), 16))
  const plain = escapes[cursor.text[cursor.at] ?? '']
  if (plain === undefined) throw unexpected(cursor, 'a known escape')
  cursor.at++
  return plain
}

/** An integer; Python 2 wrote an `L` after long ones. */
function parseInteger(cursor: Cursor): number {
  const digits = match(cursor, /-?(0|[1-9]\d*)(?![\w.])|-?(0|[1-9]\d*)(?=L\b)/y)
  if (digits === undefined) throw unexpected(cursor, 'a value')
  match(cursor, /L/y)
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw unexpected(cursor, 'an integer below 2^53', digits)
  return value
}

function skipSpace(cursor: Cursor): void {
  match(cursor, /[ \t\r\n]+/y)
}

/** Takes `char`, with spaces before it, if it is next. */
function take(cursor: Cursor, char: string): boolean {
  skipSpace(cursor)
  if (cursor.text[cursor.at] !== char) return false
  cursor.at++
  return true
}

function expect(cursor: Cursor, char: string): void {
  if (!take(cursor, char)) throw unexpected(cursor, `"${char}"`)
}

/** Takes what the sticky `pattern` matches here. */
function match(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0]
  if (found !== undefined) cursor.at += found.length
  return found
}

function unexpected(cursor: Cursor, expected: string, got?: string): EspalierError {
  const next = cursor.text.slice(cursor.at, cursor.at + 16)
  return new EspalierError('malformed', 'cannot understand the header', {
    where: { offset: cursor.start + cursor.at },
    expected,
    got: got?.slice(0, 40) ?? (next === '' ? 'the end' : JSON.stringify(next)),
  })
}
