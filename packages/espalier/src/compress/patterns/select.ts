/**
 * The smallest of many scores, exactly as many as asked for. Scores are 0 or more, so that their bit patterns as integers
 * are in their order; two passes over a histogram of half the bits find the threshold without sorting. NaN counts as
 * larger than everything and is pruned last.
 */

/**
 * For every list, 0 for those among the `count` smallest scores of all lists, 1 for the others. Of equal scores the first
 * ones in the order of the lists go first.
 */
export function keepAllBut(count: number, lists: readonly Float32Array[]): Uint8Array[] {
  const keys = lists.map(list => new Uint32Array(list.buffer, list.byteOffset, list.length))
  const [high, below] = findBin(keys, count, key => key >>> 16)
  const [low, belowLow] = findBin(keys, count - below, key => (key >>> 16 === high ? key & 0xffff : -1))
  const threshold = high * 2 ** 16 + low
  let equal = count - below - belowLow
  return keys.map(list => {
    const kept = new Uint8Array(list.length)
    for (let i = 0; i < list.length; i++) {
      const key = list[i]!
      if (key > threshold) kept[i] = 1
      else if (key === threshold && equal-- <= 0) kept[i] = 1
    }
    return kept
  })
}

/** The bin in which the `count`-th smallest key lies, and how many keys lie in the bins before it. */
function findBin(
  keys: readonly Uint32Array[],
  count: number,
  binOf: (key: number) => number,
): [bin: number, before: number] {
  const sizes = new Float64Array(2 ** 16)
  for (const list of keys)
    for (const key of list) {
      const bin = binOf(key)
      if (bin >= 0) sizes[bin]!++
    }
  let before = 0
  for (let bin = 0; bin < sizes.length; bin++) {
    if (before + sizes[bin]! >= count) return [bin, before]
    before += sizes[bin]!
  }
  return [sizes.length - 1, before]
}
