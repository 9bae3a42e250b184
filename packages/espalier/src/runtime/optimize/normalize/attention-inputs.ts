/** Transposes and scales in front of an attention become its layouts and its scale. */
import { floatAttribute } from '../../../graph/builder.ts'
import type { Attribute, Node } from '../../../graph/graph.ts'
import type { NodeRule, RuleContext } from '../rule.ts'
import { productBehind } from '../terms.ts'
import { permutationOf } from './transpose-transpose.ts'

/** The inputs of an attention that have a layout, and the layouts they may have. */
const sides = [
  { index: 0, attribute: 'q_layout', layouts: ['bhsd', 'bshd'] },
  { index: 1, attribute: 'k_layout', layouts: ['bhsd', 'bshd', 'bhds'] },
  { index: 2, attribute: 'v_layout', layouts: ['bhsd', 'bshd'] },
] as const

export const attentionInputs: NodeRule = {
  name: 'attention-inputs',
  at: ['espalier.Attention'],
  apply(node, c) {
    const [inputs, attributes] = [[...node.inputs], new Map(node.attributes)]
    let changed = false
    for (const { index, attribute, layouts } of sides) {
      // A cache is in one layout: what is appended to it keeps its own.
      const layout = c.attributes(node).string(attribute)
      const turned = turnedBy(c, inputs[index]!, layout)
      if (turned !== undefined && layouts.some(allowed => allowed === turned.layout)) {
        inputs[index] = turned.source
        attributes.set(attribute, { type: 'string', value: turned.layout })
        changed = true
      }
      const factor = index === 2 ? undefined : scaledBy(c, inputs[index]!)
      if (factor !== undefined && (index === 0 || !hasCache(node))) {
        inputs[index] = factor.source
        attributes.set('scale', scaleOf(c, attributes, node, factor.coefficient))
        changed = true
      }
    }
    if (!changed) return undefined
    const draft = c.draft()
    draft.add({ ...node, inputs, attributes })
    return draft.done()
  },
}

/** What a transpose turned, and the layout of that: axis i of the input is axis perm[i] of the source. */
function turnedBy(
  c: RuleContext,
  name: string,
  layout: string,
): { readonly source: string; readonly layout: string } | undefined {
  const transpose = c.made(name, 'Transpose')
  const perm = transpose && permutationOf(c, transpose)
  if (perm?.length !== layout.length) return undefined
  const letters = new Array<string>(layout.length)
  for (const [axis, from] of perm.entries()) letters[from] = layout[axis]!
  return { source: transpose!.inputs[0]!, layout: letters.join('') }
}

function scaledBy(
  c: RuleContext,
  name: string,
): { readonly source: string; readonly coefficient: number } | undefined {
  const { coefficient, factors } = productBehind(c, name)
  if (factors.length !== 1 || factors[0] === name) return undefined
  const source = factors[0]!
  return c.shape(source)?.length === 4 && c.isFloat32(source) ? { source, coefficient } : undefined
}

function scaleOf(
  c: RuleContext,
  attributes: ReadonlyMap<string, Attribute>,
  node: Node,
  by: number,
): Attribute {
  const own = attributes.get('scale')
  return floatAttribute((own?.type === 'float' ? own.value : c.attributes(node).float('scale')) * by)
}

function hasCache(node: Node): boolean {
  return (node.inputs[4] ?? '') !== ''
}
