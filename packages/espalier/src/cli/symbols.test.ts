import { expect, test } from 'vitest'
import { checkSymbols, readSymbols } from './symbols.ts'

test('values of symbols', () => {
  expect(readSymbols(['batch=8', 'a=b=3', 'none=0'])).toEqual(
    new Map([
      ['batch', 8],
      ['a=b', 3],
      ['none', 0],
    ]),
  )
  for (const bad of ['batch', 'batch=', '=3', 'batch=-1', 'batch=1.5', 'batch=9999999999999999'])
    expect(() => readSymbols([bad])).toThrow(`--symbol is not a dimension: "${bad}"; expected NAME=NUMBER`)
  expect(() => readSymbols(['n=1', 'n=2'])).toThrow('--symbol gives "n" twice')
})

test('symbols that the model does not have', () => {
  expect(() => checkSymbols(new Map([['batch', 1]]), ['batch', 'n'])).not.toThrow()
  expect(() => checkSymbols(new Map([['bacth', 1]]), ['batch', 'n'])).toThrow(
    'the model has no symbolic dimension "bacth"; expected batch, n. Did you mean batch?',
  )
  expect(() => checkSymbols(new Map([['n', 1]]), [])).toThrow('expected none: all dimensions are fixed')
})
