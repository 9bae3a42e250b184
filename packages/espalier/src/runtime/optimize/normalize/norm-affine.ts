/** Scale and shift behind a norm become its own: norm(x) * scale + shift. */
import type { Node } from '../../../graph/graph.ts'
import { numbers } from '../../../tensor/elements.ts'
import { reshape, type Tensor } from '../../../tensor/tensor.ts'
import type { Exchange, NodeRule, RuleContext } from '../rule.ts'
import { bothOrders } from '../terms.ts'

export const normAffine: NodeRule = {
  name: 'norm-affine',
  at: ['Mul', 'Add'],
  apply(node, c) {
    for (const [normed, other] of bothOrders(node.inputs)) {
      const norm = c.only(normed, 'espalier.SkipLayerNormalization', 'espalier.SkipRMSNormalization')
      if (norm === undefined || norm.outputs.length > 1) continue
      const change = node.op === 'Mul' ? withScale(c, node, norm, other) : withShift(c, node, norm, other)
      if (change !== undefined) return change
    }
    return undefined
  },
}

function withScale(c: RuleContext, node: Node, norm: Node, other: string): Exchange | undefined {
  const scale = c.constant(norm.inputs[2])
  if (norm.inputs.length > 3 || scale === undefined || !numbers(scale).every(value => value === 1))
    return undefined
  return withInput(c, node, norm, 2, other)
}

function withShift(c: RuleContext, node: Node, norm: Node, other: string): Exchange | undefined {
  const isFree = norm.op === 'SkipLayerNormalization' && norm.inputs.length === 3
  return isFree ? withInput(c, node, norm, 3, other) : undefined
}

/** The norm with a vector among its inputs, giving what `node` gave. */
function withInput(
  c: RuleContext,
  node: Node,
  norm: Node,
  index: number,
  name: string,
): Exchange | undefined {
  const [x, out] = [c.shape(norm.inputs[0]), c.shape(node.outputs[0])]
  const width = x?.at(-1)
  if (typeof width !== 'number' || out?.length !== x!.length || !c.isFloat32(name)) return undefined
  const draft = c.draft()
  const constant = c.constant(name)
  const vector =
    constant === undefined ? (isVector(c, name, width) ? name : undefined) : vectorOf(constant, width)
  if (vector === undefined) return undefined
  const inputs = [...norm.inputs]
  inputs[index] = typeof vector === 'string' ? vector : draft.constant(vector, name)
  draft.add({ ...norm, inputs, outputs: node.outputs })
  return draft.done()
}

function isVector(c: RuleContext, name: string, width: number): boolean {
  const shape = c.shape(name)
  return shape?.length === 1 && shape[0] === width
}

/** A constant with one number for each position of the last axis, as a vector. */
function vectorOf(value: Tensor, width: number): Tensor | undefined {
  const isLast = value.shape.every((extent, axis) => extent === (axis === value.shape.length - 1 ? width : 1))
  return isLast && value.shape.length > 0 ? reshape(value, [width]) : undefined
}
