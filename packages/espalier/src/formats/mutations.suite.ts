/**
 * Seeded damage to byte strings: the engine under the fuzz harness (fuzz.suite.ts). A mutant is a function of the
 * seed inputs, one number for the run and one for the case, and of nothing else, so that any case can be made
 * again alone. Everything here works on copies; seed inputs are never written to.
 */

/** A small deterministic source of choices. */
export interface Choices {
  /** An integer in [0, bound). */
  int(bound: number): number
  /** An element of a list that is not empty. */
  pick<T>(list: readonly T[]): T
}

/**
 * Damages bytes: returns new ones, or the same when it finds nothing to damage. Must not write to `bytes`.
 * `seeds` are all seed inputs of the run, for splices.
 */
export type Mutator = (bytes: Uint8Array, choices: Choices, seeds: readonly Uint8Array[]) => Uint8Array

export interface Mutant {
  readonly bytes: Uint8Array
  /** Names of the mutators that made it, in order. */
  readonly steps: readonly string[]
}

/** Mutants never grow beyond this many bytes, or twice their seed where that is more. */
const MAX_LENGTH = 1 << 17

/** The choices of one case of one run (xoshiro-like quality is not needed: a mixed 32-bit Weyl sequence). */
export function choicesOf(run: number, index: number): Choices {
  let state = mix(mix(run | 0) ^ Math.imul(index | 0, 0x9e3779b1))
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    return mix(state) >>> 0
  }
  const int = (bound: number) => Math.floor((next() / 2 ** 32) * bound)
  return { int, pick: list => list[int(list.length)]! }
}

function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return value ^ (value >>> 16)
}

/**
 * Case `index` of run `run`: one of `seeds` after one to four mutations. Where the format brings `structural`
 * mutators, half of the cases begin with one of those, and may stop there; with `structuralOnly`, there are no others.
 */
export function mutant(
  seeds: readonly Uint8Array[],
  run: number,
  index: number,
  structural: Readonly<Record<string, Mutator>> = {},
  structuralOnly = false,
): Mutant {
  const choices = choicesOf(run, index)
  const steps: string[] = []
  let bytes: Uint8Array = choices.pick(seeds)
  const limit = Math.max(MAX_LENGTH, 2 * bytes.length)
  const apply = (mutators: Readonly<Record<string, Mutator>>) => {
    const name = choices.pick(Object.keys(mutators))
    const changed = mutators[name]!(bytes, choices, seeds)
    bytes = changed.length <= limit ? changed : changed.subarray(0, limit)
    steps.push(name)
  }
  const begin = Object.keys(structural).length > 0 && (structuralOnly || choices.int(2) === 0)
  if (begin) apply(structural)
  const more = begin ? choices.int(3) : 1 + choices.pick([0, 0, 0, 1, 1, 2, 3])
  for (let step = 0; step < more; step++) apply(structuralOnly ? structural : mutators)
  return { bytes, steps }
}

