/**
 * The target of a reshape as a constant, where types say it: a number for an extent that is one, zero ("as it was") for
 * one that the input has at the same place. The arithmetic that computed the target is then dead, which is most of the
 * nodes of an exported transformer. No -1 is written: it would be ambiguous in a tensor without elements.
 */
import { sameDim } from '../../../graph/dim.ts'
import { int64 } from '../../../tensor/tensor.ts'
import type { NodeRule } from '../rule.ts'

export const reshapeTarget: NodeRule = {
  name: 'reshape-target',
  at: ['Reshape'],
  apply(node, c) {
    const [x, target] = node.inputs as readonly [string, string]
    const [given, made] = [c.shape(x), c.shape(node.outputs[0])]
    if (given === undefined || made === undefined || c.constant(target) !== undefined) return undefined
    if (given.includes(0) || made.includes(0)) return undefined
    const extents = made.map((dim, axis) => {
      if (typeof dim === 'number') return dim
      return sameDim(dim, given[axis] ?? null) ? 0 : undefined
    })
    if (!extents.every(extent => extent !== undefined)) return undefined
    const draft = c.draft()
    const attributes = new Map(node.attributes)
    attributes.delete('allowzero')
    draft.add({
      ...node,
      attributes,
      inputs: [x, draft.constant(int64(extents), `${node.outputs[0]}_target`)],
    })
    return draft.done()
  },
}
