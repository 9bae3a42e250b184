// Figures of a list of measurements.

/** The value below which the given share (0 to 1) of the values lies: the nearest one that was measured. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}

export const median = values => quantile(values, 0.5)

/** Milliseconds of many runs in short. */
export function summarize(times) {
  return { median: median(times), p90: quantile(times, 0.9), least: Math.min(...times), runs: times.length }
}

export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}
