/** x * tanh(softplus(x)): Mish, where the operator set has it. */
import type { NodeRule } from '../rule.ts'
import { bothOrders } from '../terms.ts'

/** The operator set that brought Mish. */
const SINCE = 18

export const mish: NodeRule = {
  name: 'mish',
  at: ['Mul'],
  apply(node, c) {
    if (c.opset < SINCE) return undefined
    for (const [x, gate] of bothOrders(node.inputs)) {
      const tanh = c.only(gate, 'Tanh')
      const inner = tanh && c.only(tanh.inputs[0], 'Softplus')
      if (inner?.inputs[0] !== x || !c.isFloat32(x)) continue
      const draft = c.draft()
      draft.node('Mish', [x], {}, { output: node.outputs[0]!, name: node.name })
      return draft.done()
    }
    return undefined
  },
}
