/** QuantizeLinear of a sum of two dequantised values of one shape, relu or nothing between: a sum of 8-bit tensors. */
import { sameDim } from '../../../graph/dim.ts'
import type { NodeRule } from '../rule.ts'
import { activatedBefore } from './activated.ts'
import { dequantized, quantized, zeroPoint } from './quantized-value.ts'

export const quantizedAdd: NodeRule = {
  name: 'quantized-add',
  at: ['QuantizeLinear'],
  apply(node, c) {
    const y = quantized(c, node)
    const { value, activation } = activatedBefore(c, node.inputs[0]!)
    const sum = c.only(value, 'Add')
    if (y === undefined || sum === undefined) return undefined
    if (activation !== undefined && activation.activation !== 'relu') return undefined
    const [a, b] = [dequantized(c, sum.inputs[0]), dequantized(c, sum.inputs[1])]
    const shapes = [a && c.shape(a.value), b && c.shape(b.value)]
    const [left, right] = shapes
    if (a === undefined || b === undefined || left === undefined || right === undefined) return undefined
    if (left.length !== right.length || left.some((extent, axis) => !sameDim(extent, right[axis]!)))
      return undefined
    const draft = c.draft()
    const inputs = [a, b].flatMap(own => [own.value, own.scale, zeroPoint(c, draft, own)])
    draft.node(
      'espalier.QuantizedAdd',
      [...inputs, y.scale, zeroPoint(c, draft, y)],
      activation ? { activation: 'relu' } : {},
      { output: node.outputs[0]!, name: sum.name },
    )
    return draft.done()
  },
}
