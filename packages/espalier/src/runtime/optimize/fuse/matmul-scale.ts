/** A product times a number: the number becomes its scale, as long as nothing has been added. */
import { plainProduct, productWith } from '../product.ts'
import type { NodeRule } from '../rule.ts'
import { productOf } from '../terms.ts'

export const matmulScale: NodeRule = {
  name: 'matmul-scale',
  at: ['Mul', 'Div'],
  apply(node, c) {
    const scaled = productOf(c, node)
    const name = scaled?.factors.length === 1 ? scaled.factors[0]! : undefined
    const product = name === undefined ? undefined : plainProduct(c, name)
    if (product === undefined || product.bias !== undefined || product.residual !== undefined)
      return undefined
    if (c.shape(name!)?.length !== c.shape(node.outputs[0])?.length) return undefined
    const draft = c.draft()
    productWith(draft, node, { ...product, scale: product.scale * scaled!.coefficient })
    return draft.done()
  },
}
