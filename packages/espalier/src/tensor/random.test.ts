import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fillNormal,
  fillUniform,
  foldIn,
  generator,
  integers,
  normal,
  permutation,
  type RandomKey,
  randomKey,
  split,
  uniform,
} from './random.ts'

const failure = (code: string) => expect.objectContaining({ name: 'EspalierError', code })
const key = randomKey(2024)
const COUNT = 100_000

const sum = (values: Iterable<number>) => {
  let total = 0
  for (const value of values) total += value
  return total
}
const mean = (values: Float64Array) => sum(values) / values.length
const moment = (values: Float64Array, power: number) => mean(values.map(value => value ** power))

/** The correlation of two samples in units of its standard deviation under independence. */
function correlation(x: Float64Array, y: Float64Array): number {
  const [mx, my] = [mean(x), mean(y)]
  const covariance = mean(x.map((value, i) => (value - mx) * (y[i]! - my)))
  const [vx, vy] = [mean(x.map(value => (value - mx) ** 2)), mean(y.map(value => (value - my) ** 2))]
  return (covariance / Math.sqrt(vx * vy)) * Math.sqrt(x.length)
}

/** The chi-square statistic of equally likely cells, in standard deviations from its mean. */
function chiSquare(cells: Iterable<number>, cellCount: number): number {
  const counts = new Array<number>(cellCount).fill(0)
  for (const cell of cells) counts[cell]!++
  const expected = sum(counts) / cellCount
  const statistic = sum(counts.map(count => (count - expected) ** 2 / expected))
  return (statistic - (cellCount - 1)) / Math.sqrt(2 * (cellCount - 1))
}

/** Kolmogorov and Smirnov's statistic times sqrt(n); above 1.95 once in a thousand times. */
function kolmogorov(values: Float64Array, distribution: (value: number) => number): number {
  const n = values.length
  const gaps = values.toSorted().map((value, i) => {
    const at = distribution(value)
    return Math.max(at - i / n, (i + 1) / n - at)
  })
  return gaps.reduce((a, b) => Math.max(a, b)) * Math.sqrt(n)
}

/** The normal distribution function, by the series of Abramowitz and Stegun 26.2.10. */
function normalDistribution(x: number): number {
  let term = x
  let total = 0
  for (let k = 0; Math.abs(term) > 1e-17 * Math.abs(total) && k < 500; k++) {
    total += term / (2 * k + 1)
    term *= -(x * x) / (2 * (k + 1))
  }
  return 0.5 + total / Math.sqrt(2 * Math.PI)
}

/** `count` elements filled in pieces whose ends lie at `cuts`. */
function inPieces(fill: typeof fillUniform, count: number, cuts: readonly number[]): Float64Array {
  const out = new Float64Array(count)
  const ends = [0, ...cuts.map(cut => cut % count).sort((a, b) => a - b), count]
  for (let i = 1; i < ends.length; i++) fill(key, out.subarray(ends[i - 1], ends[i]), ends[i - 1])
  return out
}

describe('keys', () => {
  test('are the words of the seed', () => {
    expect(randomKey(0)).toEqual([0, 0])
    expect(randomKey(2 ** 32 + 5)).toEqual([5, 1])
    expect(randomKey(-1)).toEqual([0xffffffff, 0xffffffff])
    expect(randomKey(2n ** 64n - 2n)).toEqual([0xfffffffe, 0xffffffff])
    expect(randomKey(12345n)).toEqual(randomKey(12345))
  })

  test.each([0.5, Number.NaN, 2 ** 53, 2n ** 64n, -(2n ** 63n) - 1n])('%s is no seed', seed => {
    expect(() => randomKey(seed)).toThrow(failure('bad-argument'))
  })

  test.each([[[1]], [[1, 2, 3]], [[-1, 0]], [[0.5, 0]], [[2 ** 32, 0]], [undefined], [7]])(
    '%j is no key',
    value => {
      const wrong = value as unknown as RandomKey
      for (const use of [
        () => uniform(wrong, 1),
        () => split(wrong),
        () => foldIn(wrong, 0),
        () => generator(wrong),
      ])
        expect(use).toThrow(failure('bad-argument'))
    },
  )

  test('survive JSON', () => {
    expect(uniform(JSON.parse(JSON.stringify(key)), 3)).toEqual(uniform(key, 3))
  })
})

