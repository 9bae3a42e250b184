// Line charts as SVG text: several panels with the same axes and one legend. Readable on light and dark pages, and without
// telling colours apart: every series has a mark of its own, and the colours are those of Okabe and Ito. Knows nothing of
// what is plotted: scales are those of the caller, who gives places along the axes.

const PANEL = { width: 430, height: 290, left: 54, right: 14, top: 34, bottom: 50 }
const MARGIN = 14
const LINE = 17
const LEGEND = { mark: 26, letter: 6.6, gap: 22 }

/** Colour on light and on dark pages, and mark. */
const styles = [
  { light: '#0072b2', dark: '#56b4e9', mark: circle },
  { light: '#d55e00', dark: '#ff9a4d', mark: square },
  { light: '#00875f', dark: '#3fcfa0', mark: triangle },
  { light: '#a8508a', dark: '#e3a5cb', mark: diamond },
  { light: '#8a6a00', dark: '#f0d264', mark: cross },
  { light: '#3b3f46', dark: '#c9d1d9', mark: downTriangle },
]

/** Most series of a chart. */
export const MOST_SERIES = styles.length

/**
 * The text of an SVG file. `series` are names in the order of their colours; a panel has `title` and `lines`: `series` (its
 * number), `points` `{ x, y }` and `text`, what a pointer over a mark shows, of each point. An axis has a `label` and `ticks` `{ at, text }`, of which the first and the last are its ends. `guides` are dashed
 * lines with a name, in every panel; the second one is dotted. `loose` are the numbers of series that no line joins. Points outside the axes are left out.
 */
