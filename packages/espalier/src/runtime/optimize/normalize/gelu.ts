/** x/2 * (1 + erf(x / sqrt 2)), factors in any order and the half anywhere: GELU. */
import { activate } from '../activation.ts'
import type { NodeRule } from '../rule.ts'
import { bothOrders, near, offsetOf, productBehind, productOf } from '../terms.ts'

export const gelu: NodeRule = {
  name: 'gelu',
  at: ['Mul', 'Div'],
  apply(node, c) {
    const product = productOf(c, node)
    for (const [x, factor] of bothOrders(product?.factors ?? [])) {
      const sum = offsetOf(c, c.only(factor, 'Add'))
      const scaled = sum && productBehind(c, sum.value)
      const erf = scaled && c.only(scaled.factors[0], 'Erf')
      if (erf === undefined || scaled!.factors.length !== 1) continue
      // coefficient * (offset + k erf(...)) is (1 + erf(...)) / 2
      if (!near(product!.coefficient * sum!.offset, 0.5)) continue
      if (!near(product!.coefficient * scaled!.coefficient, 0.5)) continue
      const inner = productBehind(c, erf.inputs[0]!)
      if (inner.factors.length === 1 && inner.factors[0] === x && near(inner.coefficient, Math.SQRT1_2))
        return activate(c, node, x, { activation: 'gelu', alpha: 0, beta: 0 })
    }
    return undefined
  },
}
