/** Products and convolutions that can do more at their end: what is added to them, what is applied to them. */

import { attributeOf } from '../../../graph/builder.ts'
import type { Attribute, Node } from '../../../graph/graph.ts'
import { type ActivationCall, activationAttributes } from '../activation.ts'
import type { RuleContext } from '../rule.ts'

/** Operators with an activation at their end. */
const hosts = ['MatMul', 'espalier.MatMul', 'espalier.Conv', 'espalier.ConvTranspose'] as const

/** Index of the residual among the inputs, where there is one. */
export const RESIDUAL = 3

/** The node behind a value that nobody else reads, where something can still be applied to its result. */
export function hostOf(c: RuleContext, name: string | undefined): Node | undefined {
  const node = c.only(name, ...hosts)
  if (node === undefined || !c.isFloat32(node.inputs[0], node.inputs[1], name)) return undefined
  return node.domain === '' || c.attributes(node).string('activation') === 'none' ? node : undefined
}

/** The node as one of this project, giving `output`, with another residual or activation. */
export function extended(
  host: Node,
  output: string,
  { residual, activation }: { readonly residual?: string; readonly activation?: ActivationCall },
): Node {
  const inputs = [...host.inputs]
  if (residual !== undefined) {
    while (inputs.length < RESIDUAL) inputs.push('')
    inputs[RESIDUAL] = residual
  }
  const attributes = new Map<string, Attribute>(host.attributes)
  if (activation !== undefined)
    for (const [name, value] of Object.entries(activationAttributes(activation)))
      attributes.set(name, attributeOf(name, value))
  return { ...host, domain: 'espalier', inputs, outputs: [output], attributes }
}
