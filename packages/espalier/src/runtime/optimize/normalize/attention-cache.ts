/**
 * Keys and values appended to a cache in front of an attention: the attention takes past and new apart and gives the
 * whole, so that the cache can grow in place.
 */
import type { Node } from '../../../graph/graph.ts'
import type { NodeRule, RuleContext } from '../rule.ts'

export const attentionCache: NodeRule = {
  name: 'attention-cache',
  at: ['espalier.Attention'],
  apply(node, c) {
    const attributes = c.attributes(node)
    if (node.inputs.length > 4 || node.outputs.length > 1 || attributes.int('causal') !== 0) return undefined
    const [keys, values] = [
      appended(c, node.inputs[1]!, attributes.string('k_layout')),
      appended(c, node.inputs[2]!, attributes.string('v_layout')),
    ]
    if (keys === undefined || values === undefined) return undefined
    if (keys === values || isBehind(c, node, [keys, values])) return undefined
    const draft = c.draft()
    draft.add({
      ...node,
      inputs: [
        ...[node.inputs[0]!, keys.inputs[1]!, values.inputs[1]!, node.inputs[3] ?? ''],
        ...[keys.inputs[0]!, values.inputs[0]!],
      ],
      outputs: [node.outputs[0]!, keys.outputs[0]!, values.outputs[0]!],
    })
    return draft.done(keys, values)
  },
}

/** The node that appends to a cache [batch, heads, length, size]. */
function appended(c: RuleContext, name: string, layout: string): Node | undefined {
  const node = c.made(name, 'Concat')
  if (node?.inputs.length !== 2 || layout !== 'bhsd' || !c.isFloat32(...node.inputs)) return undefined
  const axis = c.attributes(node).int('axis')
  return axis === 2 || axis === -2 ? node : undefined
}

/** Whether the query, the mask or what is appended need the appended value itself. */
function isBehind(c: RuleContext, attention: Node, appending: readonly Node[]): boolean {
  if (appending.every(node => c.readers(node.outputs[0]!).length === 1)) return false
  const seen = new Set<string>()
  const pending = [attention.inputs[0]!, attention.inputs[3] ?? '', ...appending.flatMap(node => node.inputs)]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    const maker = c.made(name)
    if (maker === undefined) continue
    if (appending.includes(maker)) return true
    pending.push(...maker.inputs)
  }
  return false
}