export function lineCharts({
  title,
  subtitle = '',
  series,
  panels,
  x,
  y,
  guides = [],
  loose = [],
  columns = 2,
  notes = [],
}) {
  if (series.length > MOST_SERIES) throw new RangeError(`a chart has at most ${MOST_SERIES} series`)
  const across = Math.min(columns, panels.length)
  const width = 2 * MARGIN + across * PANEL.width
  const rows = Math.ceil(panels.length / across)
  const head = MARGIN + 24 + (subtitle === '' ? 0 : LINE)
  const legend = legendOf(series, guides, loose, width - 2 * MARGIN)
  const bottom = head + rows * PANEL.height
  const height = bottom + legend.height + notes.length * LINE + MARGIN
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>${css()}</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    text(MARGIN + 4, MARGIN + 16, title, 'title'),
    ...(subtitle === '' ? [] : [text(MARGIN + 4, MARGIN + 18 + LINE, subtitle, 'quiet')]),
    ...panels.map((panel, index) => {
      const left = MARGIN + (index % across) * PANEL.width
      const top = head + Math.floor(index / across) * PANEL.height
      return `<g transform="translate(${left} ${top})">${drawPanel(panel, { series, x, y, guides, loose })}</g>`
    }),
    `<g transform="translate(${MARGIN} ${bottom})">${legend.body}</g>`,
    ...notes.map((note, index) =>
      text(MARGIN + 4, bottom + legend.height + (index + 0.6) * LINE, note, 'quiet'),
    ),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

function drawPanel({ title, lines }, { series, x, y, guides, loose }) {
  const [right, bottom] = [PANEL.width - PANEL.right, PANEL.height - PANEL.bottom]
  const placeX = scaleOf(x, PANEL.left, right)
  const placeY = scaleOf(y, bottom, PANEL.top)
  const visible = ({ x: a, y: b }) => isWithin(x, a) && isWithin(y, b)
  const pathOf = points =>
    points
      .map((point, i) => `${i === 0 ? 'M' : 'L'}${round(placeX(point.x))} ${round(placeY(point.y))}`)
      .join('')
  const grid = [
    ...x.ticks.map(({ at, text: label }) => {
      const place = round(placeX(at))
      return `<path class="grid" d="M${place} ${PANEL.top}V${bottom}"/>${text(place, bottom + 15, label, 'tick', 'middle')}`
    }),
    ...y.ticks.map(({ at, text: label }) => {
      const place = round(placeY(at))
      return `<path class="grid" d="M${PANEL.left} ${place}H${right}"/>${text(PANEL.left - 6, place + 4, label, 'tick', 'end')}`
    }),
  ]
  const dashed = guides.map(({ points }, i) => `<path class="guide g${i}" d="${pathOf(clip(points, y))}"/>`)
  const drawn = lines.map(({ series: index, points, text: words }) => {
    const shown = points.map((point, i) => ({ ...point, words: words?.[i] })).filter(visible)
    const path =
      loose.includes(index) || shown.length < 2 ? '' : `<path class="line s${index}" d="${pathOf(shown)}"/>`
    const marks = shown.map(point => {
      const tip = `${series[index]}${point.words === undefined ? '' : `: ${point.words}`}`
      return `<path class="mark s${index}" d="${styles[index].mark(placeX(point.x), placeY(point.y))}"><title>${escaped(tip)}</title></path>`
    })
    return path + marks.join('')
  })
  return [
    text(PANEL.left, PANEL.top - 12, title, 'panel'),
    ...grid,
    ...dashed,
    ...drawn,
    text((PANEL.left + right) / 2, PANEL.height - 12, x.label, 'quiet', 'middle'),
    `<text class="quiet" text-anchor="middle" transform="translate(15 ${(PANEL.top + bottom) / 2}) rotate(-90)">${escaped(y.label)}</text>`,
  ].join('\n')
}

/** A line between two points, cut where it leaves the axis upwards or downwards. */
function clip([from, to], { ticks }) {
  const [low, high] = [ticks[0].at, ticks.at(-1).at]
  const at = level => from.x + ((to.x - from.x) * (level - from.y)) / (to.y - from.y)
  return [from, to].map(point => {
    const y = Math.min(high, Math.max(low, point.y))
    return y === point.y ? point : { x: at(y), y }
  })
}

/** Names with their marks, in as many rows as they need. */
function legendOf(series, guides, loose, width) {
  const entries = [
    ...series.map((name, index) => ({
      name,
      sign: `${loose.includes(index) ? '' : `<path class="line s${index}" d="M0 0H20"/>`}<path class="mark s${index}" d="${styles[index].mark(10, 0)}"/>`,
    })),
    ...guides.map(({ name }, index) => ({ name, sign: `<path class="guide g${index}" d="M0 0H20"/>` })),
  ]
  let [left, row] = [4, 0]
  const drawn = entries.map(({ name, sign }) => {
    const taken = LEGEND.mark + LEGEND.letter * name.length
    if (left > 4 && left + taken > width) {
      left = 4
      row++
    }
    const place = `translate(${round(left)} ${12 + row * 20})`
    left += taken + LEGEND.gap
    return `<g transform="${place}">${sign}${text(LEGEND.mark, 4, name, 'name')}</g>`
  })
  return { body: drawn.join('\n'), height: 20 * (row + 1) + 10 }
}

/** From places along an axis to units of the drawing. */
function scaleOf({ ticks }, from, to) {
  const [low, high] = [ticks[0].at, ticks.at(-1).at]
  return at => from + ((at - low) / (high - low)) * (to - from)
}

function isWithin({ ticks }, at) {
  const slack = 1e-9 * (ticks.at(-1).at - ticks[0].at)
  return at >= ticks[0].at - slack && at <= ticks.at(-1).at + slack
}

function css() {
  const colours = shade =>
    styles
      .map(style => style[shade])
      .map((colour, i) => `.s${i}{stroke:${colour}}.mark.s${i}{fill:${colour}}`)
      .join('')
  const page = (back, ink, quiet, grid) =>
    `.page{fill:${back}}text{fill:${ink}}.quiet,.tick{fill:${quiet}}.grid{stroke:${grid}}.guide{stroke:${quiet}}`
  return [
    'text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}',
    'text.title{font-size:16px;font-weight:600}text.panel{font-size:13px;font-weight:600}text.tick{font-size:11px}',
    '.line{fill:none;stroke-width:2;stroke-linejoin:round}.mark{stroke-width:1}',
    '.grid{stroke-width:1}.guide{fill:none;stroke-width:1.2;stroke-dasharray:6 4}.g1{stroke-dasharray:1.5 3}',
    page('#ffffff', '#1c2329', '#5c6670', '#e3e7eb'),
    colours('light'),
    `@media (prefers-color-scheme:dark){${page('#14181d', '#e4e9ee', '#9aa4ae', '#2b323a')}${colours('dark')}}`,
  ].join('')
}

function text(x, y, words, kind, anchor = 'start') {
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escaped(words)}</text>`
}

function circle(x, y) {
  return `M${round(x - 3.6)} ${round(y)}a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z`
}
function square(x, y) {
  return `M${round(x - 3.3)} ${round(y - 3.3)}h6.6v6.6h-6.6z`
}
function triangle(x, y) {
  return `M${round(x)} ${round(y - 4.4)}l4.2 7.4h-8.4z`
}
function downTriangle(x, y) {
  return `M${round(x)} ${round(y + 4.4)}l4.2 -7.4h-8.4z`
}
function diamond(x, y) {
  return `M${round(x)} ${round(y - 4.8)}l4.6 4.8l-4.6 4.8l-4.6 -4.8z`
}
function cross(x, y) {
  return `M${round(x - 1.3)} ${round(y - 4.2)}h2.6v2.9h2.9v2.6h-2.9v2.9h-2.6v-2.9h-2.9v-2.6h2.9z`
}

const round = number => Number(number.toFixed(1))
const escaped = words =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
