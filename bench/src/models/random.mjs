// Seeded random numbers for weights and inputs, quick enough for the hundred million weights of a language model.
// Only for benchmarks: the stream is that of mulberry32, which passes for noise and no more.

/** Numbers in [0, 1), the same for the same seed. */
export function randomSource(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Float32 numbers around `mean` with standard deviation `deviation`, roughly normal: each the sum of four uniform
 * ones, so none is further away than 3.5 deviations. Uniform weights would be harder to quantise than real ones.
 */
export function randomFloats(source, count, deviation = 1, mean = 0) {
  const width = deviation * Math.sqrt(3)
  const out = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    const a = source()
    const b = source()
    out[i] = mean + width * (a + b + fraction(a * 65536) + fraction(b * 65536) - 2)
  }
  return out
}

/** What the lower half of a number's bits makes: as good as another random number. */
const fraction = value => value - Math.floor(value)

/** Integers in [0, bound), in an array of the given kind. */
export function randomIntegers(source, count, bound, array = BigInt64Array) {
  const number = array === BigInt64Array ? BigInt : Number
  return array.from({ length: count }, () => number(Math.floor(source() * bound)))
}
