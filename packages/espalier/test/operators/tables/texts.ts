/** Text, and n-grams of it. */
import { floatsAttribute } from '../../../src/graph/builder.ts'
import type { Attribute } from '../../../src/graph/graph.ts'
import type { CaseAttributes, Row } from '../case.ts'
import { text, textOf, values } from '../draw.ts'

const strings = (...value: string[]): Attribute => ({ type: 'strings', value })
const days = ['monday', 'tuesday', 'Wednesday', 'MONDAY']

const grams = {
  max_gram_length: 2,
  max_skip_count: 0,
  min_gram_length: 2,
  ngram_counts: [0, 4],
  ngram_indexes: [0, 1, 2, 3, 4, 5, 6],
  mode: 'TF',
  pool_int64s: [2, 3, 5, 4, 5, 6, 7, 8, 6, 7],
}
const weights = floatsAttribute([0.5, 1, 1.5, 2, 2.5, 3, 3.5])
const modes: readonly CaseAttributes[] = [
  { mode: 'TF' },
  { mode: 'IDF' },
  { mode: 'TFIDF' },
  { mode: 'IDF', weights },
  { mode: 'TFIDF', weights },
]
const lengths: readonly CaseAttributes[] = [
  {},
  { max_skip_count: 5 },
  { min_gram_length: 1, max_skip_count: 5 },
  { min_gram_length: 1, max_gram_length: 1 },
  { max_skip_count: 1 },
]

export const texts: readonly Row[] = [
  {
    op: 'StringConcat',
    inputs: [
      [text('a', 'b'), text('x', 'y')],
      [text('a', 'b'), text('z')],
      [textOf([2, 1], ['a', 'b']), text('x', 'y', '')],
      [textOf([], ['α']), textOf([], ['β'])],
      [textOf([0, 2], []), text('x', 'y')],
    ],
  },
  {
    op: 'StringNormalizer',
    inputs: [[text(...days)], [textOf([1, 4], days)]],
    attributes: [
      {},
      { case_change_action: 'UPPER' },
      { case_change_action: 'LOWER' },
      { case_change_action: 'LOWER', is_case_sensitive: 1, stopwords: strings('monday') },
      { case_change_action: 'UPPER', is_case_sensitive: 0, stopwords: strings('monday') },
      { is_case_sensitive: 1, stopwords: strings('monday') },
      { is_case_sensitive: 0, stopwords: strings('monday', 'TUESDAY') },
      { is_case_sensitive: 1, stopwords: strings(...days) },
      { case_change_action: 'LOWER', is_case_sensitive: 0, stopwords: strings(...days) },
    ],
  },
  {
    op: 'StringNormalizer',
    inputs: [[text('Straße', 'ÄÖÜ', 'éa')]],
    attributes: [
      { case_change_action: 'LOWER', locale: 'en_US' },
      { case_change_action: 'NONE', locale: 'en_US' },
    ],
  },
  {
    op: 'StringSplit',
    inputs: [
      [text('abc.com', 'def.net')],
      [text('a..b', '', '.', 'x.y.z')],
      [textOf([2, 2], ['hello world', ' def  ghi ', '', 'a.b c'])],
      [textOf([], ['a.b'])],
      [textOf([0], [])],
    ],
    attributes: [
      {},
      { delimiter: '.' },
      { delimiter: '' },
      { delimiter: '.', maxsplit: 1 },
      { maxsplit: 1 },
      { delimiter: ' ' },
      { delimiter: '..' },
    ],
    outputs: 2,
  },
  {
    op: 'RegexFullMatch',
    inputs: [
      [text('www.google.com', 'www.facebook.com', 'www.bbc.co.uk', '')],
      [textOf([2, 1], ['account@gmail.com', 'not email'])],
      [textOf([0], [])],
    ],
    attributes: [
      { pattern: 'www\\.[\\w.-]+\\.\\bcom\\b' },
      { pattern: '(\\W|^)[\\w.\\-]{0,25}@(yahoo|gmail)\\.com(\\W|$)' },
      { pattern: '' },
      { pattern: '.*' },
      { pattern: 'www' },
      { pattern: '(?i)WWW.*COM' },
    ],
  },
  {
    op: 'TfIdfVectorizer',
    dtypes: ['int64'],
    inputs: [
      [values([1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8])],
      [values([1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8], [2, 6])],
      [values([5, 6, 7, 8, 6, 7])],
      [values([2])],
    ],
    attributes: lengths.flatMap(length => modes.map(mode => ({ ...grams, ...length, ...mode }))),
  },
  {
    op: 'TfIdfVectorizer',
    inputs: [[text('a', 'b', 'a', 'c', 'b')], [textOf([2, 2], ['a', 'b', 'b', 'c'])]],
    attributes: modes
      .map(mode => ({
        max_gram_length: 2,
        min_gram_length: 1,
        max_skip_count: 1,
        ngram_counts: [0, 2],
        ngram_indexes: [1, 0, 2],
        pool_strings: strings('a', 'b', 'a', 'b'),
        ...mode,
      }))
      .map(one => ('weights' in one ? { ...one, weights: floatsAttribute([0.5, 1, 1.5]) } : one)),
  },
]
