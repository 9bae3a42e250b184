import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addDims,
  ceilDivideDims,
  differentDims,
  evaluateDim,
  floorDivideDims,
  formatDim,
  maxDims,
  minDims,
  multiplyDims,
  productOfDims,
  sameDim,
  substituteDim,
  subtractDims,
  symbolsOf,
} from './dim.ts'
import type { Dim } from './graph.ts'

describe('arithmetic', () => {
  test('on numbers, symbols and the unknown', () => {
    expect(addDims(2, 3)).toBe(5)
    expect(addDims('n', 'n')).toBe('2*n')
    expect(subtractDims('n+1', 'n')).toBe(1)
    expect(multiplyDims('n', addDims('m', 2))).toBe('m*n+2*n')
    expect(multiplyDims(null, 0)).toBe(0)
    expect(productOfDims(['n', 3, 'n'])).toBe('3*n*n')
    for (const f of [addDims, subtractDims, multiplyDims, floorDivideDims, ceilDivideDims, minDims, maxDims])
      expect(f('n', null)).toBeNull()
  })
  test('quotients are exact where they can be', () => {
    expect(floorDivideDims(-7, 2)).toBe(-4)
    expect(floorDivideDims('4*n', 2)).toBe('2*n')
    expect(floorDivideDims('2*n*m+4*n', '2*n')).toBe('m+2')
    expect(floorDivideDims('2*n+2*m', 'n+m')).toBe(2)
    expect(floorDivideDims('n', 2)).toBe('floordiv(n,2)')
    expect(ceilDivideDims('n', 2)).toBe('floordiv(n+1,2)')
    expect(ceilDivideDims('2*n', 2)).toBe('n')
    expect(floorDivideDims('n', 0)).toBeNull()
    expect(floorDivideDims('n', subtractDims('n', 'n'))).toBeNull()
    expect(Object.is(floorDivideDims(0, -2), 0)).toBe(true)
  })
  test('quotients of what was multiplied, and of quotients, are merged', () => {
    expect(floorDivideDims('2*n-1', 2)).toBe('n-1')
    expect(floorDivideDims('4*n+m-3', 2)).toBe('floordiv(m-3,2)+2*n')
    expect(floorDivideDims('n*m+3', 'n')).toBe('floordiv(3,n)+m')
    const half = (dim: Dim): Dim => addDims(floorDivideDims(subtractDims(dim, 1), 2), 1)
    expect(half(half(half(half(half('h')))))).toBe('floordiv(h-1,32)+1')
    expect(floorDivideDims('floordiv(n,-2)', 2)).toBe('floordiv(floordiv(n,-2),2)')
    expect(floorDivideDims('floordiv(n,2)', -2)).toBe('floordiv(floordiv(n,2),-2)')
  })
  test('quotients rounded up', () => {
    expect(ceilDivideDims(-7, 2)).toBe(-3)
    expect(evaluateDim(ceilDivideDims('n', -2), new Map([['n', 3]]))).toBe(-1)
    expect(ceilDivideDims('n', 0)).toBeNull()
  })
  test('minima and maxima', () => {
    expect(maxDims('n', 'n+1')).toBe('n+1')
    expect(minDims('n', 'n+1')).toBe('n')
    expect(minDims('n', 'm')).toBe(minDims('m', 'n'))
    expect(maxDims('n', 1)).toBe('max(1,n)')
  })
})

test('equal expressions have equal text, and read back as themselves', () => {
  const a = addDims(floorDivideDims(subtractDims('h', 1), 2), 1)
  expect(a).toBe('floordiv(h-1,2)+1')
  expect(formatDim(' 1 + floordiv( h - 1 , 2 ) ')).toBe(a)
  expect(formatDim('1*n')).toBe('n')
  expect(formatDim('min(3,2)*n')).toBe('2*n')
  expect(sameDim('(n+1)*(n+1)', 'n*n+2*n+1')).toBe(true)
  expect(sameDim('n', 'm') || differentDims('n', 'm')).toBe(false)
  expect(differentDims('n', 'n+1')).toBe(true)
  expect(sameDim(null, null)).toBe(false)
})

test('text that is no expression names one symbol', () => {
  const names = ['batch size', '?', '-1', '0', 'n//2', 'floordiv(n', 'a,b', 'a"b', '"', "it's", 'größe', '2n']
  for (const name of names) {
    expect(formatDim(name)).toBe(name)
    expect(symbolsOf(name)).toEqual([name])
    expect(subtractDims(addDims(name, 1), 1)).toBe(name)
    const quotient = floorDivideDims(addDims(name, 1), 2)
    expect(formatDim(quotient)).toBe(quotient)
    expect(symbolsOf(quotient)).toEqual([name])
    expect(evaluateDim(quotient, new Map([[name, 7]]))).toBe(4)
  }
  expect(symbolsOf('2*"batch size"+"a""b"')).toEqual(['batch size', 'a"b'])
})

test('a name that would read as an expression keeps its quotes', () => {
  expect(formatDim('"a+b"')).toBe('"a+b"')
  expect(symbolsOf('"a+b"')).toEqual(['a+b'])
  expect(symbolsOf('a+b')).toEqual(['a', 'b'])
  expect(evaluateDim('2*"a+b"', new Map([['a+b', 3]]))).toBe(6)
  expect(formatDim('"n"')).toBe('n')
})

