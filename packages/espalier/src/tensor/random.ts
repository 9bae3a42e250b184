/**
 * Seeded random numbers without state, in the manner of JAX: a key is plain data, a function of a key gives
 * always the same numbers, and independence comes from deriving keys (`split`, `foldIn`). Element i of a stream
 * depends on the key and i alone, so results do not change with chunks or threads. A key is spent by one draw: two
 * draws from the same key share their bits. Keys are 64 bits: enough for experiments, not for secrets.
 *
 * Layout of the Philox counter, for whoever computes the same stream elsewhere: words 0 and 1 are the block (lower
 * half first), word 2 counts rejected attempts, word 3 says what for (`Purpose`). A block gives elements 2b and 2b + 1.
 */
import { EspalierError } from '../errors.ts'
import { philox } from './random-philox.ts'
import { type Shape, sizeOf } from './shape.ts'
import { allocate } from './tensor.ts'

/** A key: two uint32. */
export type RandomKey = readonly [number, number]

const Purpose = { draw: 0, split: 1, foldIn: 2 } as const

/** The key of a seed: an integer, of at most 64 bits when it is a bigint. Seeds that differ modulo 2^64 give other keys. */
export function randomKey(seed: number | bigint): RandomKey {
  const fits =
    typeof seed === 'bigint' ? seed >= -(2n ** 63n) && seed < 2n ** 64n : Number.isSafeInteger(seed)
  if (!fits)
    throw new EspalierError('bad-argument', 'not a seed', {
      expected: 'an integer below 2^53, or a bigint of at most 64 bits',
      got: String(seed),
    })
  return wordsOf(seed)
}

/** `count` keys (at most 2^20), independent of each other and of draws from `key`. Key i does not depend on `count`. */
export function split(key: RandomKey, count = 2): RandomKey[] {
  checkCount(count, 2 ** 20)
  return Array.from({ length: count }, (_, index) => derive(key, Purpose.split, index))
}

/** A key independent of `key`, one for each integer `data`: a step, a layer, a worker. */
export function foldIn(key: RandomKey, data: number): RandomKey {
  if (!Number.isSafeInteger(data))
    throw new EspalierError('bad-argument', 'only integers are folded into a key', { got: String(data) })
  return derive(key, Purpose.foldIn, data)
}

function derive(key: RandomKey, purpose: number, data: number): RandomKey {
  const [k0, k1] = checkKey(key)
  const [low, high] = wordsOf(data)
  const words = new Uint32Array(4)
  philox(low, high, 0, purpose, k0, k1, words)
  return [words[0]!, words[1]!]
}

/** Lower and upper half of a 64-bit integer. */
function wordsOf(value: number | bigint): RandomKey {
  const bits = BigInt.asUintN(64, BigInt(value))
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)]
}

function checkKey(key: RandomKey): RandomKey {
  const valid = Array.isArray(key) && key.length === 2 && key.every(word => word >>> 0 === word)
  if (valid) return key
  throw new EspalierError('bad-argument', 'not a random key', {
    expected: 'two integers from 0 to 2^32 - 1',
    got: JSON.stringify(key) ?? 'undefined',
    hint: 'randomKey(seed) makes one',
  })
}

/** Gives the 53-bit integer at an index of the stream of a key, and others for the same index at later attempts. */
type Draw = (index: number, attempt?: number) => number

/** Keeps the block it computed last, so that going through neighbours costs half a block each. */
function drawFrom(key: RandomKey): Draw {
  const [k0, k1] = checkKey(key)
  const words = new Uint32Array(4)
  let block = -1
  let tried = 0
  return (index, attempt = 0) => {
    const wanted = Math.floor(index / 2)
    if (wanted !== block || attempt !== tried) {
      philox(wanted >>> 0, Math.floor(wanted / 2 ** 32), attempt, Purpose.draw, k0, k1, words)
      block = wanted
      tried = attempt
    }
    const at = index % 2 === 0 ? 0 : 2
    return (words[at]! >>> 5) * 2 ** 26 + (words[at + 1]! >>> 6)
  }
}

