/**
 * N of every M elements of a row: each group is the number of its combination, in ceil(log2(C(M, N))) bits, lowest bit
 * first. Combinations are counted in the combinatorial number system: positions p1 < ... < pN of a group have the number
 * C(p1, 1) + ... + C(pN, N). A group with fewer than N elements stores zeros at its first free places.
 * Parameters: N, M. Rows are whole groups.
 */
import { EspalierError } from '../../../errors.ts'
import { allocate } from '../../../tensor/tensor.ts'
import { BitReader, BitWriter } from '../bits.ts'
import type { Extents, PatternCodec } from './codec.ts'
import { badParameters, wrongCount } from './malformed.ts'

/** The patterns that are looked for. */
const known: readonly (readonly [n: number, m: number])[] = [
  [1, 4],
  [2, 4],
  [4, 8],
]
/** Largest M in a file. */
const MAX_M = 16

export const nOfM: PatternCodec = {
  name: 'n:m',
  exact: false,
  plans: (positions, extents) =>
    known
      .filter(([n, m]) => fits(positions, extents, n, m))
      .map(([n, m]) => {
        const groups = (extents.rows * extents.columns) / m
        return { parameters: [n, m], bytes: Math.ceil((groups * groupBits(n, m)) / 8), stored: groups * n }
      }),
  encode(positions, { rows, columns }, [n, m]) {
    const groups = (rows * columns) / m!
    const bits = groupBits(n!, m!)
    const writer = new BitWriter(groups * bits)
    const stored = allocate('uint32', groups * n!)
    let next = 0
    for (let group = 0; group < groups; group++) {
      let places = 0
      let held = 0
      for (; next < positions.length && positions[next]! < (group + 1) * m!; next++, held++)
        places |= 1 << (positions[next]! - group * m!)
      for (let place = 0; held < n!; place++)
        if (((places >> place) & 1) === 0) {
          places |= 1 << place
          held++
        }
      let number = 0
      for (let place = 0, k = 0; k < n!; place++)
        if ((places >> place) & 1) {
          stored[group * n! + k] = group * m! + place
          number += binomial(place, ++k)
        }
      writer.write(number, bits)
    }
    return { pattern: writer.bytes, positions: stored }
  },
  decode(pattern, { rows, columns }: Extents, parameters, stored) {
    const [n = 0, m = 0] = parameters
    const possible = Number.isInteger(n) && Number.isInteger(m) && n >= 1 && n < m && m <= MAX_M
    if (!possible || parameters.length !== 2 || columns % m !== 0)
      throw badParameters('n:m', `N below M, M at most ${MAX_M} and a divisor of ${columns}`, parameters)
    const groups = (rows * columns) / m
    const bits = groupBits(n, m)
    if (stored !== groups * n) throw wrongCount(stored, groups * n)
    if (pattern.length !== Math.ceil((groups * bits) / 8)) throw wrongCount(stored, `${pattern.length} bytes`)
    const combinations = combinationsOf(n, m)
    const reader = new BitReader(pattern)
    const positions = allocate('uint32', stored)
    for (let group = 0; group < groups; group++) {
      const places = combinations[reader.read(bits)]
      if (places === undefined)
        throw new EspalierError('malformed', `a group has a combination that ${n} of ${m} does not have`)
      for (let k = 0; k < n; k++) positions[group * n + k] = group * m + places[k]!
    }
    reader.end()
    return positions
  },
}

function groupBits(n: number, m: number): number {
  return Math.ceil(Math.log2(binomial(m, n)))
}

/** Whether no group of `m` has more than `n` of `positions`. */
function fits(positions: Uint32Array, { columns }: Extents, n: number, m: number): boolean {
  if (columns === 0 || columns % m !== 0) return false
  let group = -1
  let held = 0
  for (const position of positions) {
    const own = Math.floor(position / m)
    held = own === group ? held + 1 : 1
    group = own
    if (held > n) return false
  }
  return true
}

/** The places of each combination, by its number. */
function combinationsOf(n: number, m: number): readonly (readonly number[])[] {
  const found: number[][] = new Array(binomial(m, n))
  for (let places = 0; places < 2 ** m; places++) {
    const list = Array.from({ length: m }, (_, place) => place).filter(place => (places >> place) & 1)
    if (list.length === n) found[list.reduce((sum, place, k) => sum + binomial(place, k + 1), 0)] = list
  }
  return found
}

export function binomial(n: number, k: number): number {
  let result = 1
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i
  return k > n ? 0 : Math.round(result)
}
