import { describe, expect, test } from 'vitest'
import { fullMatcher } from './re2.ts'

const matches = (pattern: string, text: string): boolean => fullMatcher(pattern).matches(text)

describe('full matches', () => {
  const cases: readonly (readonly [pattern: string, yes: readonly string[], no: readonly string[]])[] = [
    ['', [''], ['a']],
    ['abc', ['abc'], ['ab', 'abcd', 'ABC']],
    ['a.c', ['abc', 'a😀c'], ['a\nc', 'ac']],
    ['(?s)a.c', ['a\nc'], []],
    ['a|bc|', ['a', 'bc', ''], ['abc']],
    ['(a|b)*c', ['c', 'ababc'], ['abd']],
    ['a+b?', ['a', 'aab'], ['b', 'abb']],
    ['a+?b*?', ['aab'], ['b']],
    ['a{2}b{1,2}c{2,}', ['aabcc', 'aabbcccc'], ['abcc', 'aabbbcc', 'aabc']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['(a*)*', ['', 'aaaa'], ['b']],
    ['[a-c]x[^a-c]', ['bxd', 'cx]'], ['dxd', 'bxb']],
    ['[]a-]+', [']a-'], ['b']],
    ['[^]]', ['a'], [']']],
    ['[\\d\\-.]+', ['1-2.3'], ['a']],
    ['\\w+\\s\\S\\W\\D', ['a_1 x-y'], ['é x-y', 'a_1\vx-y']],
    ['[[:alpha:]_]+[[:^digit:]]', ['ab_!'], ['ab1']],
    ['\\p{Greek}\\pL\\P{L}\\p{^Lu}', ['αx1a'], ['ax1a', 'αx1A']],
    ['(?i)stra[s-u]', ['STRAS', 'strat'], ['straz']],
    ['(?i:a)b', ['Ab', 'ab'], ['AB']],
    ['(?i)[^k]', ['x'], ['K', 'k']],
    ['a(?i)b|c', ['aB', 'C'], ['AB']],
    ['(?P<year>\\d{4})-(?<month>\\d\\d)', ['2024-05'], ['24-05']],
    ['^a$', ['a'], ['a\n']],
    ['a$\\n^b', [], ['a\nb']],
    ['(?m)a$\\n^b', ['a\nb'], []],
    ['\\Aa\\z', ['a'], []],
    ['.*\\bcat\\b.*', ['a cat!', 'cat'], ['concat']],
    ['a\\Bb', ['ab'], []],
    ['\\Qa.b*\\E+', ['a.b*', 'a.b**'], ['axb*']],
    ['\\x41\\x{1F600}\\101\\n\\.', ['A😀A\n.'], []],
    ['www\\.[\\w.-]+\\.\\bcom\\b', ['www.a-b.com'], ['www.bbc.co.uk']],
  ]
  test.each(cases)('%s', (pattern, yes, no) => {
    for (const text of yes) expect(`${text}: ${matches(pattern, text)}`).toBe(`${text}: true`)
    for (const text of no) expect(`${text}: ${matches(pattern, text)}`).toBe(`${text}: false`)
  })

  test('time is linear where backtracking is exponential', () => {
    expect(matches('(a|a|aa)*b', 'a'.repeat(5000))).toBe(false)
    expect(matches('(x+x+)+y', 'x'.repeat(2000))).toBe(false)
  })
})

describe('refusals', () => {
  test.each([
    '(',
    ')',
    'a**',
    '*a',
    'a{2}{3}',
    'a{1001}',
    'a{3,2}',
    '[a',
    '[z-a]',
    '[\\d-z]x[a-\\d]',
    '[[:nope:]]',
    '\\p{Nope}',
    '\\p{Alphabetic}',
    '\\1',
    '\\Z',
    '\\x{110000}',
    'a\\',
    '(?=a)',
    '(?<!a)',
    '(?P<a-b>c)',
    '(?z)',
    '('.repeat(2000),
  ])('%s is not RE2', pattern => {
    expect(() => fullMatcher(pattern)).toThrow(expect.objectContaining({ code: 'bad-argument' }))
  })

  test('single bytes and huge automata', () => {
    expect(() => fullMatcher('\\C')).toThrow(expect.objectContaining({ code: 'unsupported' }))
    expect(() => fullMatcher('((a{1000}){1000}){1000}')).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    )
  })
})
