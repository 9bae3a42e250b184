import { expect, test } from 'vitest'
import { distance, nearest } from './suggest.ts'

test.each([
  ['', 'abc', 3],
  ['inspect', 'inspect', 0],
  ['inpsect', 'inspect', 1],
  ['inspct', 'inspect', 1],
  ['kitten', 'sitting', 3],
])('%s and %s are %d apart', (a, b, apart) => {
  expect(distance(a, b)).toBe(apart)
  expect(distance(b, a)).toBe(apart)
})

test('the nearest candidate, if it is near', () => {
  const commands = ['quickstart', 'inspect', 'run', 'convert', 'doctor']
  expect(nearest('INSPETC', commands)).toBe('inspect')
  expect(nearest('rn', commands)).toBe('run')
  expect(nearest('quikstrat', commands)).toBe('quickstart')
  expect(nearest('benchmark', commands)).toBeUndefined()
  expect(nearest('xx', ['ab'])).toBeUndefined()
  expect(nearest('x', [])).toBeUndefined()
})
