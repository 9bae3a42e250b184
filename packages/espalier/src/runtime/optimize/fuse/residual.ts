/** A sum of a product or convolution and a value of the same shape: the value is added while the result is written. */
import type { NodeRule } from '../rule.ts'
import { bothOrders, sameDims } from '../terms.ts'
import { extended, hostOf, RESIDUAL } from './epilogue.ts'

export const residual: NodeRule = {
  name: 'residual',
  at: ['Add'],
  apply(node, c) {
    const shape = c.shape(node.outputs[0])
    for (const [product, other] of bothOrders(node.inputs)) {
      const host = hostOf(c, product)
      if (host === undefined || (host.inputs[RESIDUAL] ?? '') !== '' || host.op === 'ConvTranspose') continue
      if (!c.isFloat32(other) || !sameDims(c.shape(product), shape) || !sameDims(c.shape(other), shape))
        continue
      const draft = c.draft()
      draft.add(extended(host, node.outputs[0]!, { residual: other }))
      return draft.done()
    }
    return undefined
  },
}
