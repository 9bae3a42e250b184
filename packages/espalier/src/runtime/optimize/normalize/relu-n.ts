/** min(relu(x), n) in one step: ReLU6 and its kin, from Clip or Min behind Relu. */
import { activate, activationOf } from '../activation.ts'
import type { NodeRule } from '../rule.ts'
import { bothOrders } from '../terms.ts'

export const reluN: NodeRule = {
  name: 'relu-n',
  at: ['Clip', 'Min'],
  apply(node, c) {
    const clip = node.op === 'Clip' ? activationOf(c, node) : undefined
    const clipped: readonly (readonly [string, number | undefined])[] =
      node.op === 'Clip'
        ? [[node.inputs[0]!, clip?.beta]]
        : bothOrders(node.inputs).map(([value, bound]) => [value, c.scalar(bound)])
    for (const [value, high] of clipped) {
      const relu = c.only(value, 'Relu')
      if (relu === undefined || high === undefined || high < 0) continue
      const low = Math.max(0, clip?.alpha ?? 0)
      return activate(c, node, relu.inputs[0]!, { activation: 'clip', alpha: low, beta: high })
    }
    return undefined
  },
}
