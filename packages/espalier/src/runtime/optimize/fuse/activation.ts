/** A function of the shared list behind a product or convolution is applied while the result is written. */
import { activationOf, activationOperators } from '../activation.ts'
import type { NodeRule } from '../rule.ts'
import { extended, hostOf } from './epilogue.ts'

export const activation: NodeRule = {
  name: 'activation',
  at: activationOperators,
  apply(node, c) {
    const host = hostOf(c, node.inputs[0])
    const call = host && activationOf(c, node)
    if (call === undefined || call.activation === 'none') return undefined
    const draft = c.draft()
    draft.add(extended(host!, node.outputs[0]!, { activation: call }))
    return draft.done()
  },
}
