/** log(exp(x) + 1): softplus. The operator does not overflow where the formula does. */
import type { NodeRule } from '../rule.ts'
import { near, offsetOf, sameRank } from '../terms.ts'

export const softplus: NodeRule = {
  name: 'softplus',
  at: ['Log'],
  apply(node, c) {
    const sum = offsetOf(c, c.only(node.inputs[0], 'Add'))
    const exp = sum && c.only(sum.value, 'Exp')
    const x = exp?.inputs[0]
    if (x === undefined || !near(sum!.offset, 1) || !c.isFloat32(x) || !sameRank(c, x, node.outputs[0]!))
      return undefined
    const draft = c.draft()
    draft.node('Softplus', [x], {}, { output: node.outputs[0]!, name: node.name })
    return draft.done()
  },
}
