/**
 * Numbers and strings as the text opcodes of pickles (protocol 0) and Python 2 write them, and the character
 * sets that both kinds of opcodes use.
 */
import { EspalierError } from '../../../errors.ts'

/** Longest decimal integer, in digits: conversion takes quadratic time. Python's own limit. */
const MAX_DIGITS = 4300

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function malformed(summary: string, got?: string): EspalierError {
  return new EspalierError('malformed', summary, got === undefined ? {} : { got: got.slice(0, 80) })
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw malformed('the pickle holds text that is not UTF-8')
  }
}

/** Text of bytes that each are a character (Latin-1). */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096))
  return text
}

/** An integer as a number where that is exact, otherwise as a bigint. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** The argument of INT and LONG: a decimal integer, in LONG with an `L` behind it. */
export function parseInteger(line: Uint8Array): number | bigint {
  const text = decodeLatin1(line)
  const digits = /^\s*([+-]?\d+)L?\s*$/.exec(text)?.[1]
  if (digits === undefined) throw malformed('the pickle has something else for an integer', text)
  if (digits.length > MAX_DIGITS)
    throw new EspalierError('too-large', `the pickle holds an integer of ${digits.length} digits`)
  return narrow(BigInt(digits.replace('+', '')))
}

/** The argument of FLOAT: Python's way to write a number. */
export function parseFloat64(line: Uint8Array): number {
  const text = decodeLatin1(line).trim()
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special === null) throw malformed('the pickle has something else for a number', text)
  const value = /nan/i.test(text) ? Number.NaN : Number.POSITIVE_INFINITY
  return special[1] === '-' ? -value : value
}

/** The argument of STRING: a Python 2 string literal, as the bytes it stands for. */
export function parseQuoted(line: Uint8Array): Uint8Array {
  const text = decodeLatin1(line).trim()
  const [, quote, body] = /^(['"])(.*)\1$/s.exec(text) ?? []
  if (quote === undefined || body === undefined)
    throw malformed('the pickle has a string without quotes', text)
  const plain = body.replace(/\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|([\s\S])|$)/g, (all, hex, octal, char) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255)
    if (char === undefined || char === 'x')
      throw malformed('the pickle has a broken escape in a string', text)
    return ESCAPES.get(char) ?? all
  })
  return Uint8Array.from(plain, char => char.charCodeAt(0))
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\n', ''],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
])

/** The argument of UNICODE: Latin-1 with `\uXXXX` and `\UXXXXXXXX`. */
export function parseRawUnicode(line: Uint8Array): string {
  return decodeLatin1(line).replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short, long) => {
    const point = Number.parseInt(short ?? long, 16)
    if (point > 0x10ffff) throw malformed('the pickle has an escape that is not Unicode')
    return String.fromCodePoint(point)
  })
}

/** A Python 2 string, which is bytes: text where it is UTF-8, as PyTorch reads it, otherwise the bytes. */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes)
  } catch {
    return bytes
  }
}