/** The mutations that need no knowledge of the format. */
export const mutators: Readonly<Record<string, Mutator>> = {
  truncate: (bytes, { int }) => bytes.subarray(0, int(bytes.length)),
  'truncate the end': (bytes, { int }) => bytes.subarray(0, Math.max(0, bytes.length - 1 - int(16))),
  'drop the start': (bytes, { int }) => bytes.subarray(int(Math.min(bytes.length, 32))),
  append: (bytes, choices) => splice(bytes, bytes.length, 0, noise(choices, 1 + choices.int(64))),
  'flip bits': (bytes, { int }) =>
    edit(bytes, copy => {
      for (let flips = 1 + int(4); flips > 0; flips--) copy[int(copy.length)]! ^= 1 << int(8)
    }),
  'set a byte': (bytes, choices) => overwrite(bytes, choices, 1),
  'set 2 bytes': (bytes, choices) => overwrite(bytes, choices, 2),
  'set 4 bytes': (bytes, choices) => overwrite(bytes, choices, 4),
  'set 8 bytes': (bytes, choices) => overwrite(bytes, choices, 8),
  'set the head': (bytes, choices) => overwrite(bytes, choices, choices.pick([1, 2, 4, 8]), 32),
  'lie about a length': lieAboutLength,
  'change a numeral': changeNumeral,
  'change punctuation': changePunctuation,
  'nest deeply': (bytes, choices) => {
    const run = new Uint8Array(1 << (4 + choices.int(12))).fill(choices.pick(BRACKETS))
    return splice(bytes, choices.int(bytes.length + 1), 0, run)
  },
  insert: (bytes, choices) =>
    splice(bytes, choices.int(bytes.length + 1), 0, noise(choices, 1 + choices.int(16))),
  delete: (bytes, choices) => {
    const [start, length] = chunk(bytes, choices)
    return splice(bytes, start, length)
  },
  duplicate: (bytes, choices) => {
    const [start, length] = chunk(bytes, choices)
    return splice(bytes, start, 0, bytes.subarray(start, start + length))
  },
  repeat: (bytes, choices) => {
    const start = choices.int(bytes.length)
    const piece = bytes.subarray(start, start + 1 + choices.int(8))
    const copies = new Uint8Array(piece.length << choices.int(9))
    for (let at = 0; at < copies.length; at += piece.length) copies.set(piece, at)
    return splice(bytes, start, 0, copies)
  },
  move: (bytes, choices) => {
    const [start, length] = chunk(bytes, choices)
    const rest = splice(bytes, start, length)
    return splice(rest, choices.int(rest.length + 1), 0, bytes.subarray(start, start + length))
  },
  fill: (bytes, choices) => {
    const [start, length] = chunk(bytes, choices)
    return splice(
      bytes,
      start,
      length,
      new Uint8Array(length).fill(choices.pick([0, 0xff, choices.int(256)])),
    )
  },
  'splice two seeds': (bytes, choices, seeds) => {
    const other = choices.pick(seeds)
    const at = choices.int(bytes.length + 1)
    const from = choices.int(2) === 0 ? Math.min(at, other.length) : choices.int(other.length + 1)
    return splice(bytes, at, bytes.length - at, other.subarray(from))
  },
}

/** The ASCII brackets, which text headers nest. */
const BRACKETS = [...'[{('].map(char => char.charCodeAt(0))
const PUNCTUATION = [...'[]{}()<>\'"`,:;.=-+\\|/ \n0'].map(char => char.charCodeAt(0))
const NUMERALS = [
  ...['0', '1', '-1', '00', '127', '128', '255', '256', '65535', '65536', '2147483647', '2147483648'],
  ...[
    '4294967295',
    '4294967296',
    '4294967297',
    '9007199254740991',
    '9007199254740992',
    '18446744073709551615',
  ],
  ...['18446744073709551616', '1e308', '1e999', '1.5', 'NaN', '99999999999999999999999999999999999'],
]

/** Values at which integer arithmetic of `width` bytes tends to break. */
function boundaryValue({ int, pick }: Choices, width: number): bigint {
  const bits = BigInt(8 * width)
  const value = pick([
    0n,
    1n,
    2n,
    (1n << (bits - 1n)) - 1n,
    1n << (bits - 1n),
    (1n << bits) - 1n,
    1n << BigInt(int(8 * width)),
  ])
  return BigInt.asUintN(Number(bits), value + BigInt(pick([0, 0, 0, -1, 1])))
}

/** Overwrites `width` bytes, in either byte order, somewhere in the first `within` bytes. */
function overwrite(bytes: Uint8Array, choices: Choices, width: number, within = bytes.length): Uint8Array {
  if (bytes.length < width) return bytes
  const at = choices.int(Math.min(within, bytes.length - width + 1))
  return edit(bytes, copy => store(copy, at, width, boundaryValue(choices, width), choices.int(2) === 0))
}

