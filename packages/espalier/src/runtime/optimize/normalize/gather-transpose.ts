/**
 * One position taken from an axis that a transpose has moved: taken first, where the axis was. Models with packed
 * projections write it ([b, s, 3, h, d] to [3, b, h, s, d], then one of the three); what is left of the transpose is
 * then one that an attention takes as its layout.
 */
import { type Dim, tensorType } from '../../../graph/graph.ts'
import type { NodeRule } from '../rule.ts'
import { permutationOf } from './transpose-transpose.ts'

export const gatherTranspose: NodeRule = {
  name: 'gather-transpose',
  at: ['Gather'],
  apply(node, c) {
    const [source, index] = node.inputs as readonly [string, string]
    const transpose = c.made(source, 'Transpose')
    const perm = transpose && permutationOf(c, transpose)
    const [shape, dtype] = [c.shape(transpose?.inputs[0]), c.dtype(source)]
    if (perm === undefined || shape === undefined || dtype === undefined) return undefined
    if (c.constant(index)?.shape.length !== 0 || c.isOutput(source)) return undefined
    if (c.readers(source).some(reader => reader.op !== 'Gather')) return undefined
    const axis = c.attributes(node).int('axis')
    const place = axis < 0 ? axis + perm.length : axis
    const taken = perm[place]!
    const left: readonly Dim[] = shape.filter((_, i) => i !== taken)
    const draft = c.draft()
    const part = draft.node(
      'Gather',
      [transpose!.inputs[0]!, index],
      { axis: taken },
      { type: tensorType(dtype, left) },
    )
    const rest = perm.filter((_, i) => i !== place).map(from => (from > taken ? from - 1 : from))
    draft.node('Transpose', [part], { perm: rest }, { output: node.outputs[0]!, name: node.name })
    return draft.done()
  },
}
