/**
 * MT19937 (Matsumoto and Nishimura 1998), seeded and read as NumPy's `RandomState` does: ONNX's cases for `Dropout`
 * are made with it, so a node with a seed drops the same elements there and here. Everything else that is random
 * uses the executor's own numbers.
 */

const length = 624
const middle = 397

/** Numbers in [0, 1) with 53 random bits, as `RandomState(seed).uniform()` gives them. Seeds count modulo 2^32. */
export function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(length)
  state[0] = seed
  for (let i = 1; i < length; i++)
    state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i
  let at = length
  const next = (): number => {
    if (at === length) {
      twist(state)
      at = 0
    }
    let y = state[at++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }
  return () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53
}

function twist(state: Uint32Array): void {
  for (let i = 0; i < length; i++) {
    const y = (state[i]! & 0x80000000) | (state[(i + 1) % length]! & 0x7fffffff)
    state[i] = state[(i + middle) % length]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
  }
}
