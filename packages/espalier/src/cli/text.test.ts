import { describe, expect, test } from 'vitest'
import {
  amount,
  brief,
  bytes,
  count,
  facts,
  milliseconds,
  percent,
  plural,
  shorten,
  table,
  wrap,
} from './text.ts'

describe('numbers', () => {
  test('count, plural, brief', () => {
    expect([count(0), count(1234567), plural(1, 'node'), plural(2000, 'node')]).toEqual([
      '0',
      '1,234,567',
      '1 node',
      '2,000 nodes',
    ])
    expect([brief(3), brief(1 / 3), brief(1e-7), brief(1e20), brief(Number.NaN)]).toEqual([
      '3',
      '0.333333',
      '1e-7',
      '100000000000000000000',
      'NaN',
    ])
  })

  test('milliseconds', () => {
    expect([0, 0.00123, 0.1234, 0.9996, 9.996, 99.96, 1234.5].map(milliseconds)).toEqual([
      '0.000',
      '0.0012',
      '0.123',
      '1.00',
      '10.0',
      '100',
      '1,235',
    ])
  })

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [10 * 1024, '10.0 KiB'],
    [10235, '10.0 KiB'],
    [1024 * 1024 - 1, '1.00 MiB'],
    [1.5 * 1024 ** 3, '1.50 GiB'],
    [5000 * 1024 ** 4, '5000.0 TiB'],
  ])('%d bytes are %s', (value, text) => expect(bytes(value)).toBe(text))

  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1.00 k'],
    [999_600, '1.00 M'],
    [332_922_880, '333 M'],
    [2e12, '2.00 T'],
    [null, '?'],
    ['batch', 'batch'],
    ['3000*batch+12', '3.00 k x batch + 12'],
    ['332922880*min(1000000000,unk__214)-4*n', '333 M x min(1.00 G,unk__214) - 4 x n'],
    ['5000*"batch 5000"', '5.00 k x "batch 5000"'],
  ])('%s is %s', (value, text) => expect(amount(value)).toBe(text))

  test('a share that is neither nothing nor all is never shown as such', () => {
    expect([0, 1e-9, 0.0005, 0.5, 0.9994, 0.9995, 1].map(percent)).toEqual([
      '0.0 %',
      '<0.1 %',
      '0.1 %',
      '50.0 %',
      '99.9 %',
      '>99.9 %',
      '100.0 %',
    ])
  })
})

describe('lines', () => {
  test('shorten keeps both ends, and more of the second', () => {
    expect(shorten('module.layer1.conv', 18)).toBe('module.layer1.conv')
    expect(shorten('module.layer1.conv', 10)).toBe('mod…1.conv')
    expect(shorten('😀😀😀😀', 3)).toBe('…😀😀')
  })

  test('wrap breaks at spaces and keeps line breaks and indents', () => {
    expect(wrap('  one two', 6)).toEqual(['  one', '  two'])
    expect(wrap('one two three\nfour', 8)).toEqual(['one two', 'three', 'four'])
    expect(wrap('a-very-long-word b', 4)).toEqual(['a-very-long-word', 'b'])
  })

  test('facts align, go on in the next line and leave out what is empty', () => {
    expect(
      facts(
        [
          ['nodes', '12: Conv Relu Add Mul Softmax'],
          ['none', ''],
          ['in', ['a', 'b']],
        ],
        27,
      ),
    ).toEqual(['nodes  12: Conv Relu Add', '       Mul Softmax', 'in     a', '       b'])
  })
})

describe('table', () => {
  const columns = [
    { title: 'layer', shrinkTo: 6 },
    { title: 'type', drop: 1 },
    { title: 'bytes', align: 'right' },
  ] as const
  const rows = [
    ['encoder.attention', 'float32', '12 B'],
    ['head', 'int8', '4 B'],
  ]

  test('aligns columns', () => {
    expect(table(columns, rows)).toEqual([
      'layer              type     bytes',
      'encoder.attention  float32   12 B',
      'head               int8       4 B',
    ])
    expect(table([{}, {}], [['a', 'b']])).toEqual(['a  b'])
    expect(table([], [])).toEqual([])
  })

  test('shortens first, then leaves columns out, and fits', () => {
    expect(table(columns, rows, 26)).toEqual([
      'layer       type     bytes',
      'enc…ention  float32   12 B',
      'head        int8       4 B',
    ])
    expect(table(columns, rows, 14)).toEqual(['layer    bytes', 'en…tion   12 B', 'head       4 B'])
    expect(table(columns, rows, 5)[1]).toBe('e…tion   12 B')
  })
})
