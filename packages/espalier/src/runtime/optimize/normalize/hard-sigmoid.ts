/** clip(x + b, 0, m) / m: the hard sigmoid, as torch writes ReLU6(x + 3) / 6. */
import type { Node } from '../../../graph/graph.ts'
import { type ActivationCall, activate, activationOf } from '../activation.ts'
import type { NodeRule, RuleContext } from '../rule.ts'
import { near, offsetOf, productOf } from '../terms.ts'

export const hardSigmoid: NodeRule = {
  name: 'hard-sigmoid',
  at: ['Mul', 'Div'],
  apply(node, c) {
    const product = productOf(c, node)
    if (product?.factors.length !== 1) return undefined
    const found = clippedSum(c, product.factors[0]!, product.coefficient)
    return found && activate(c, node, found.x, found.call)
  },
}

/** The hard sigmoid that `coefficient` times the value `name` is, and of what. */
export function clippedSum(
  c: RuleContext,
  name: string,
  coefficient: number,
): { readonly x: string; readonly call: ActivationCall } | undefined {
  const node = c.only(name, 'Clip', 'espalier.Activation')
  const clip = node && clipping(c, node)
  const sum = clip && offsetOf(c, c.only(node!.inputs[0], 'Add', 'Sub'))
  if (sum === undefined || clip!.alpha !== 0 || !near(clip!.beta * coefficient, 1)) return undefined
  return {
    x: sum.value,
    call: { activation: 'hard_sigmoid', alpha: coefficient, beta: sum.offset * coefficient },
  }
}

function clipping(c: RuleContext, node: Node): ActivationCall | undefined {
  const call = activationOf(c, node)
  return call?.activation === 'clip' ? call : undefined
}