/** An integer in [0, bound), every one equally likely: draws from the incomplete last multiple of `bound` are rejected. */
function drawBelow(draw: Draw, index: number, bound: number): number {
  const limit = 2 ** 53 - (2 ** 53 % bound)
  for (let attempt = 0; ; attempt++) {
    const value = draw(index, attempt)
    if (value < limit) return value % bound
  }
}

/** Room for a number of elements, or for a shape. */
function storage(size: number | Shape): Float64Array {
  return allocate('float64', sizeOf(typeof size === 'number' ? [size] : size))
}

/** Fills `out` with elements `offset`, `offset` + 1, ... of the uniform stream of `key`: multiples of 2^-53 in [0, 1). */
export function fillUniform(key: RandomKey, out: Float64Array, offset = 0): void {
  checkOffset(offset, out.length)
  const draw = drawFrom(key)
  for (let i = 0; i < out.length; i++) out[i] = draw(offset + i) * 2 ** -53
}

/** Numbers uniform in [0, 1): `size` of them, or as many as fill that shape, in row-major order. */
export function uniform(key: RandomKey, size: number | Shape): Float64Array {
  const out = storage(size)
  fillUniform(key, out)
  return out
}

/** Fills `out` with elements `offset`, `offset` + 1, ... of the normal stream of `key`. */
export function fillNormal(key: RandomKey, out: Float64Array, offset = 0): void {
  checkOffset(offset, out.length)
  const draw = drawFrom(key)
  for (let i = 0; i < out.length; i++) out[i] = normalAt(draw, offset + i)
}

/**
 * Normal numbers of mean 0 and variance 1: `size` of them, or as many as fill that shape, in row-major order. Their last
 * bits can differ between JavaScript engines, whose `Math` functions do.
 */
export function normal(key: RandomKey, size: number | Shape): Float64Array {
  const out = storage(size)
  fillNormal(key, out)
  return out
}

/** Box and Muller's transform: a block is a point, of which even indices take one coordinate and odd ones the other. */
function normalAt(draw: Draw, index: number): number {
  const even = index - (index % 2)
  const radius = Math.sqrt(-2 * Math.log(1 - draw(even) * 2 ** -53))
  const angle = 2 * Math.PI * (draw(even + 1) * 2 ** -53)
  return radius * (index === even ? Math.cos(angle) : Math.sin(angle))
}

/**
 * Integers from `low` up to, but not including, `high`, every one equally likely: `size` of them, or as many as fill that
 * shape. Throws `bad-argument` for an empty range and for one that leaves the safe integers.
 */
export function integers(key: RandomKey, low: number, high: number, size: number | Shape): Float64Array {
  const bound = high - low
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || !Number.isSafeInteger(bound) || bound < 1)
    throw new EspalierError('bad-argument', 'not a range of integers', {
      expected: 'integers low < high, less than 2^53 apart',
      got: `${low} and ${high}`,
    })
  const out = storage(size)
  const draw = drawFrom(key)
  for (let i = 0; i < out.length; i++) out[i] = low + drawBelow(draw, i, bound)
  return out
}

/** The numbers 0 to `count` - 1 in random order, every order equally likely (Fisher and Yates). `count` is below 2^32. */
export function permutation(key: RandomKey, count: number): Uint32Array {
  checkCount(count, 2 ** 32 - 1)
  const draw = drawFrom(key)
  const order = allocate('uint32', count)
  for (let i = 0; i < count; i++) order[i] = i
  for (let i = count - 1; i > 0; i--) {
    const j = drawBelow(draw, i, i + 1)
    const taken = order[i]!
    order[i] = order[j]!
    order[j] = taken
  }
  return order
}

/** A function that gives the elements of `uniform(key, ...)` one after the other. */
export function generator(key: RandomKey): () => number {
  const draw = drawFrom(key)
  let index = 0
  return () => draw(index++) * 2 ** -53
}

function checkCount(count: number, most: number): void {
  if (!Number.isInteger(count) || count < 0 || count > most)
    throw new EspalierError('bad-argument', 'not a count', {
      where: { field: 'count' },
      expected: `an integer from 0 to ${most}`,
      got: String(count),
    })
}

function checkOffset(offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(offset + length))
    throw new EspalierError('bad-argument', 'not a position in a random stream', {
      where: { field: 'offset' },
      expected: 'an integer from 0 to 2^53',
      got: String(offset),
    })
}
