/**
 * Padding in front of a window becomes its own. Zeros for a convolution; for an average only where padding counts, which
 * zeros of a `Pad` do; minus infinity for a maximum.
 */
import type { Node } from '../../../graph/graph.ts'
import type { NodeRule } from '../rule.ts'
import { constantPad, padsOf } from './padding.ts'

export const padWindow: NodeRule = {
  name: 'pad-window',
  at: ['Conv', 'AveragePool', 'MaxPool'],
  apply(node, c) {
    const source = c.only(node.inputs[0], 'Pad')
    const pad = source && constantPad(c, source)
    if (pad === undefined || !c.isFloat32(node.inputs[0])) return undefined
    const spatial = pad.before.length - 2
    const own = padsOf(c, node, spatial)
    const isSpatial = [0, 1].every(axis => pad.before[axis] === 0 && pad.after[axis] === 0)
    if (
      own === undefined ||
      !isSpatial ||
      pad.value !== (node.op === 'MaxPool' ? Number.NEGATIVE_INFINITY : 0)
    )
      return undefined
    const attributes = new Map(node.attributes)
    if (node.op !== 'Conv' && c.attributes(node).optionalInt('ceil_mode')) return undefined
    if (node.op === 'MaxPool' && node.outputs.length > 1) return undefined // positions count from the padded corner
    if (node.op === 'AveragePool') {
      const counts = c.attributes(node).optionalInt('count_include_pad') ?? 0
      if (c.opset < 7 || (counts === 0 && own.some(extent => extent !== 0))) return undefined
      attributes.set('count_include_pad', { type: 'int', value: 1 })
    }
    const added = [...pad.before.slice(2), ...pad.after.slice(2)]
    attributes.delete('auto_pad')
    attributes.set('pads', { type: 'ints', value: added.map((extent, i) => extent + own[i]!) })
    const draft = c.draft()
    const moved: Node = { ...node, attributes, inputs: [source!.inputs[0]!, ...node.inputs.slice(1)] }
    draft.add(moved)
    return draft.done()
  },
}
