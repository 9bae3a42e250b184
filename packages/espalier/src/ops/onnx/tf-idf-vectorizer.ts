/**
 * Counts of n-grams, perhaps weighted: a text as a vector. An n-gram is n items that stand `skip + 1`
 * positions apart, for every skip up to a limit; single items are counted once. The i-th weight belongs to
 * the i-th n-gram of the pool.
 */
import { EspalierError } from '../../errors.ts'
import { type Dim, tensorType } from '../../graph/graph.ts'
import { bigints, fromNumbers, strings } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import { optional, required } from '../schema.ts'
import { outputSize } from '../support/movement.ts'

export const TfIdfVectorizer: Op = {
  name: 'TfIdfVectorizer',
  doc: 'Counts the n-grams of a list of words or numbers that are in a pool, plain (TF) or weighted (IDF, TFIDF).',
  versions: {
    9: {
      inputs: ['X: T'],
      outputs: ['Y: T1'],
      types: { T: ['string', 'int32', 'int64'], T1: ['float32'] },
      attributes: {
        max_gram_length: required('int'),
        max_skip_count: required('int'),
        min_gram_length: required('int'),
        mode: required('string', ['TF', 'IDF', 'TFIDF']),
        ngram_counts: required('ints'),
        ngram_indexes: required('ints'),
        pool_int64s: optional('ints'),
        pool_strings: optional('strings'),
        weights: optional('floats'),
      },
    },
  },
  infer(c) {
    const shape = c.shape(0)
    const rows: readonly Dim[] | undefined = shape?.slice(0, -1)
    return [tensorType('float32', rows && [...rows, width(c.attributes)])]
  },
  evaluate(c) {
    const x = c.tensor(0)
    const { shape } = x
    if (shape.length > 2)
      throw new EspalierError('bad-shape', 'not a list of items, or a batch of such', {
        expected: 'shape C or NxC',
        got: formatShape(shape),
      })
    const items = itemsOf(x)
    const vocabulary = readVocabulary(c.attributes)
    const weigh = weighting(c.attributes, vocabulary.size)
    const length = shape.at(-1) ?? 1
    const rows = shape.length === 2 ? shape[0]! : 1
    const size = width(c.attributes)
    const resultShape = [...shape.slice(0, -1), size]
    const result = new Float64Array(outputSize('float32', resultShape))
    for (let row = 0; row < rows; row++) {
      const counts = countGrams(items.slice(row * length, (row + 1) * length), vocabulary)
      for (const [gram, count] of counts)
        result[row * size + vocabulary.indexes[gram]!]! += weigh(gram, count)
    }
    return [fromNumbers('float32', resultShape, result)]
  },
}

/** Length of the vector. */
function width(attributes: Attributes): number {
  const indexes = attributes.ints('ngram_indexes')
  if (indexes.some(index => index < 0)) throw misfit('ngram_indexes', 'non-negative', `${indexes}`)
  return indexes.reduce((largest, index) => Math.max(largest, index), -1) + 1
}

/** Items as text, so that they can be compared and joined. */
function itemsOf(x: Tensor): readonly string[] {
  return x.dtype === 'string' ? strings(x) : Array.from(bigints(x), String)
}

const keyOf = (items: readonly string[]): string => JSON.stringify(items)

interface Vocabulary {
  /** The n-grams of the pool, in its order, by key: those of a length that is wanted. */
  readonly grams: ReadonlyMap<string, number>
  /** Number of n-grams of any length. */
  readonly size: number
  /** Position in the vector, by n-gram. */
  readonly indexes: readonly number[]
  readonly shortest: number
  readonly longest: number
  readonly skips: number
}

function readVocabulary(attributes: Attributes): Vocabulary {
  const pool = readPool(attributes)
  const starts = attributes.ints('ngram_counts')
  const indexes = attributes.ints('ngram_indexes')
  const shortest = attributes.int('min_gram_length')
  const longest = attributes.int('max_gram_length')
  const skips = attributes.int('max_skip_count')
  if (shortest < 1 || longest < shortest) throw misfit('max_gram_length', `${shortest} or more`, `${longest}`)
  if (skips < 0) throw misfit('max_skip_count', '0 or more', `${skips}`)
  const grams = new Map<string, number>()
  let size = 0
  for (const [level, start] of starts.entries()) {
    const n = level + 1
    const end = starts[n] ?? pool.length
    if (start < 0 || end < start || end > pool.length || (end - start) % n !== 0)
      throw misfit(
        'ngram_counts',
        `the starts of 1-grams, 2-grams... in a pool of ${pool.length}`,
        `${starts}`,
      )
    for (let at = start; at < end; at += n, size++)
      if (n >= shortest && n <= longest) grams.set(keyOf(pool.slice(at, at + n)), size)
  }
  if (indexes.length < size) throw misfit('ngram_indexes', `${size} entries`, `${indexes.length}`)
  return { grams, size, indexes, shortest, longest, skips }
}

function readPool(attributes: Attributes): readonly string[] {
  const texts = attributes.optionalStrings('pool_strings')
  const given = attributes.get('pool_int64s')
  if ((texts === undefined) === (given === undefined))
    throw new EspalierError('invalid-graph', 'one of pool_strings and pool_int64s is wanted, and only one')
  // Read as they are written: `optionalInts` would round beyond 2^53.
  return (
    texts ?? (given?.type === 'ints' ? given.value.map(String) : attributes.ints('pool_int64s').map(String))
  )
}

/** How often each n-gram of the vocabulary occurs. */
function countGrams(
  items: readonly string[],
  { grams, shortest, longest, skips }: Vocabulary,
): Map<number, number> {
  const counts = new Map<number, number>()
  for (let n = shortest; n <= Math.min(longest, items.length); n++)
    for (let skip = 0; skip <= (n === 1 ? 0 : skips); skip++) {
      const reach = (n - 1) * (skip + 1)
      if (reach >= items.length) break
      for (let start = 0; start + reach < items.length; start++) {
        const gram = grams.get(keyOf(Array.from({ length: n }, (_, k) => items[start + k * (skip + 1)]!)))
        if (gram !== undefined) counts.set(gram, (counts.get(gram) ?? 0) + 1)
      }
    }
  return counts
}

/** What `count` occurrences of n-gram `gram` add to the vector. */
function weighting(attributes: Attributes, size: number): (gram: number, count: number) => number {
  const mode = attributes.string('mode')
  const weights = attributes.optionalFloats('weights')
  if (weights !== undefined && weights.length < size)
    throw misfit('weights', `${size} entries`, `${weights.length}`)
  const weight = (gram: number): number => weights?.[gram] ?? 1
  switch (mode) {
    case 'TF':
      return (_, count) => count
    case 'IDF':
      return gram => weight(gram)
    case 'TFIDF':
      return (gram, count) => weight(gram) * count
    default:
      throw misfit('mode', 'TF, IDF or TFIDF', mode)
  }
}

function misfit(field: string, expected: string, got: string): EspalierError {
  return new EspalierError('bad-argument', 'an attribute does not fit', { where: { field }, expected, got })
}
