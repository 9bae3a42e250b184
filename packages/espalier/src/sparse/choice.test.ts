/** Choosing between layouts, on made-up ones. */
import { describe, expect, test } from 'vitest'
import type { Target } from '../plan/target.ts'
import {
  type Candidate,
  type Contest,
  choose,
  contestOf,
  cutsFor,
  type Kept,
  mostNumbers,
  type TimedKernel,
} from './choice.ts'
import { type Costs, denseSeconds, secondsOf } from './costs.ts'
import { breakEvens, explainChoice } from './explain-choice.ts'
import { type CutLayout, lineOf, type ProductShape, type SparseLayout } from './layout.ts'
import { productMatrix } from './matrix.ts'

const target: Target = {
  isa: 'avx2',
  threads: 1,
  traits: { layout: 0, lanes: 8, gemmRows: 6, gemmColumns: 16, int8Columns: 16, int8Depth: 2 },
  winograd: true,
  sparse: 'auto',
}
const product: ProductShape = { matrix: productMatrix([100, 10], false), window: lineOf(20) }

/** A layout of units of `width` numbers of which each takes a second, and `fixed` more in all. */
function layoutOf(name: string, width: number, fixed: number): SparseLayout {
  const never = (): never => {
    throw new Error('nothing is packed to choose')
  }
  const cut: CutLayout = {
    id: name,
    units: 1000 / width,
    work: kept => ({ kept, fixed, bytes: 0, pieces: 1 }),
    ...{ kept: never, bytes: never, pack: never, unpack: never, emit: never },
  }
  const unit = width === 1 ? 'numbers' : `groups of ${width}`
  const probe = { few: false, unit: [1, width], group: 10, shares: [0.5] } as const
  return { name, dtype: 'float32', unit, width, costs: { kept: 1, fixed: 1 }, probe, cut: () => cut }
}

const layouts = [layoutOf('single', 1, 100), layoutOf('fours', 4, 50), layoutOf('slow', 1, 5000)]
const costs: Costs = {
  builtIn: false,
  byte: 0,
  dense: { 'float32 many': 1, 'float32 few': 7 },
  layouts: Object.fromEntries(layouts.map(({ name }) => [`float32 ${name}`, { kept: 1, fixed: 1 }])),
}
const contest = (more: Partial<Target> = {}, dense = 600): Contest => {
  const wanted = { ...target, ...more }
  return contestOf(cutsFor(layouts, 'float32', product, wanted), dense, costs, wanted)
}
/** What layouts keep of a weight, by their names. */
const keeps =
  (units: Record<string, number>) =>
  ({ layout }: Candidate): Kept =>
    units[layout.name] === undefined ? undefined : { units: units[layout.name]! }
const winner = (...args: Parameters<typeof choose>): string => choose(...args).winner.name

describe('the quickest kernel', () => {
  test.each([
    [{ single: 400, fours: 240, slow: 400 }, 'fours'],
    [{ single: 150, fours: 240, slow: 150 }, 'single'],
    [{ single: 150, slow: 150 }, 'single'],
    [{ single: 600, slow: 600 }, 'dense'],
    [{}, 'dense'],
  ])('where %o are kept is %s', (units, name) => {
    expect(winner(contest(), keeps(units))).toBe(name)
  })
  test('is a sparse one where that is asked for, of a name where that is', () => {
    const units = { single: 990, fours: 250, slow: 990 }
    expect(winner(contest({ sparse: 'always' }, 1), keeps(units))).toBe('fours')
    expect(winner(contest({ sparse: 'always', sparseLayout: 'slow' }, 1), keeps(units))).toBe('slow')
    expect(winner(contest({ sparse: 'always' }, 1), keeps({}))).toBe('dense')
    expect(contest({ sparse: 'never' }).candidates).toEqual([])
    expect(cutsFor(layouts, 'int8', product, target)).toEqual([])
  })
  test('is timed where predictions are close, those alone', () => {
    const asked: (readonly string[])[] = []
    const timing = (seconds: number[]) => (kernels: readonly TimedKernel[]) => {
      asked.push(kernels.map(({ name, share }) => `${name} ${share}`))
      return seconds
    }
    const units = { single: 450, fours: 240, slow: 10 }
    expect(winner(contest(), keeps({ ...units, single: 480 }), timing([3, 2]))).toBe('fours')
    expect(asked).toEqual([])
    expect(winner(contest(), keeps({ single: 450, slow: 10 }), timing([3, 2]))).toBe('dense')
    expect(winner(contest(), keeps({ single: 450, slow: 10 }), timing([2, 3]))).toBe('single')
    expect(asked).toEqual([
      ['single 0.45', 'dense 1'],
      ['single 0.45', 'dense 1'],
    ])
    expect(winner(contest(), keeps({ single: 450, slow: 10 }), () => undefined)).toBe('single')
    const uncounted = (): Kept => ({ units: 580, atLeast: true })
    expect(winner(contest(), uncounted, timing([1, 2]))).toBe('dense')
    expect(asked.length).toBe(2)
  })
})

