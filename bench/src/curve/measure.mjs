// Times a layer over its share of zeros, relative to our own dense kernel of the same number format. Runs in Node and, in a
// bundle, in a browser.
import { findLayers, patternNamed, sweepLayer } from 'espalier/compress'
import { tensorType } from 'espalier/graph'
import { graphOfLayer, layers } from './layers.mjs'
import { SPARSITIES, series } from './series.mjs'

/** How many curves there are. */
export const CURVES = layers.length * series.length

/** The layer of curve number `index`. */
export const layerOf = index => layers[Math.floor(index / series.length)]

/**
 * Curve number `index`, of a layer and a series, on a variant of the kernels: milliseconds of the dense kernel, and of the
 * sparse one at each share of zeros. `budget` are the milliseconds that each is timed for.
 */
export async function measureCurve(index, { backend, isa, threads, budget }) {
  const layer = layerOf(index)
  const { name, impositions } = series[index % series.length]
  const [found] = findLayers(graphOfLayer(layer), new Map([['x', tensorType('float32', layer.input)]])).layers
  const curve = { layer: layer.name, series: name, points: [] }
  for (const imposition of impositions) {
    const [pattern, format] = imposition.split(',')
    const own = patternNamed(pattern)
    const swept = await sweepLayer(
      found,
      {
        pattern: own,
        form: format === undefined ? 'float32' : 'int8-static',
        sparsities: own.sparsity === undefined ? SPARSITIES : [own.sparsity],
      },
      { backend, isa, threads, budget, cold: layer.cold ?? false, onWarning: () => {} },
    )
    const dense = swept.dense.milliseconds
    for (const point of swept.points)
      curve.points.push({ ...point, pattern, dense, gain: dense / point.milliseconds })
  }
  return curve
}
