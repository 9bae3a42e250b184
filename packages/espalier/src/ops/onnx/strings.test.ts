import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { float32, int64, type Tensor, tensor } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp, inferOp } from '../support/testing.ts'
import { RegexFullMatch } from './regex-full-match.ts'
import { StringConcat } from './string-concat.ts'
import { StringNormalizer } from './string-normalizer.ts'
import { StringSplit } from './string-split.ts'
import { TfIdfVectorizer } from './tf-idf-vectorizer.ts'

const words = (...list: string[]): Tensor<'string'> => tensor('string', [list.length], list)
const fails = (code: string): unknown => expect.objectContaining({ code })

test('StringConcat broadcasts', () => {
  const column = tensor('string', [2, 1], ['a', 'b'])
  expect(evaluateOp(StringConcat, [column, words('x', '', 'é')])).toEqual([
    tensor('string', [2, 3], ['ax', 'a', 'aé', 'bx', 'b', 'bé']),
  ])
  expect(inferOp(StringConcat, [tensorType('string', ['n', 1]), tensorType('string', [3])])).toEqual([
    tensorType('string', ['n', 3]),
  ])
  expect(() => evaluateOp(StringConcat, [column, float32([1])])).toThrow(fails('bad-dtype'))
})

describe('StringSplit', () => {
  const split = (x: Tensor, attributes = {}): readonly unknown[] =>
    evaluateOp(StringSplit, [x], attributes, { outputs: 2 })

  test('at a delimiter', () => {
    expect(split(words('a--b', '', '-'), { delimiter: '-' })).toEqual([
      tensor('string', [3, 3], ['a', '', 'b', '', '', '', '', '', '']),
      int64([3, 1, 2]),
    ])
    expect(split(words('a::b::c::d'), { delimiter: '::', maxsplit: 2 })).toEqual([
      tensor('string', [1, 3], ['a', 'b', 'c::d']),
      int64([3]),
    ])
    expect(split(words('a b'), { delimiter: ' ', maxsplit: 0 })[0]).toEqual(tensor('string', [1, 1], ['a b']))
  })

  test('at whitespace', () => {
    expect(split(words(' a \t b\n', '  ', 'c\u2003d e '))).toEqual([
      tensor('string', [3, 3], ['a', 'b', '', '', '', '', 'c', 'd', 'e']),
      int64([2, 0, 3]),
    ])
    expect(split(words(' a  b   c  '), { delimiter: '', maxsplit: 1 })[0]).toEqual(
      tensor('string', [1, 2], ['a', 'b   c']),
    )
  })

  test('shapes', () => {
    expect(split(tensor('string', [], ['a b']))).toEqual([tensor('string', [2], ['a', 'b']), int64(2)])
    expect(split(tensor('string', [0, 2], []))[0]).toEqual(tensor('string', [0, 2, 0], []))
    expect(inferOp(StringSplit, [tensorType('string', ['n'])], {}, { outputs: 2 })).toEqual([
      tensorType('string', ['n', null]),
      tensorType('int64', ['n']),
    ])
  })
})

describe('StringNormalizer', () => {
  const normalize = (x: Tensor, attributes = {}): unknown => evaluateOp(StringNormalizer, [x], attributes)[0]
  const stopwords = ['Monday']

  test('stop words, with and without case', () => {
    const days = words('monday', 'Monday', 'Tuesday')
    expect(normalize(days, { stopwords, is_case_sensitive: 1 })).toEqual(words('monday', 'Tuesday'))
    expect(normalize(days, { stopwords })).toEqual(words('Tuesday'))
    expect(normalize(tensor('string', [1, 3], days.data), { stopwords })).toEqual(
      tensor('string', [1, 1], ['Tuesday']),
    )
  })

  test('case', () => {
    expect(normalize(words('Äß'), { case_change_action: 'UPPER' })).toEqual(words('ÄSS'))
    expect(normalize(words('ÄI'), { case_change_action: 'LOWER' })).toEqual(words('äi'))
    expect(normalize(words('I'), { case_change_action: 'LOWER', locale: 'tr_TR.UTF-8' })).toEqual(words('ı'))
    expect(normalize(words('I'), { case_change_action: 'LOWER', locale: 'C' })).toEqual(words('i'))
    expect(() => normalize(words('I'), { locale: 'not a locale' })).toThrow(fails('bad-argument'))
    expect(() => normalize(words('I'), { case_change_action: 'TITLE' })).toThrow(fails('bad-argument'))
  })

  test('nothing left is an empty word', () => {
    expect(normalize(words('Monday'), { stopwords })).toEqual(words(''))
    expect(normalize(tensor('string', [1, 1], ['Monday']), { stopwords })).toEqual(
      tensor('string', [1, 1], ['']),
    )
    expect(normalize(words('', 'a'))).toEqual(words('', 'a'))
  })

  test('shapes', () => {
    expect(() => normalize(tensor('string', [2, 1], ['a', 'b']))).toThrow(fails('bad-shape'))
    expect(() => normalize(tensor('string', [], ['a']))).toThrow(fails('bad-shape'))
    expect(inferOp(StringNormalizer, [tensorType('string', [1, 4])])).toEqual([
      tensorType('string', [1, null]),
    ])
  })
})

