// The charts of measured curves: one for each engine, a panel for each layer. Both axes are logarithmic, the one across in
// what is left of the weights, so that a kernel whose time is that of its multiplications is a straight line.
import { lineCharts } from '../chart/line-charts.mjs'
import { layers } from './layers.mjs'
import { series } from './series.mjs'

/** Twice as many zeros gone, one further to the right. */
const across = sparsity => -Math.log2(1 - sparsity)
const x = {
  label: '% zeros (logarithmic in what is left)',
  ticks: [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99].map(sparsity => ({
    at: across(sparsity),
    text: `${Math.round(100 * sparsity)}`,
  })),
}

/** The text of the SVG file of one engine. */
export function chartOf({ name, curves, machine, threads, version, date }) {
  const gains = curves.flatMap(({ points }) => points.map(({ gain }) => Math.log2(gain)))
  const [low, high] = [Math.floor(Math.min(-1, ...gains)), Math.ceil(Math.max(1, ...gains))]
  const y = {
    label: 'speed, our dense kernel 1x',
    ticks: Array.from({ length: high - low + 1 }, (_, i) => ({ at: low + i, text: gainText(low + i) })),
  }
  const used = series.filter(({ name: own }) =>
    curves.some(curve => curve.series === own && curve.points.length > 0),
  )
  const measured = layers.filter(({ name: own }) =>
    curves.some(({ layer, points }) => layer === own && points.length > 0),
  )
  const end = x.ticks.at(-1).at
  return lineCharts({
    title: `Speed over zeros: ${name}`,
    subtitle: `${machine.cpu}, ${threads} thread${threads === 1 ? '' : 's'}, ${machine.host}, Espalier ${version}, ${date}, load ${machine.load.toFixed(1)}`,
    series: used.map(({ name: own }) => own),
    loose: used.flatMap(({ loose }, index) => (loose ? [index] : [])),
    panels: measured.map(layer => ({
      title: layer.name,
      lines: used.map(({ name: own }, index) => {
        const points = curves.find(curve => curve.layer === layer.name && curve.series === own)?.points ?? []
        return {
          series: index,
          points: points.map(({ sparsity, gain }) => ({ x: across(sparsity), y: Math.log2(gain) })),
          text: points.map(pointText),
        }
      }),
    })),
    x,
    y,
    guides: [
      {
        name: 'as fast as dense',
        points: [
          { x: 0, y: 0 },
          { x: end, y: 0 },
        ],
      },
      {
        name: 'in proportion to what is left',
        points: [
          { x: 0, y: 0 },
          { x: end, y: end },
        ],
      },
    ],
  })
}

function gainText(exponent) {
  return `${2 ** exponent}x`
}

function pointText({ pattern, sparsity, milliseconds, gain }) {
  return `${pattern}, ${Math.round(100 * sparsity)} % zeros, ${milliseconds.toPrecision(3)} ms, ${gain.toFixed(2)}x`
}
