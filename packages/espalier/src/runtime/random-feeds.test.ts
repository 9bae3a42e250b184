import { expect, test } from 'vitest'
import { tensorType } from '../graph/graph.ts'
import { bigints, numbers } from '../tensor/elements.ts'
import { sameTensor } from '../tensor/tensor.ts'
import { randomFeeds } from './random-feeds.ts'

const inputs = [
  { name: 'x', type: tensorType('float32', ['n', 64]) },
  { name: 'y', type: tensorType('float16', ['n', 64]) },
  { name: 'ids', type: tensorType('int64', [null, 64]) },
  { name: 'mask', type: tensorType('bool', [64]) },
  { name: 'z', type: tensorType('complex64', [2, 3]) },
  { name: 'scalar', type: tensorType('float64', []) },
]
const symbols = new Map([
  ['n', 3],
  ['ids_dim0', 2],
])

test('normal numbers, and 0 and 1', () => {
  const feeds = randomFeeds(inputs, { symbols })
  expect([...feeds].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
    ['x', 'float32', [3, 64]],
    ['y', 'float16', [3, 64]],
    ['ids', 'int64', [2, 64]],
    ['mask', 'bool', [64]],
    ['z', 'complex64', [2, 3]],
    ['scalar', 'float64', []],
  ])
  const x = numbers(feeds.get('x')!)
  expect(Math.abs(x.reduce((sum, value) => sum + value, 0) / x.length)).toBeLessThan(0.3)
  expect(new Set(bigints(feeds.get('ids')!))).toEqual(new Set([0n, 1n]))
  expect(new Set(numbers(feeds.get('mask')!))).toEqual(new Set([0, 1]))
  expect(numbers(feeds.get('z')!)).toHaveLength(12)
})

test('depend on the seed and on the place of the input', () => {
  const [a, b, c] = [0, 0, 1].map(seed => randomFeeds(inputs, { seed, symbols }))
  expect(sameTensor(a!.get('x')!, b!.get('x')!)).toBe(true)
  expect(sameTensor(a!.get('x')!, c!.get('x')!)).toBe(false)
  const same = randomFeeds([inputs[0]!, { ...inputs[0]!, name: 'w' }], { symbols })
  expect(sameTensor(same.get('x')!, same.get('w')!)).toBe(false)
})

test('what has no random value', () => {
  expect(() => randomFeeds(inputs)).toThrow(
    'tensor "x": the shape is not fixed; got float32 nx64. Give a value to n',
  )
  expect(() => randomFeeds(inputs, { symbols: new Map([['n', 1]]) })).toThrow('Give a value to ids_dim0')
  for (const [type, got] of [
    [tensorType('string', [1]), 'string 1'],
    [tensorType('float32'), 'float32 of unknown rank'],
    [{ kind: 'sequence' } as const, 'sequence of unknown'],
  ] as const)
    expect(() => randomFeeds([{ name: 'x', type }])).toThrow(
      expect.objectContaining({ code: 'unsupported', got }),
    )
  expect(() => randomFeeds([{ name: 'x' }])).toThrow('got an unknown type')
})
