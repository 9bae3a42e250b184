import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  broadcastShapes,
  broadcastStrides,
  forEachIndex,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  sameShape,
  sizeOf,
  stridesOf,
} from './shape.ts'

const failure = (code: string) => expect.objectContaining({ name: 'EspalierError', code })
const shapes = fc.array(fc.nat(4), { maxLength: 4 })

/** All positions of `shape`, in row-major order. */
function positions(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (prefixes, extent) =>
      prefixes.flatMap(prefix => Array.from({ length: extent }, (_, i) => [...prefix, i])),
    [[]],
  )
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)

describe('sizeOf', () => {
  test.each([
    [[], 1],
    [[0], 0],
    [[2, 3, 4], 24],
    [[2 ** 30, 2 ** 22], 2 ** 52],
    [[2 ** 40, 2 ** 40, 0], 0],
  ])('of %j is %i', (shape, size) => {
    expect(sizeOf(shape)).toBe(size)
  })

  test.each([[[-1]], [[1.5]], [[Number.NaN]], [[2, Number.POSITIVE_INFINITY]]])('refuses %j', shape => {
    expect(() => sizeOf(shape)).toThrow(failure('bad-shape'))
  })

  test('refuses what cannot be addressed', () => {
    expect(() => sizeOf([2 ** 30, 2 ** 30])).toThrow(failure('too-large'))
  })
})

test('strides number the positions in row-major order', () => {
  fc.assert(
    fc.property(shapes, shape => {
      const strides = stridesOf(shape)
      expect(positions(shape).map(at => dot(at, strides))).toEqual([...Array(sizeOf(shape)).keys()])
    }),
  )
})

test('shapes compare and print', () => {
  expect(sameShape([2, 3], [2, 3])).toBe(true)
  expect(sameShape([2, 3], [3, 2])).toBe(false)
  expect(sameShape([1], [])).toBe(false)
  expect(formatShape([2, 3, 4])).toBe('2x3x4')
  expect(formatShape(['batch', null, 3])).toBe('batchx?x3')
  expect(formatShape([])).toBe('scalar')
})

describe('broadcasting', () => {
  test.each([
    [[[]], []],
    [[[], [3]], [3]],
    [
      [[2, 1], [3]],
      [2, 3],
    ],
    [
      [[1, 4], [3, 1], [1]],
      [3, 4],
    ],
    [[[0], [1]], [0]],
    [
      [[2, 1], [0]],
      [2, 0],
    ],
    [[], []],
  ])('%j gives %j', (list, expected) => {
    expect(broadcastShapes(...list)).toEqual(expected)
  })

  test.each([
    [[[2], [3]]],
    [[[0], [2]]],
    [
      [
        [2, 3],
        [3, 2],
      ],
    ],
  ])('%j does not fit', list => {
    expect(() => broadcastShapes(...list)).toThrow(failure('bad-shape'))
  })

  test('strides read the element that NumPy would', () => {
    const cases = shapes.chain(target =>
      fc.record({
        target: fc.constant(target),
        ones: fc.array(fc.boolean(), { minLength: target.length, maxLength: target.length }),
        drop: fc.nat(target.length),
      }),
    )
    fc.assert(
      fc.property(cases, ({ target, ones, drop }) => {
        const shape = target.map((extent, axis) => (ones[axis] ? 1 : extent)).slice(drop)
        const strides = broadcastStrides(shape, target)
        const own = stridesOf(shape)
        expect(broadcastShapes(shape, target)).toEqual(target)
        for (const at of positions(target)) {
          const inside = at.slice(drop).map((index, axis) => Math.min(index, shape[axis]! - 1))
          expect(dot(at, strides)).toBe(dot(inside, own))
        }
      }),
    )
  })

  test.each([
    [[3], [4]],
    [[2, 3], [3]],
    [[1, 1], [1]],
    [[2], [0]],
  ])('%j has no strides in %j', (shape, target) => {
    expect(() => broadcastStrides(shape, target)).toThrow(failure('bad-shape'))
  })
})

describe('axes', () => {
  test('count from either end', () => {
    expect([0, 2, -1, -3].map(axis => normalizeAxis(axis, 3))).toEqual([0, 2, 2, 0])
    expect(normalizeAxes([-1, 0], 3)).toEqual([0, 2])
    expect(normalizeAxes([], 0)).toEqual([])
  })

  test.each([
    [3, 3],
    [-4, 3],
    [0, 0],
    [0.5, 2],
    [Number.NaN, 2],
  ])('%f is outside rank %i', (axis, rank) => {
    expect(() => normalizeAxis(axis, rank)).toThrow(failure('bad-argument'))
  })

  test('are named once', () => {
    expect(() => normalizeAxes([0, -2], 2)).toThrow(failure('bad-argument'))
  })
})

test('forEachIndex visits every position in order, at the offsets of its strides', () => {
  const cases = shapes.chain(shape =>
    fc.tuple(
      fc.constant(shape),
      fc.array(
        fc.array(fc.integer({ min: -5, max: 5 }), { minLength: shape.length, maxLength: shape.length }),
        {
          maxLength: 3,
        },
      ),
    ),
  )
  fc.assert(
    fc.property(cases, ([shape, strides]) => {
      const visits: (readonly number[])[] = []
      forEachIndex(shape, strides, (index, offsets) => {
        expect(index).toBe(visits.length)
        visits.push([...offsets])
      })
      expect(visits).toEqual(positions(shape).map(at => strides.map(steps => dot(at, steps) + 0)))
    }),
  )
})
