/** (x - mean) / sqrt(mean((x - mean)^2) + e) over the last axis: layer norm. Scale and shift join in norm-affine.ts. */
import type { NodeRule } from '../rule.ts'
import { centeredOf, normOf, standardizedBy } from './standardize.ts'

export const layerNorm: NodeRule = {
  name: 'layer-norm',
  at: ['Div', 'Mul'],
  apply(node, c) {
    const found = standardizedBy(c, node)
    const x = found && centeredOf(c, found.numerator)
    if (x === undefined || centeredOf(c, found!.squared) !== x) return undefined
    // The difference may be computed once for both, or apart.
    const differences = new Set([found!.numerator, found!.squared])
    const reads = [...differences].reduce((count, name) => count + c.readers(name).length, 0)
    if (reads > 2 || [...differences].some(name => c.isOutput(name))) return undefined
    return normOf(c, node, 'espalier.SkipLayerNormalization', x, found!.epsilon)
  },
}
