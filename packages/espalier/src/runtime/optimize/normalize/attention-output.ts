/** A transpose behind an attention becomes the layout of what it gives. */
import type { NodeRule } from '../rule.ts'
import { permutationOf } from './transpose-transpose.ts'

export const attentionOutput: NodeRule = {
  name: 'attention-output',
  at: ['Transpose'],
  apply(node, c) {
    const attention = c.only(node.inputs[0], 'espalier.Attention')
    const perm = attention && permutationOf(c, node)
    if (perm?.join() !== '0,2,1,3' || node.inputs[0] !== attention!.outputs[0]) return undefined
    const turned = c.attributes(attention!).string('y_layout') === 'bhsd' ? 'bshd' : 'bhsd'
    const draft = c.draft()
    draft.add({
      ...attention!,
      outputs: [node.outputs[0]!, ...attention!.outputs.slice(1)],
      attributes: new Map(attention!.attributes).set('y_layout', { type: 'string', value: turned }),
    })
    return draft.done(attention!)
  },
}
