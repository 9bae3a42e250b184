/**
 * A vector added to a product becomes its bias: one number for each column. Other sums (masks of attention, residuals)
 * are left for rules that come later.
 */
import { reshape } from '../../../tensor/tensor.ts'
import { type Product, plainProduct, productWith } from '../product.ts'
import type { NodeRule, RuleContext } from '../rule.ts'
import { bothOrders } from '../terms.ts'

export const matmulBias: NodeRule = {
  name: 'matmul-bias',
  at: ['Add'],
  apply(node, c) {
    for (const [product, other] of bothOrders(node.inputs)) {
      const found = plainProduct(c, product)
      if (found === undefined || found.bias !== undefined) continue
      const draft = c.draft()
      const constant = c.constant(other)
      if (!isColumnVector(c, found, product, other)) continue
      const bias =
        constant === undefined || constant.shape.length === 1
          ? other
          : draft.constant(reshape(constant, [constant.data.length]), other)
      productWith(draft, node, { ...found, bias })
      return draft.done()
    }
    return undefined
  },
}

/** Whether a value holds one float32 for each column of the product, and nothing more. */
function isColumnVector(c: RuleContext, _: Product, product: string, name: string): boolean {
  const [shape, columns] = [c.shape(name), c.shape(product)]
  if (shape === undefined || columns === undefined || !c.isFloat32(name)) return false
  if (typeof columns.at(-1) !== 'number' || shape.length === 0 || shape.length > columns.length) return false
  const isConstant = c.constant(name) !== undefined
  return (
    shape.at(-1) === columns.at(-1) &&
    shape.slice(0, -1).every(extent => extent === 1) &&
    (shape.length === 1 || isConstant)
  )
}
