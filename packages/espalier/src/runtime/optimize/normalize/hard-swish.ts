/** x * hard_sigmoid(x) with slope 1/6 and offset 1/2, in one piece or as x * clip(x + 3, 0, 6) / 6: hard swish. */
import { type ActivationCall, activate, activationOf } from '../activation.ts'
import type { NodeRule, RuleContext } from '../rule.ts'
import { bothOrders, near, productOf } from '../terms.ts'
import { clippedSum } from './hard-sigmoid.ts'

export const hardSwish: NodeRule = {
  name: 'hard-swish',
  at: ['Mul', 'Div'],
  apply(node, c) {
    const product = productOf(c, node)
    for (const [x, gate] of bothOrders(product?.factors ?? [])) {
      const found = gateOf(c, gate, product!.coefficient)
      if (found?.x !== x || !near(found.call.alpha, 1 / 6) || !near(found.call.beta, 0.5)) continue
      return activate(c, node, x, { activation: 'hard_swish', alpha: 0, beta: 0 })
    }
    return undefined
  },
}

/** The hard sigmoid that `coefficient` times the value `name` is. */
function gateOf(
  c: RuleContext,
  name: string,
  coefficient: number,
): { readonly x: string; readonly call: ActivationCall } | undefined {
  const whole = c.only(name, 'HardSigmoid', 'espalier.Activation')
  const call = whole && activationOf(c, whole)
  if (call?.activation === 'hard_sigmoid' && coefficient === 1) return { x: whole!.inputs[0]!, call }
  return clippedSum(c, name, coefficient)
}
