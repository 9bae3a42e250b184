// Whether two runtimes agree: the largest difference of an output, relative to the largest number in that output.
// Element-wise relative differences say nothing about numbers near zero among large ones, which is what networks give.

/**
 * The largest difference over all outputs, and which output it is in; infinite where the outputs differ in name,
 * shape, type, or in where they are not finite.
 */
export function largestDifference(ours, theirs) {
  let worst = { difference: 0, output: '' }
  for (const [name, expected] of theirs) {
    const got = ours.get(name)
    const same = got !== undefined && got.dtype === expected.dtype && `${got.shape}` === `${expected.shape}`
    const difference = same ? relativeDifference(got.data, expected.data) : Number.POSITIVE_INFINITY
    if (difference >= worst.difference) worst = { difference, output: name }
  }
  return worst
}

function relativeDifference(got, expected) {
  let scale = 0
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const a = Number(got[i])
    const b = Number(expected[i])
    if (Number.isFinite(b)) scale = Math.max(scale, Math.abs(b))
    if (Object.is(a, b)) continue
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY
    largest = Math.max(largest, Math.abs(a - b))
  }
  return largest === 0 ? 0 : largest / Math.max(scale, Number.MIN_VALUE)
}
