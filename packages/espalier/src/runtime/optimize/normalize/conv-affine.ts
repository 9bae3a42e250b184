/** Numbers for each channel that multiply a convolution's outputs, or are added to them, in its weights and bias. */
import type { NodeRule } from '../rule.ts'
import { constantConvolution, perChannel, scaleOutputs, withWeights } from './channels.ts'

export const convAffine: NodeRule = {
  name: 'conv-affine',
  at: ['Mul', 'Div', 'Add', 'Sub'],
  apply(node, c) {
    const orders = node.op === 'Mul' || node.op === 'Add' ? [0, 1] : [0]
    for (const side of orders) {
      const conv = constantConvolution(c, c.only(node.inputs[side], 'Conv', 'ConvTranspose'))
      const rank = c.shape(node.inputs[side])?.length
      if (conv === undefined || rank === undefined) continue
      const values = perChannel(c.constant(node.inputs[1 - side]), conv.outputs, rank)
      if (values === undefined) continue
      const draft = c.draft()
      if (node.op === 'Add' || node.op === 'Sub') {
        const sign = node.op === 'Add' ? 1 : -1
        return withWeights(
          draft,
          node,
          conv,
          undefined,
          conv.bias.map((bias, i) => bias + sign * values[i]!),
        )
      }
      const factor = node.op === 'Mul' ? values : values.map(value => 1 / value)
      return withWeights(
        draft,
        node,
        conv,
        scaleOutputs(conv, factor),
        conv.bias.map((bias, i) => bias * factor[i]!),
      )
    }
    return undefined
  },
}
