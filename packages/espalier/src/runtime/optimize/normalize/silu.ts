/** x * sigmoid(a x): SiLU, also called Swish, and with a = 1.702 the quick approximation of GELU. */
import { activate } from '../activation.ts'
import type { NodeRule } from '../rule.ts'
import { bothOrders, productBehind, productOf } from '../terms.ts'

export const silu: NodeRule = {
  name: 'silu',
  at: ['Mul'],
  apply(node, c) {
    const product = productOf(c, node)
    if (product?.coefficient !== 1) return undefined
    for (const [x, gate] of bothOrders(product.factors)) {
      const sigmoid = c.only(gate, 'Sigmoid')
      const inner = sigmoid && productBehind(c, sigmoid.inputs[0]!)
      if (inner?.factors.length === 1 && inner.factors[0] === x)
        return activate(c, node, x, { activation: 'silu', alpha: inner.coefficient, beta: 0 })
    }
    return undefined
  },
}
