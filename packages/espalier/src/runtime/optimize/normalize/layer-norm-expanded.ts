/**
 * x m + (shift - mean m) with m = scale / sqrt(variance + e): layer norm as TensorFlow's batch normalisation multiplies
 * it out.
 */
import type { Node } from '../../../graph/graph.ts'
import { reshape } from '../../../tensor/tensor.ts'
import type { Exchange, NodeRule, RuleContext } from '../rule.ts'
import { bothOrders } from '../terms.ts'
import { centeredOf, inverseRootOf, meanOf, meanSquare } from './standardize.ts'

export const layerNormExpanded: NodeRule = {
  name: 'layer-norm-expanded',
  at: ['Add'],
  apply(node, c) {
    for (const [product, rest] of bothOrders(node.inputs)) {
      const [times, minus] = [c.only(product, 'Mul'), c.only(rest, 'Sub')]
      if (times === undefined || minus === undefined) continue
      for (const [x, factor] of bothOrders(times.inputs)) {
        const change = expansion(c, node, minus, x, factor)
        if (change !== undefined) return change
      }
    }
    return undefined
  },
}

/** `node` is x * factor + `minus`, with `minus` = shift - mean * factor. */
function expansion(c: RuleContext, node: Node, minus: Node, x: string, factor: string): Exchange | undefined {
  const [shift, shifted] = minus.inputs as readonly [string, string]
  const product = c.only(shifted, 'Mul')
  const isMeanTimesFactor = bothOrders(product?.inputs ?? []).some(
    ([mean, same]) => same === factor && meanOf(c, mean) === x,
  )
  const maker = c.made(factor, 'Mul')
  if (!isMeanTimesFactor || maker === undefined || c.readers(factor).length !== 2) return undefined
  const width = c.shape(x)?.at(-1)
  for (const [inverse, scale] of bothOrders(maker.inputs)) {
    const radicand = inverseRootOf(c, inverse)
    const variance = radicand === undefined ? undefined : meanSquare(c, radicand)
    if (variance === undefined || centeredOf(c, variance.squared) !== x || !c.isFloat32(x)) continue
    const [gamma, beta] = [c.constant(scale), c.constant(shift)]
    if (gamma?.data.length !== width || beta?.data.length !== width) continue
    if (c.shape(node.outputs[0])?.length !== c.shape(x)?.length) continue
    const draft = c.draft()
    const vectors = [gamma!, beta!].map((value, index) =>
      draft.constant(reshape(value, [width as number]), [scale, shift][index]!),
    )
    draft.node(
      'espalier.SkipLayerNormalization',
      [x, undefined, ...vectors],
      { epsilon: { type: 'float', value: variance.epsilon } },
      { output: node.outputs[0]!, name: node.name },
    )
    return draft.done()
  }
  return undefined
}