describe('derived keys', () => {
  test('do not depend on how many are made', () => {
    expect(split(key)).toEqual(split(key, 5).slice(0, 2))
    expect(split(key, 0)).toEqual([])
  })

  test('all differ', () => {
    const keys = [key, ...split(key, 1000), ...Array.from({ length: 1000 }, (_, i) => foldIn(key, i - 500))]
    expect(new Set(keys.map(String)).size).toBe(2001)
  })

  test('give streams independent of each other and of the parent', () => {
    const keys = [key, ...split(key, 3), foldIn(key, 0), foldIn(key, 1), randomKey(2025)]
    const streams = keys.map(each => uniform(each, COUNT))
    for (let i = 0; i < streams.length; i++)
      for (let j = 0; j < i; j++) expect(Math.abs(correlation(streams[i]!, streams[j]!))).toBeLessThan(4)
  })

  test('first elements of consecutive keys are uniform', () => {
    const firsts = (keys: RandomKey[]) => Float64Array.from(keys, each => uniform(each, 1)[0]!)
    const count = 20_000
    for (const values of [
      firsts(split(key, count)),
      firsts(Array.from({ length: count }, (_, i) => foldIn(key, i))),
      firsts(Array.from({ length: count }, (_, i) => randomKey(i))),
    ]) {
      expect(kolmogorov(values, x => x)).toBeLessThan(1.95)
      expect(Math.abs(correlation(values.subarray(1), values.subarray(0, -1)))).toBeLessThan(4)
    }
  })

  test('wrong counts and data are refused', () => {
    for (const count of [-1, 1.5, 2 ** 21]) expect(() => split(key, count)).toThrow(failure('bad-argument'))
    for (const data of [0.5, 2 ** 53]) expect(() => foldIn(key, data)).toThrow(failure('bad-argument'))
  })
})

describe('uniform', () => {
  test('is made of the words of Philox as documented', () => {
    // Words of counter 0 under key 0, from the known answers of the Philox authors.
    const number = (upper: number, lower: number) => ((upper >>> 5) * 2 ** 26 + (lower >>> 6)) / 2 ** 53
    expect([...uniform([0, 0], 2)]).toEqual([number(0x6627e8d5, 0xe169c58d), number(0xbc57ac4c, 0x9b00dbd8)])
  })

  const values = uniform(key, COUNT)

  test('is uniform on [0, 1)', () => {
    expect(values.every(value => value >= 0 && value < 1)).toBe(true)
    expect(Math.abs(mean(values) - 1 / 2) * Math.sqrt(12 * COUNT)).toBeLessThan(3)
    expect(Math.abs(moment(values, 2) - 1 / 3) * Math.sqrt((45 / 4) * COUNT)).toBeLessThan(3)
    expect(kolmogorov(values, x => x)).toBeLessThan(1.95)
    expect(
      Math.abs(
        chiSquare(
          values.map(x => Math.floor(x * 1000)),
          1000,
        ),
      ),
    ).toBeLessThan(3)
    // The lowest of the 53 bits, and pairs of neighbours.
    expect(
      Math.abs(
        chiSquare(
          values.map(x => (x * 2 ** 53) % 8),
          8,
        ),
      ),
    ).toBeLessThan(3)
    const pairs = values.map((x, i) => Math.floor(x * 16) * 16 + Math.floor(values[(i + 1) % COUNT]! * 16))
    expect(Math.abs(chiSquare(pairs, 256))).toBeLessThan(3)
  })

  test.each([1, 2, 3, 4, 7])('is not correlated with itself %i elements on', lag => {
    expect(Math.abs(correlation(values.subarray(lag), values.subarray(0, -lag)))).toBeLessThan(4)
  })

  test('takes a count or a shape', () => {
    expect(uniform(key, [2, 3])).toEqual(uniform(key, 6))
    expect(uniform(key, [])).toEqual(uniform(key, 1))
    expect(uniform(key, 0)).toHaveLength(0)
    expect(() => uniform(key, -1)).toThrow(failure('bad-shape'))
    expect(() => uniform(key, 2 ** 50)).toThrow(failure('too-large'))
  })
})

describe('normal', () => {
  const values = normal(key, COUNT)

  test('is normal', () => {
    expect(Math.abs(mean(values)) * Math.sqrt(COUNT)).toBeLessThan(3)
    expect(Math.abs(moment(values, 2) - 1) * Math.sqrt(COUNT / 2)).toBeLessThan(3)
    expect(Math.abs(moment(values, 3)) * Math.sqrt(COUNT / 15)).toBeLessThan(3)
    expect(Math.abs(moment(values, 4) - 3) * Math.sqrt(COUNT / 96)).toBeLessThan(3)
    expect(kolmogorov(values, normalDistribution)).toBeLessThan(1.95)
  })

  test('has independent neighbours, and neighbours of independent size', () => {
    const sizes = values.map(Math.abs)
    for (const lag of [1, 2, 3]) {
      expect(Math.abs(correlation(values.subarray(lag), values.subarray(0, -lag)))).toBeLessThan(4)
      expect(Math.abs(correlation(sizes.subarray(lag), sizes.subarray(0, -lag)))).toBeLessThan(4)
    }
  })

  test('is finite for every draw', () => {
    expect(values.every(Number.isFinite)).toBe(true)
  })
})