test('RegexFullMatch', () => {
  const x = tensor('string', [2, 2], ['ab12', 'ab', '', 'xab12'])
  expect(evaluateOp(RegexFullMatch, [x], { pattern: '[a-c]+\\d*' })).toEqual([
    tensor('bool', [2, 2], Uint8Array.of(1, 1, 0, 0)),
  ])
  expect(inferOp(RegexFullMatch, [tensorType('string', ['n'])], { pattern: '' })).toEqual([
    tensorType('bool', ['n']),
  ])
  expect(() => evaluateOp(RegexFullMatch, [x])).toThrow(fails('invalid-graph'))
})

describe('TfIdfVectorizer', () => {
  // 1-grams 2, 3, 5; 2-grams (2, 3), (3, 5)
  const attributes = {
    mode: 'TF',
    min_gram_length: 1,
    max_gram_length: 2,
    max_skip_count: 0,
    ngram_counts: [0, 3],
    ngram_indexes: [0, 1, 2, 4, 3],
    pool_int64s: [2, 3, 5, 2, 3, 3, 5],
  }
  const count = (x: Tensor, more: object = {}): number[] =>
    evaluateNumbers(TfIdfVectorizer, [x], { ...attributes, ...more })

  test('counts single items once and pairs for every skip', () => {
    const x = int64([2, 3, 5, 7, 3, 3, 5])
    expect(count(x)).toEqual([1, 3, 2, 2, 1])
    expect(count(x, { max_skip_count: 1 })).toEqual([1, 3, 2, 3, 1])
    expect(count(x, { min_gram_length: 2, max_skip_count: 3 })).toEqual([0, 0, 0, 3, 2])
    expect(count(x, { max_gram_length: 1 })).toEqual([1, 3, 2, 0, 0])
    expect(count(x, { max_skip_count: 2 ** 60 }).length).toBe(5)
  })

  test('weights belong to the n-grams of the pool', () => {
    const x = int64([2, 3, 5, 3, 5])
    const weights = [1, 10, 100, 1000, 10000]
    expect(count(x, { weights })).toEqual([1, 2, 2, 2, 1])
    expect(count(x, { mode: 'IDF', weights })).toEqual([1, 10, 100, 10000, 1000])
    expect(count(x, { mode: 'TFIDF', weights })).toEqual([1, 20, 200, 20000, 1000])
    expect(count(x, { mode: 'IDF' })).toEqual([1, 1, 1, 1, 1])
  })

  test('rows, strings and exact integers', () => {
    expect(count(tensor('int32', [2, 2], Int32Array.of(2, 3, 3, 5)))).toEqual([1, 1, 0, 0, 1, 0, 1, 1, 1, 0])
    expect(count(tensor('int32', [2, 0], new Int32Array(0)))).toEqual(new Array(10).fill(0))
    const { pool_int64s: _, ...rest } = { ...attributes, pool_strings: ['a', 'b', 'c', 'a', 'b', 'b', 'c'] }
    expect(evaluateNumbers(TfIdfVectorizer, [words('a', 'b', 'x')], rest)).toEqual([1, 1, 0, 0, 1])
    const big = { ngram_counts: [0], ngram_indexes: [0], max_gram_length: 1 }
    const pool = { type: 'ints', value: [2n ** 53n + 1n] } as const
    const x = tensor('int64', [2], BigInt64Array.of(2n ** 53n + 1n, 2n ** 53n))
    expect(evaluateNumbers(TfIdfVectorizer, [x], { ...attributes, ...big, pool_int64s: pool })).toEqual([1])
  })

  test('attributes that do not fit are refused', () => {
    const x = int64([2])
    for (const wrong of [
      { mode: 'BM25' },
      { ngram_counts: [0, 2] },
      { ngram_counts: [0, 9] },
      { ngram_indexes: [0, 1] },
      { ngram_indexes: [0, 1, 2, 3, -1] },
      { weights: [1] },
      { min_gram_length: 3 },
      { max_skip_count: -1 },
    ])
      expect(() => count(x, wrong)).toThrow(fails('bad-argument'))
    expect(() => count(x, { pool_strings: ['a'] })).toThrow(fails('invalid-graph'))
    expect(() => count(x, { ngram_indexes: [0, 1, 2, 3, 2 ** 50] })).toThrow(fails('too-large'))
    expect(() => count(tensor('int64', [1, 1, 1], BigInt64Array.of(2n)))).toThrow(fails('bad-shape'))
  })

  test('inference', () => {
    expect(inferOp(TfIdfVectorizer, [tensorType('int64', ['n', 4])], attributes)).toEqual([
      tensorType('float32', ['n', 5]),
    ])
    expect(inferOp(TfIdfVectorizer, [tensorType('int64', [4])], attributes)).toEqual([
      tensorType('float32', [5]),
    ])
  })
})
