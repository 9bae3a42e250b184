// What engine.mjs prints: a line for each row, and the means of the ratios.
import { geometricMean } from './statistics.mjs'

const MIB = 2 ** 20

/** Title, width (negative: to the right), and what a row has there. */
const columns = [
  ['model', 13, row => row.model],
  ['shape', 13, row => row.shape],
  ['back end', 9, row => `${row.backend} ${row.threads}`],
  ['ours ms', -9, row => milliseconds(row.ours?.median)],
  ['p90', -8, row => milliseconds(row.ours?.p90)],
  ['peer ms', -9, row => milliseconds(row.peer?.median)],
  ['p90', -8, row => milliseconds(row.peer?.p90)],
  ['ratio', -6, row => row.ratio?.toFixed(2)],
  ['least', -6, row => row.leastRatio?.toFixed(2)],
  ['ready ms', -11, row => pair(row.cold, ({ ready }) => ready.toFixed(0))],
  ['create ms', -11, row => pair(row.cold, ({ create }) => create.toFixed(0))],
  ['file MB', -11, row => pair(row.bytes, bytes => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0))],
  ['peak MiB', -11, row => pair(row.cold, ({ peak }) => (peak / MIB).toFixed(0))],
  ['difference', -10, row => row.difference?.difference.toExponential(1)],
]

const pad = (text, width) => (width < 0 ? text.padStart(-width) : text.padEnd(width))
const milliseconds = value => value?.toFixed(value < 10 ? 3 : 1)

/** Ours and the peer's beside each other. */
function pair(sides, format) {
  if (sides === undefined) return undefined
  return ['ours', 'peer'].map(side => (sides[side] === undefined ? '-' : format(sides[side]))).join('/')
}

export const headline = () => columns.map(([title, width]) => pad(title, width)).join(' ')

export function describeRow(row) {
  const line = columns.map(([, width, value]) => pad(value(row) ?? '-', width)).join(' ')
  return row.failed === undefined ? line : `${line}  FAILED: ${row.failed}`
}

/** Geometric mean and least of the ratios, by back end and threads. Rows that failed are counted and left out. */
export function summarizeRatios(rows) {
  const groups = new Map()
  for (const row of rows) {
    const group = `${row.backend} ${row.type}, ${row.threads} ${row.threads === 1 ? 'thread' : 'threads'}`
    groups.set(group, [...(groups.get(group) ?? []), row])
  }
  return Array.from(groups, ([group, members]) => summarizeGroup(group, members))
}

function summarizeGroup(group, rows) {
  const failed = rows.filter(row => row.failed !== undefined).length
  const ratios = rows.flatMap(row => (row.failed === undefined ? (row.ratio ?? []) : []))
  const counts = `${ratios.length} compared, ${failed} failed`
  if (ratios.length === 0) return { group, failed, line: `${group}: ${counts}` }
  const mean = geometricMean(ratios)
  const least = Math.min(...ratios)
  const line = `${group}: geometric mean ${mean.toFixed(2)} x the peer, least ${least.toFixed(2)}; ${counts}`
  return { group, mean, least, compared: ratios.length, failed, line }
}