describe.each([
  ['uniform', fillUniform, uniform],
  ['normal', fillNormal, normal],
] as const)('%s', (_, fill, make) => {
  test('does not depend on how it is cut into pieces', () => {
    const whole = make(key, 50)
    fc.assert(
      fc.property(fc.array(fc.nat(49), { maxLength: 6 }), cuts => {
        expect(inPieces(fill, 50, cuts)).toEqual(whole)
      }),
    )
  })

  test('goes on past 2^33 elements', () => {
    const far = new Float64Array(4)
    const farther = new Float64Array(2)
    fill(key, far, 2 ** 33)
    fill(key, farther, 2 ** 33 + 2)
    expect(far.subarray(2)).toEqual(farther)
    expect(far).not.toEqual(make(key, 4))
  })

  test.each([-1, 0.5, 2 ** 53, Number.NaN])('refuses offset %f', offset => {
    expect(() => fill(key, new Float64Array(1), offset)).toThrow(failure('bad-argument'))
  })
})

describe('integers', () => {
  test('are equally likely in [low, high)', () => {
    const values = integers(key, -3, 7, COUNT)
    expect(
      Math.abs(
        chiSquare(
          values.map(value => value + 3),
          10,
        ),
      ),
    ).toBeLessThan(3)
    expect(new Set(values)).toEqual(new Set([-3, -2, -1, 0, 1, 2, 3, 4, 5, 6]))
  })

  test('are unbiased where a remainder would favour small ones', () => {
    // 2^53 is 4/3 of this range: without rejection the first third would be twice as likely.
    const high = 3 * 2 ** 51
    const thirds = integers(key, 0, high, COUNT).map(value => Math.floor((value / high) * 3))
    expect(Math.abs(chiSquare(thirds, 3))).toBeLessThan(3)
  })

  test('an element depends on its index alone, rejected neighbours or not', () => {
    const high = 2 ** 52 + 1
    const many = integers(key, 0, high, 100)
    for (const count of [1, 10, 99]) expect(integers(key, 0, high, count)).toEqual(many.subarray(0, count))
  })

  test('take ranges of one and of all safe integers', () => {
    expect([...integers(key, 5, 6, 3)]).toEqual([5, 5, 5])
    expect(integers(key, 0, Number.MAX_SAFE_INTEGER, 1000).every(Number.isSafeInteger)).toBe(true)
  })

  test.each([
    [0, 0],
    [3, 1],
    [0.5, 2],
    [0, Number.POSITIVE_INFINITY],
    [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('refuse the range %f to %f', (low, high) => {
    expect(() => integers(key, low, high, 1)).toThrow(failure('bad-argument'))
  })
})

describe('permutation', () => {
  test('holds every number once', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(), (count, seed) => {
        const order = permutation(randomKey(seed), count)
        expect([...order].sort((a, b) => a - b)).toEqual([...Array(count).keys()])
      }),
    )
  })

  test('every order of four is equally likely', () => {
    const orders = split(key, 24_000).map(each => {
      const [a, b, c, d] = permutation(each, 4) as unknown as [number, number, number, number]
      // The rank of the order: how many later numbers are smaller, in the factorial number system.
      return 6 * a + 2 * (b - Number(a < b)) + Number(c > d)
    })
    expect(Math.abs(chiSquare(orders, 24))).toBeLessThan(3)
  })

  test.each([-1, 2.5, 2 ** 32])('refuses %f elements', count => {
    expect(() => permutation(key, count)).toThrow(failure('bad-argument'))
  })
})

test('a generator gives the uniform stream', () => {
  const next = generator(key)
  expect(Float64Array.from({ length: 9 }, next)).toEqual(uniform(key, 9))
})

test('the streams stay what they were', () => {
  expect(split(key)).toEqual([
    [204571008, 2160964851],
    [2133034717, 127008388],
  ])
  expect(foldIn(key, -7)).toEqual([919817342, 326671068])
  expect([...uniform(key, 3)]).toEqual([0.6036898737293727, 0.9845987341075839, 0.34628420647900005])
  const [first, second, third] = normal(key, 3)
  expect(first).toBeCloseTo(1.35419208161, 12)
  expect(second).toBeCloseTo(-0.131454403744, 12)
  expect(third).toBeCloseTo(0.738721203166, 12)
  expect([...integers(key, -50, 50, 8)].join(' ')).toBe('39 4 -25 27 17 39 27 49')
  expect(permutation(key, 10).join(' ')).toBe('9 0 4 1 2 6 5 8 3 7')
})
