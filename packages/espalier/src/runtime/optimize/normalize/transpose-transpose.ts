/** Two transposes in a row are one, or none. */

import type { Node } from '../../../graph/graph.ts'
import type { NodeRule, RuleContext } from '../rule.ts'

export const transposeTranspose: NodeRule = {
  name: 'transpose-transpose',
  at: ['Transpose'],
  apply(node, c) {
    const inner = c.made(node.inputs[0], 'Transpose')
    const [second, first] = [permutationOf(c, node), inner && permutationOf(c, inner)]
    if (second === undefined || first === undefined) return undefined
    const perm = second.map(axis => first[axis]!)
    const x = inner!.inputs[0]!
    if (perm.every((axis, i) => axis === i)) return { same: x }
    const draft = c.draft()
    draft.node('Transpose', [x], { perm }, { output: node.outputs[0]!, name: node.name })
    return draft.done()
  },
}

/** Where each axis of a transpose comes from: axes in reverse where it does not say. */
export function permutationOf(c: RuleContext, node: Node): readonly number[] | undefined {
  const rank = c.shape(node.inputs[0])?.length
  const stated = c.attributes(node).optionalInts('perm')
  return stated ?? (rank === undefined ? undefined : Array.from({ length: rank }, (_, i) => rank - 1 - i))
}
