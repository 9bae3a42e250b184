import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluateDim } from '../../graph/dim.ts'
import { atLeast, notNegative } from './bounds.ts'
import { slicedExtent, sliceOf } from './slicing.ts'

const bound = fc.oneof(
  fc.integer({ min: -7, max: 7 }),
  fc.constantFrom(2 ** 31 - 1, -(2 ** 31), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
)

/** Positions by stepping along, without any arithmetic on bounds but the clamping of the specification. */
function walk(extent: number, start: number, end: number, step: number): number[] {
  const clamp = (at: number, low: number, high: number): number => Math.min(Math.max(at, low), high)
  const positions: number[] = []
  let at = clamp(start < 0 ? start + extent : start, 0, step > 0 ? extent : extent - 1)
  const stop = clamp(end < 0 ? end + extent : end, step > 0 ? 0 : -1, step > 0 ? extent : extent - 1)
  for (; step > 0 ? at < stop : at > stop; at += step) positions.push(at)
  return positions
}

describe('a slice of numbers', () => {
  test('takes the positions one meets on the way', () => {
    const step = fc.constantFrom(1, 2, 3, -1, -2, -5)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), bound, bound, step, (extent, start, end, by) => {
        const { first, count } = sliceOf(extent, start, end, by)
        expect(Array.from({ length: count }, (_, i) => first + i * by)).toEqual(walk(extent, start, end, by))
        expect(slicedExtent(extent, start, end, by)).toBe(count)
      }),
    )
  })
})

describe('a slice of a symbolic extent', () => {
  test('is what it is for every number', () => {
    fc.assert(
      fc.property(
        bound,
        bound,
        fc.constantFrom(1, 2),
        fc.integer({ min: 1, max: 9 }),
        (start, end, step, n) => {
          const extent = slicedExtent('n', start, end, step)
          expect(evaluateDim(extent, new Map([['n', n]]))).toBe(sliceOf(n, start, end, step).count)
        },
      ),
    )
  })

  test.each([
    ['n', 0, 2 ** 31 - 1, 1, 'n'],
    ['n', 1, 10 ** 9, 1, 'n-1'],
    ['n', 0, -1, 1, 'n-1'],
    ['n', -1, 2 ** 63, 1, 1],
    ['n', 0, 1, 1, 1],
    ['n', 0, 512, 1, 'min(512,n)'],
    ['n', 2, 2 ** 31 - 1, 1, 'max(0,n-2)'],
    ['n', 0, -2, 1, 'max(0,n-2)'],
    ['2*n', 0, 2 ** 31 - 1, 2, 'n'],
    ['n', -1, -(2 ** 63), -1, 'n'],
    [1024, 'p', 'n+p', 1, 'n'],
    ['m', '-n', 2 ** 31 - 1, 1, 'n'],
    ['n', null, 3, 1, null],
    ['n', 3, 0, -1, null],
  ])('%s from %s to %s by %s is %s', (extent, start, end, step, wanted) => {
    expect(slicedExtent(extent, start, end, step)).toBe(wanted)
  })
})

test.each([
  ['n', 1, true],
  ['n', 2, false],
  ['batch size', 1, true],
  ['n-1', 0, true],
  ['n-2', 0, false],
  ['2*n+m-3', 0, true],
  ['n-m', 0, false],
  ['2*n-3*m+9', 0, false],
  ['floordiv(n,2)', 0, true],
  ['floordiv(n,2)', 1, false],
  ['floordiv(n,m)', 0, false],
  ['min(4,n)', 1, true],
  [null, 0, false],
  [3, 3, true],
])('%s is at least %s: %s', (dim, least, wanted) => {
  expect(atLeast(dim, least)).toBe(wanted)
  if (least === 0) expect(notNegative(dim) === dim).toBe(wanted || dim === null)
})
