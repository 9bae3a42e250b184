/** A reshape of what was only reshaped: from the first value at once, or nothing where that has the shape wanted. */
import { numbers } from '../../../tensor/elements.ts'
import type { NodeRule } from '../rule.ts'
import { sameDims } from '../terms.ts'

const reshaping = ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'] as const

export const reshapeReshape: NodeRule = {
  name: 'reshape-reshape',
  at: reshaping,
  apply(node, c) {
    const inner = c.made(node.inputs[0], ...reshaping)
    const x = inner?.inputs[0]
    if (x === undefined) return undefined
    if (sameDims(c.shape(x), c.shape(node.outputs[0]))) return { same: x }
    const target = node.op === 'Reshape' ? c.constant(node.inputs[1]) : undefined
    // A zero keeps the extent of what stands in between.
    if (target === undefined || numbers(target).includes(0)) return undefined
    const draft = c.draft()
    draft.add({ ...node, inputs: [x, ...node.inputs.slice(1)] })
    return draft.done()
  },
}
