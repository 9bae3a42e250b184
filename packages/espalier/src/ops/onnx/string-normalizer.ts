/** Removal of stop words and change of case, for a list of words. */
import { EspalierError } from '../../errors.ts'
import { tensorType } from '../../graph/graph.ts'
import { strings } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import { tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { int, optional, string } from '../schema.ts'

export const StringNormalizer: Op = {
  name: 'StringNormalizer',
  doc: 'Removes stop words from a list of words and changes the case of the rest.',
  limits:
    'Case follows the locale as far as the JavaScript host knows it; without `locale`, Unicode defaults.',
  versions: {
    10: {
      inputs: ['X: string'],
      outputs: ['Y: string'],
      attributes: {
        case_change_action: string('NONE', ['LOWER', 'UPPER', 'NONE']),
        is_case_sensitive: int(0),
        locale: optional('string'),
        stopwords: optional('strings'),
      },
    },
  },
  infer(c) {
    const shape = c.shape(0)
    return [tensorType('string', shape && [...shape.slice(0, -1), null])]
  },
  evaluate(c) {
    const x = c.tensor(0)
    if (x.shape.length !== 1 && !(x.shape.length === 2 && x.shape[0] === 1))
      throw new EspalierError('bad-shape', 'not a list of words', {
        expected: 'shape C or 1xC',
        got: formatShape(x.shape),
      })
    const locale = languageTag(c.attributes.optionalString('locale'))
    const lower = (word: string): string => word.toLocaleLowerCase(locale)
    const key = c.attributes.int('is_case_sensitive') !== 0 ? (word: string): string => word : lower
    const stopwords = new Set((c.attributes.optionalStrings('stopwords') ?? []).map(key))
    const kept = strings(x).filter(word => !stopwords.has(key(word)))
    const words = kept.map(caseChange(c.attributes.string('case_change_action'), lower, locale))
    if (words.length === 0) words.push('')
    return [tensor('string', x.shape.with(-1, words.length), words)]
  },
}

function caseChange(
  action: string,
  lower: (word: string) => string,
  locale: string | undefined,
): (word: string) => string {
  switch (action) {
    case 'NONE':
      return word => word
    case 'LOWER':
      return lower
    case 'UPPER':
      return word => word.toLocaleUpperCase(locale)
    default:
      throw new EspalierError('bad-argument', 'unknown case change', {
        where: { field: 'case_change_action' },
        expected: 'LOWER, UPPER or NONE',
        got: action,
      })
  }
}

/** A POSIX locale (`en_US.UTF-8`, `C`) as a language tag. Throws `bad-argument` when it is not one. */
function languageTag(locale: string | undefined): string | undefined {
  const name = (locale ?? '').replace(/[.@].*$/, '').replaceAll('_', '-')
  if (name === '' || name === 'C' || name === 'POSIX') return 'en-US'
  try {
    return Intl.getCanonicalLocales(name)[0]
  } catch (cause) {
    throw new EspalierError('bad-argument', 'not a locale', {
      where: { field: 'locale' },
      expected: 'such as en_US',
      got: locale!,
      cause,
    })
  }
}
