// The text of charts: what is in them and where, by the paths and words that browsers draw.
import { expect, test } from 'vitest'
import { lineCharts, MOST_SERIES } from './line-charts.mjs'

const x = { label: 'across', ticks: [0, 5, 10].map(at => ({ at, text: `${at}` })) }
const y = { label: 'up', ticks: [-1, 0, 3].map(at => ({ at, text: `y${at}` })) }
const panel = (...lines) => ({ title: 'panel', lines })
const chart = (panels, options = {}) =>
  lineCharts({ title: 'A & <B>', series: ['first', 'second'], panels, x, y, ...options })
const count = (svg, what) => svg.split(what).length - 1
const corners = [
  { x: 0, y: -1 },
  { x: 10, y: 3 },
]

test('points lie where the axes say, joined by a line', () => {
  const svg = chart([panel({ series: 0, points: corners, text: ['low', 'high'] })])
  // The panel is 430 x 290, with 54 and 14 left and right of the axes, 34 and 50 above and below.
  expect(svg).toContain('<path class="line s0" d="M54 240L416 34"/>')
  expect(svg).toContain('M50.4 240a3.6') // a circle
  expect(svg).toMatch(/<title>first: low<\/title>.*<title>first: high<\/title>/s)
  expect(count(svg, 'class="mark s0"')).toBe(3) // one in the legend
  for (const words of ['across', 'up', 'panel', 'y-1', 'y3', '10']) expect(svg).toContain(`>${words}</text>`)
})

test('what is outside the axes is left out, and loose points are not joined', () => {
  const outside = [...corners, { x: 4, y: 3.5 }, { x: 11, y: 0 }]
  const svg = chart([panel({ series: 1, points: outside })], { loose: [1] })
  expect(count(svg, 'class="mark s1"')).toBe(3)
  expect(count(svg, 'class="line s1"')).toBe(0)
})

test('guides are cut at the axes', () => {
  const guide = {
    name: 'ideal',
    points: [
      { x: 0, y: 0 },
      { x: 10, y: 6 },
    ],
  }
  const svg = chart([panel()], { guides: [guide] })
  expect(svg).toContain('<path class="guide g0" d="M54 188.5L235 34"/>')
  expect(svg).toContain('>ideal</text>')
})

test('panels stand in columns, and the drawing has room for all of them, the legend and the notes', () => {
  const size = svg => /viewBox="0 0 (\d+) (\d+)"/.exec(svg).slice(1).map(Number)
  const [one, three] = [chart([panel()]), chart([panel(), panel(), panel()], { notes: ['a note'] })]
  expect(size(one)[0]).toBe(458)
  expect(size(three)).toEqual([888, size(one)[1] + 290 + 17])
  expect(three).toContain('translate(444 ')
  expect(three).toContain('>a note</text>')
})

test('words are escaped, and every tag is closed', () => {
  const svg = chart([panel({ series: 0, points: corners, text: ['"<', '&'] })], { subtitle: 'a < b' })
  expect(svg).toContain('<title id="title">A &amp; &lt;B&gt;</title>')
  expect(svg).toContain('first: &quot;&lt;')
  const open = []
  for (const [tag, name] of svg.matchAll(/<\/?([a-z]+)[^>]*>/g)) {
    if (tag.startsWith('</')) expect(open.pop()).toBe(name)
    else if (!tag.endsWith('/>')) open.push(name)
  }
  expect(open).toEqual([])
})

test('series have colours for light and dark pages, and there are not too many', () => {
  const svg = chart([panel()])
  expect(svg).toMatch(/\.s0\{stroke:#0072b2\}.*prefers-color-scheme:dark.*\.s0\{stroke:#56b4e9\}/s)
  const series = new Array(MOST_SERIES + 1).fill('one')
  expect(() => lineCharts({ title: '', series, panels: [panel()], x, y })).toThrow(RangeError)
})
