/** A sum of two values of one shape in front of a norm: both are read once, and the sum is written only where it is wanted. */
import { floatAttribute } from '../../../graph/builder.ts'
import { type Node, operatorName } from '../../../graph/graph.ts'
import type { NodeRule, RuleContext } from '../rule.ts'
import { sameDims } from '../terms.ts'

export const skipNorm: NodeRule = {
  name: 'skip-norm',
  at: [
    'LayerNormalization',
    'RMSNormalization',
    'espalier.SkipLayerNormalization',
    'espalier.SkipRMSNormalization',
  ],
  apply(node, c) {
    const norm = plainNorm(c, node)
    const sum = norm && c.made(norm.x, 'Add')
    if (sum === undefined || !sameDims(c.shape(sum.inputs[0]), c.shape(sum.inputs[1]))) return undefined
    if (!c.isFloat32(...sum.inputs) || c.shape(sum.inputs[0]) === undefined) return undefined
    const isWanted = c.isOutput(norm!.x) || c.readers(norm!.x).length > 1
    const draft = c.draft()
    draft.add({
      ...node,
      op: norm!.operator,
      domain: 'espalier',
      inputs: [sum.inputs[0]!, sum.inputs[1]!, ...norm!.affine],
      outputs: isWanted ? [node.outputs[0]!, norm!.x] : [node.outputs[0]!],
      attributes: new Map([['epsilon', floatAttribute(norm!.epsilon)]]),
    })
    return isWanted ? draft.done(sum) : draft.done()
  },
}

interface Norm {
  readonly operator: string
  readonly x: string
  /** Scale, and bias where there is one. */
  readonly affine: readonly string[]
  readonly epsilon: number
}

/** A norm of float32 over the last axis that is told nothing to add, and asked for nothing but its result. */
function plainNorm(c: RuleContext, node: Node): Norm | undefined {
  const isOwn = node.domain === 'espalier'
  const [x, second = '', ...rest] = node.inputs as readonly [string, ...string[]]
  if ((isOwn && second !== '') || node.outputs.length > 1 || !c.isFloat32(...node.inputs.filter(Boolean)))
    return undefined
  const attributes = c.attributes(node)
  const rank = c.shape(x)?.length
  const axis = isOwn ? -1 : attributes.int('axis')
  const affine = isOwn ? rest : [second, ...rest].filter(name => name !== '')
  if (rank === undefined || (axis !== -1 && axis !== rank - 1)) return undefined
  if (affine.some(name => c.shape(name)?.length !== 1)) return undefined
  if (!isOwn && attributes.int('stash_type') !== 1) return undefined
  const operator = operatorName(node).includes('RMS') ? 'SkipRMSNormalization' : 'SkipLayerNormalization'
  return { operator, x, affine, epsilon: attributes.float('epsilon') }
}
