// What a curve should not do, in words: stop growing, which is that much of the work goes and next to none of the time; or
// never reach the dense kernel.

/** Only up to this share: beyond it, what is around the multiplications is most of the time. */
const UP_TO = 0.95
/** How many times less work there is to the next point that is looked at: neighbours are too close for noisy times. */
const LESS_WORK = 1.4
/** How many times quicker that must be. */
const QUICKER = 1.08

/**
 * Flat parts of the points `{ sparsity, milliseconds, gain }` of one curve, as `{ from, to }`, those that follow each other
 * joined. Points at which the sparse kernel does not pay are not looked at.
 */
export function plateausOf(points) {
  const paying = points
    .filter(({ sparsity, gain }) => sparsity <= UP_TO && gain >= 1)
    .sort((a, b) => a.sparsity - b.sparsity)
  const found = []
  for (const point of paying) {
    const next = paying.find(({ sparsity }) => 1 - point.sparsity >= LESS_WORK * (1 - sparsity))
    if (next === undefined || point.milliseconds >= QUICKER * next.milliseconds) continue
    const last = found.at(-1)
    if (last !== undefined && last.to >= point.sparsity) last.to = next.sparsity
    else found.push({ from: point.sparsity, to: next.sparsity })
  }
  return found
}

/** Lines of text about the curves of an engine, those of single points left out. */
export function remarksOf({ name, curves }) {
  const percent = share => Math.round(100 * share)
  return curves.flatMap(({ layer, series, points }) => {
    if (points.length === 0 || new Set(points.map(({ pattern }) => pattern)).size > 1) return []
    const what = `${name}, ${layer}, ${series}:`
    const best = Math.max(...points.map(({ gain }) => gain))
    if (best < 1) return [`${what} never quicker than dense, at most ${best.toFixed(2)} of its speed`]
    return plateausOf(points).map(
      ({ from, to }) => `${what} hardly quicker at ${percent(to)} % than at ${percent(from)} %`,
    )
  })
}
