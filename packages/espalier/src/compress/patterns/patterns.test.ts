/** All patterns under the same tests; exact counts, ties, thresholds over several matrices. */
import { describe, expect, test } from 'vitest'
import { randomKey, uniform } from '../../tensor/random.ts'
import {
  blocks,
  masksFor,
  nOfM,
  type Pattern,
  patternNamed,
  patterns,
  type ScoredMatrix,
  unstructured,
} from './index.ts'
import { keepAllBut } from './select.ts'

function matrix(rows: number, columns: number, seed = 1): ScoredMatrix {
  return { rows, columns, scores: Float32Array.from(uniform(randomKey(seed), rows * columns)) }
}

const zerosIn = (mask: Uint8Array): number => mask.filter(kept => kept === 0).length
const all: readonly Pattern[] = [...patterns, blocks(2, 2), blocks(4, 4), blocks(16, 1), nOfM(3, 7)]
const shapes = [
  [8, 16],
  [5, 13],
  [1, 1],
  [3, 2],
  [0, 4],
  [4, 0],
  [1, 64],
  [64, 1],
] as const

describe.each(all)('pattern $name', pattern => {
  const own = pattern.sparsity
  test('is found by its name', () => expect(patternNamed(pattern.name).name).toBe(pattern.name))
  test.each(shapes)('%d x %d: a mask of every element, the same each time', (rows, columns) => {
    for (const sparsity of own === undefined ? [0, 0.3, 0.5, 0.99, 1] : [own]) {
      const source = matrix(rows, columns)
      const [mask] = masksFor(pattern, [source], sparsity)
      expect(mask).toHaveLength(rows * columns)
      expect(mask!.every(kept => kept === 0 || kept === 1)).toBe(true)
      expect(masksFor(pattern, [source], sparsity)[0]).toEqual(mask)
      // What is kept is of its form: a mask of the mask loses nothing more.
      const again = masksFor(pattern, [{ ...source, scores: Float32Array.from(mask!) }], sparsity)[0]!
      expect(zerosIn(again)).toBe(zerosIn(mask!))
    }
  })
  test.skipIf(own !== undefined)('none is pruned at 0, all at 1', () => {
    const source = matrix(6, 10)
    expect(zerosIn(masksFor(pattern, [source], 0)[0]!)).toBe(0)
    expect(zerosIn(masksFor(pattern, [source], 1)[0]!)).toBe(60)
  })
  test.skipIf(own !== undefined)(
    'exactly as many units are pruned as asked for, whatever ties there are',
    () => {
      const ties = { rows: 32, columns: 48, scores: new Float32Array(32 * 48).fill(0.5) }
      for (const source of [matrix(32, 48), ties])
        for (const sparsity of [0.1, 0.5, 0.8, 0.9]) {
          const units = pattern.units!(source.scores, source)
          const pruned = Math.round(sparsity * units.length)
          expect(zerosIn(masksFor(pattern, [source], sparsity)[0]!)).toBe((pruned * 32 * 48) / units.length)
        }
    },
  )
  test('refuses other sparsities', () => {
    for (const sparsity of own === undefined ? [-0.1, 1.1, Number.NaN, undefined] : [0.9, 0])
      expect(() => masksFor(pattern, [matrix(4, 4)], sparsity)).toThrow(/sparsity/)
  })
})

test('the smallest go, and of equals the first', () => {
  const scores = Float32Array.of(3, 1, 2, 1, 1, 0)
  expect([...masksFor(unstructured, [{ rows: 2, columns: 3, scores }], 0.5)[0]!]).toEqual([1, 0, 1, 0, 1, 0])
  expect([...masksFor(nOfM(2, 4), [{ rows: 1, columns: 6, scores }])[0]!]).toEqual([1, 0, 1, 0, 1, 1])
  expect([...masksFor(blocks(1, 3), [{ rows: 2, columns: 3, scores }], 0.5)[0]!]).toEqual([1, 1, 1, 0, 0, 0])
})

test('one threshold for several matrices', () => {
  const small = { rows: 2, columns: 4, scores: Float32Array.from({ length: 8 }, (_, i) => i / 100) }
  const large = { rows: 2, columns: 4, scores: Float32Array.from({ length: 8 }, (_, i) => 1 + i) }
  expect(masksFor(unstructured, [large, small], 0.5).map(zerosIn)).toEqual([0, 8])
  expect(masksFor(unstructured, [large, small], 0.75).map(zerosIn)).toEqual([4, 8])
})

test('what is not a number is kept longest', () => {
  const [kept] = keepAllBut(2, [Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY)])
  expect([...kept!]).toEqual([1, 0, 0])
})

test('names that are none', () => {
  for (const name of ['', 'block', '4:2', '0:4', '2x', '9999x1', '2:4:8'])
    expect(() => patternNamed(name)).toThrow(/there (is|are) no/)
})
