/** Bias, residual and activation behind a product with dynamic quantisation become part of it. */
import { sameDim } from '../../../graph/dim.ts'
import type { Node } from '../../../graph/graph.ts'
import { activationAttributes, activationOf, activationOperators } from '../activation.ts'
import type { Exchange, NodeRule, RuleContext } from '../rule.ts'
import { bothOrders } from '../terms.ts'

const operator = 'espalier.DynamicQuantizedMatMul'

export const dynamicMatMulEnd: NodeRule = {
  name: 'dynamic-mat-mul-end',
  at: ['Add', ...activationOperators],
  apply(node, c) {
    if (node.op !== 'Add') return withActivation(c, node)
    for (const [left, right] of bothOrders(node.inputs)) {
      const product = c.only(left, operator)
      if (product === undefined || c.attributes(product).string('activation') !== 'none') continue
      const [x, w, scale, zero = '', bias = '', residual = ''] = product.inputs
      const [columns] = c.shape(w)?.slice(-1) ?? []
      const added = c.shape(right)
      if (!c.isFloat32(right) || columns === undefined || added === undefined || residual !== '') continue
      if (bias === '' && c.constant(right) !== undefined && added.length === 1 && added[0] === columns)
        return renewed(c, product, node, [x, w, scale, zero, right])
      const shape = c.shape(left)
      if (shape === undefined || shape.length !== added.length) continue
      if (shape.every((extent, axis) => sameDim(extent, added[axis]!)))
        return renewed(c, product, node, [x, w, scale, zero, bias, right])
    }
    return undefined
  },
}

function withActivation(c: RuleContext, node: Node): Exchange | undefined {
  const product = c.only(node.inputs[0], operator)
  const call = activationOf(c, node)
  if (product === undefined || call === undefined) return undefined
  if (c.attributes(product).string('activation') !== 'none') return undefined
  return renewed(c, product, node, product.inputs, activationAttributes(call))
}

function renewed(
  c: RuleContext,
  product: Node,
  node: Node,
  inputs: readonly (string | undefined)[],
  attributes: ReturnType<typeof activationAttributes> = {},
): Exchange {
  const draft = c.draft()
  draft.node(operator, inputs, attributes, { output: node.outputs[0]!, name: product.name })
  return draft.done()
}