describe('what is too large', () => {
  const sum = (count: number): string => Array.from({ length: count }, (_, i) => `s${i}`).join('+')

  test('is unknown, or one symbol when a file says it', () => {
    const product = Array.from({ length: 30 }, (_, i) => `(a${i}+b${i})`).join('*') // 2^30 terms
    expect(formatDim(product)).toBe(product)
    expect(multiplyDims(sum(11), sum(11))).not.toBeNull()
    expect(multiplyDims(sum(60), sum(60))).toBeNull()
    for (const text of [sum(500), `${'('.repeat(5000)}n${')'.repeat(5000)}`, '-'.repeat(5000)]) {
      expect(formatDim(text)).toBe(text)
      expect(symbolsOf(text)).toEqual([text])
      expect(addDims(text, 1)).toBeNull()
    }
  })
  test('never happens to expressions that can be read', () => {
    let dim: Dim = 'n'
    for (let depth = 0; dim !== null; depth++) {
      expect(symbolsOf(dim)).toContain('n')
      expect(formatDim(dim)).toBe(dim)
      expect(depth).toBeLessThan(300)
      dim = maxDims(`s${depth}`, dim)
    }
  })
  test('holds for numbers beyond exact integers', () => {
    const most = Number.MAX_SAFE_INTEGER
    expect(addDims(most, 1)).toBeNull()
    expect(multiplyDims(most, 2)).toBeNull()
    expect(multiplyDims(most, '2*n')).toBeNull()
    expect(addDims(`${most - 1}*n`, 'n')).toBe(`${most}*n`)
    expect(formatDim(`${most}*n`)).toBe(`${most}*n`)
    expect(floorDivideDims(`floordiv(n,${most})`, 2)).toBe(`floordiv(floordiv(n,${most}),2)`)
    expect(differentDims(most, -most)).toBe(true)
    expect(symbolsOf('99999999999999999999*n')).toEqual(['99999999999999999999*n'])
  })
  test('holds for the cache, which is emptied when it is full', () => {
    const first = addDims('x0', 1)
    const wrong = Array.from({ length: 11_000 }, (_, i) => i).find(i => addDims(`x${i}`, 1) !== `x${i}+1`)
    expect(wrong).toBeUndefined()
    expect(addDims('x0', 1)).toBe(first)
  })
})

test('substitution', () => {
  expect(substituteDim('floordiv(n,2)*m', new Map<string, Dim>([['n', '4*k']]))).toBe('2*k*m')
  expect(substituteDim('max(n,2)', new Map<string, Dim>([['n', null]]))).toBeNull()
  expect(evaluateDim('n+m', new Map([['n', 1]]))).toBeUndefined()
})

/** An expression, and the same computed on numbers. */
interface Both {
  readonly dim: Dim
  readonly value: number
}
const bindings = new Map([
  ['n', 5],
  ['m', 12],
  ['odd name', 7],
  ['a+b', 2],
])
const operations: readonly [(a: Dim, b: Dim) => Dim, (a: number, b: number) => number][] = [
  [addDims, (a, b) => a + b],
  [subtractDims, (a, b) => a - b],
  [multiplyDims, (a, b) => a * b],
  [minDims, Math.min],
  [maxDims, Math.max],
  [(a, b) => (b === 0 ? a : floorDivideDims(a, b)), (a, b) => (b === 0 ? a : Math.floor(a / b))],
  [a => ceilDivideDims(a, 3), a => Math.ceil(a / 3)],
]
const leaf: fc.Arbitrary<Both> = fc.oneof(
  fc.integer({ min: -4, max: 9 }).map(value => ({ dim: value, value })),
  fc.constantFrom(...bindings).map(([name, value]) => ({ dim: name === 'a+b' ? '"a+b"' : name, value })),
)
const { tree } = fc.letrec<{ tree: Both }>(tie => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.tuple(tie('tree'), tie('tree'), fc.constantFrom(...operations)).map(([a, b, [symbolic, numeric]]) => ({
      dim: symbolic(a.dim, b.dim),
      value: numeric(a.value, b.value),
    })),
  ),
}))

test('an expression has the value of its parts, and reads back as itself', () => {
  fc.assert(
    fc.property(tree, ({ dim, value }) => {
      fc.pre(Number.isSafeInteger(value) && dim !== null)
      const found = evaluateDim(dim, bindings)
      // A divisor that is an expression may turn out to be zero.
      if (found !== undefined) expect(found + 0).toBe(value + 0)
      expect(formatDim(dim)).toBe(dim)
      expect(formatDim(substituteDim(dim, new Map()))).toBe(dim)
      expect([...bindings.keys()]).toEqual(expect.arrayContaining(symbolsOf(dim)))
    }),
    { numRuns: 1000 },
  )
})

test('any text is an expression or a name, and canonical at once', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'nm2-+*(),"" .', 'floordiv', 'min(', 'max('), maxLength: 24 }),
    fc.string(),
  )
  fc.assert(
    fc.property(text, dim => {
      const canonical = formatDim(dim)
      if (canonical === null) return
      expect(formatDim(canonical)).toBe(canonical)
      expect(sameDim(dim, canonical)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
