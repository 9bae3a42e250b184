/** What someone may have meant who mistyped a name. */

/** The candidate that is nearest to `word`, when it is near: a third of its letters wrong at most. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const apart = distance(word.toLowerCase(), candidate.toLowerCase())
    // At least one letter must be right.
    if (apart < least && apart < Math.max(word.length, candidate.length)) {
      best = candidate
      least = apart
    }
  }
  return best
}

/** Letters to insert, delete, replace, or swap with their neighbour, to make `b` of `a` (Damerau and Levenshtein). */
export function distance(a: string, b: string): number {
  const rows: number[][] = []
  for (let i = 0; i <= a.length; i++) {
    rows[i] = [i]
    for (let j = 1; j <= b.length; j++) {
      if (i === 0) {
        rows[i]![j] = j
        continue
      }
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      rows[i]![j] = best
    }
  }
  return rows[a.length]![b.length]!
}