/** Finds an integer that could be a length or an offset (not zero, within the file) and changes it a little or a lot. */
function lieAboutLength(bytes: Uint8Array, choices: Choices): Uint8Array {
  const width = choices.pick([1, 2, 4, 8])
  const little = choices.int(2) === 0
  for (let attempt = 0; attempt < 16 && bytes.length >= width; attempt++) {
    const at = choices.int(bytes.length - width + 1)
    const value = load(bytes, at, width, little)
    if (value === 0n || value > BigInt(bytes.length)) continue
    const lies = [
      value - 1n,
      value + 1n,
      value * 2n,
      value << 16n,
      -value,
      BigInt(bytes.length),
      BigInt(bytes.length - at),
    ]
    const lie = BigInt.asUintN(8 * width, choices.pick(lies))
    return edit(bytes, copy => store(copy, at, width, lie, little))
  }
  return bytes
}

/** Replaces a run of ASCII digits. */
function changeNumeral(bytes: Uint8Array, choices: Choices): Uint8Array {
  const found = find(bytes, choices, isDigit)
  if (found < 0) return bytes
  let [start, end] = [found, found]
  while (start > 0 && isDigit(bytes[start - 1]!)) start--
  while (end < bytes.length && isDigit(bytes[end]!)) end++
  return splice(
    bytes,
    start,
    end - start,
    Uint8Array.from(choices.pick(NUMERALS), char => char.charCodeAt(0)),
  )
}

/** Replaces, removes or doubles a character of ASCII punctuation. */
function changePunctuation(bytes: Uint8Array, choices: Choices): Uint8Array {
  const at = find(bytes, choices, byte => PUNCTUATION.includes(byte))
  if (at < 0) return bytes
  const other = choices.pick(PUNCTUATION)
  const replacement = choices.pick([[], [other], [bytes[at]!, bytes[at]!], [bytes[at]!, other]])
  return splice(bytes, at, 1, Uint8Array.from(replacement))
}

const isDigit = (byte: number) => byte >= 48 && byte <= 57

/** A position at or after a random one whose byte satisfies `test`, looking at no more than 256 bytes; or -1. */
function find(bytes: Uint8Array, { int }: Choices, test: (byte: number) => boolean): number {
  const start = int(bytes.length)
  const found = bytes.subarray(start, start + 256).findIndex(test)
  return found < 0 ? -1 : start + found
}

/** Start and length of a piece of `bytes`, mostly short. */
function chunk(bytes: Uint8Array, { int, pick }: Choices): [start: number, length: number] {
  const start = int(bytes.length)
  return [start, Math.min(bytes.length - start, 1 + int(pick([4, 16, 64, bytes.length])))]
}

function noise({ int }: Choices, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => int(256))
}

/** A changed copy; empty bytes stay as they are. */
function edit(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  if (bytes.length === 0) return bytes
  const copy = bytes.slice()
  change(copy)
  return copy
}

/** `bytes` with `remove` bytes at `start` replaced by `insert`: for mutators that know a format, too. */
export function splice(
  bytes: Uint8Array,
  start: number,
  remove: number,
  insert: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const result = new Uint8Array(bytes.length - remove + insert.length)
  result.set(bytes.subarray(0, start))
  result.set(insert, start)
  result.set(bytes.subarray(start + remove), start + insert.length)
  return result
}

function load(bytes: Uint8Array, at: number, width: number, little: boolean): bigint {
  let value = 0n
  for (let i = 0; i < width; i++) value = (value << 8n) | BigInt(bytes[little ? at + width - 1 - i : at + i]!)
  return value
}

function store(bytes: Uint8Array, at: number, width: number, value: bigint, little: boolean): void {
  for (let i = 0; i < width; i++) {
    const shift = BigInt(8 * (little ? i : width - 1 - i))
    bytes[at + i] = Number((value >> shift) & 0xffn)
  }
}