test('how many numbers are worth a look', () => {
  // Up to a close call: 690 s, of which 100 and 50 are fixed; all groups of four take 250.
  expect(mostNumbers(contest())).toBe(1000)
  expect(mostNumbers(contest({}, 200))).toBe(4 * 179)
  expect(mostNumbers(contest({}, 20))).toBe(-1)
  expect(mostNumbers(contest({ sparse: 'always' }, 20))).toBe(1000)
})

test('break-evens, by unit', () => {
  expect(breakEvens(contest())).toEqual([
    { unit: 'numbers', sparsity: 0.5 },
    { unit: 'groups of 4', sparsity: 0 },
  ])
  expect(breakEvens(contest({}, 150))).toEqual([
    { unit: 'numbers', sparsity: 0.95 },
    { unit: 'groups of 4', sparsity: 0.6 },
  ])
  expect(breakEvens(contest({}, 20))).toEqual([])
})

test('explanations', () => {
  const weight = { numbers: 1000, nonzero: 450 }
  const text = (one: Contest, units: Record<string, number>, times?: number[]): string =>
    explainChoice(weight, one, choose(one, keeps(units), times && (() => times)))
  expect(text(contest({}, 0.15), { single: 450 })).toBe(
    '55.0 % zeros; single with 45.0 % of the numbers 5.50e+5 ms, dense 150 ms; dense is quickest, as predicted; no sparse kernel is quicker than the dense one',
  )
  expect(text(contest({}, 150), { single: 40, fours: 95 }, [0.1, 0.25, 0.3])).toBe(
    '55.0 % zeros; single with 4.0 % of the numbers 1.40e+5 ms, 100 ms timed, fours with 38.0 % of the groups of 4 1.45e+5 ms, 250 ms timed, dense 1.50e+5 ms, 300 ms timed; single is quickest, as timed here; sparse kernels pay from 95.0 % of the numbers or 60.0 % of the groups of 4 zero on',
  )
  expect(text({ ...contest(), builtIn: true }, { single: 450 })).toContain(
    'single is quickest, by built-in figures;',
  )
  expect(text(contest({ sparse: 'always' }, 150), { single: 450 })).toContain(
    'single, since sparse kernels are asked for',
  )
})

describe('seconds', () => {
  const work = { kept: 10, fixed: 5, bytes: 100, pieces: 3 }
  const each = { kept: 2, fixed: 4 }
  test('are those of arithmetic or of memory', () => {
    expect(secondsOf(work, each, 0, 1)).toBe(40)
    expect(secondsOf(work, each, 1, 1)).toBe(100)
  })
  test('count threads that have nothing to do, unless there is little for any', () => {
    expect(secondsOf(work, each, 0, 2)).toBeCloseTo((40 * 4) / 3, 9)
    expect(secondsOf({ ...work, pieces: 4 }, each, 0, 2)).toBe(40)
    expect(secondsOf(work, { kept: 1e-8, fixed: 0 }, 0, 2)).toBeCloseTo(1e-7, 12)
  })
  test('of dense products', () => {
    const seconds = (gain: number, own = costs, rows = 20): number =>
      denseSeconds({ ...product, window: lineOf(rows) }, 'float32', gain, own, target)
    expect(seconds(1)).toBe(20 * 1000)
    expect(seconds(4)).toBe(5 * 1000)
    expect(seconds(1, { ...costs, byte: 10 })).toBe(40_000)
    expect(seconds(1, costs, 2)).toBe(7 * 2 * 1000)
  })
})
