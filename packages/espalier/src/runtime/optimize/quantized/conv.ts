/** QuantizeLinear of an activation of a Conv of dequantised values: one convolution on integers, channels last. */
import { tensorType } from '../../../graph/graph.ts'
import { channelsLastShape, toFirst, toLast } from '../../../ops/support/channels-last.ts'
import { activationAttributes } from '../activation.ts'
import type { NodeRule } from '../rule.ts'
import { activatedBefore } from './activated.ts'
import { biasInSums, dequantized, dequantizedWeight, quantized, zeroPoint } from './quantized-value.ts'

export const quantizedConv: NodeRule = {
  name: 'quantized-conv',
  at: ['QuantizeLinear'],
  apply(node, c) {
    const y = quantized(c, node)
    const { value, activation } = activatedBefore(c, node.inputs[0]!)
    const conv = c.only(value, 'Conv')
    if (y === undefined || conv === undefined) return undefined
    const x = dequantized(c, conv.inputs[0])
    const w = dequantizedWeight(c, conv.inputs[1], 0)
    const shapes = [x && c.shape(x.value), c.shape(conv.outputs[0])]
    const [xShape, yShape] = shapes
    if (x === undefined || w === undefined || xShape === undefined || yShape === undefined) return undefined
    const rank = xShape.length
    const attributes = c.attributes(conv)
    const autoPad = attributes.optionalString('auto_pad') ?? 'NOTSET'
    if (rank > 4 || rank < 3 || (autoPad !== 'NOTSET' && autoPad !== 'VALID')) return undefined
    const draft = c.draft()
    const bias = biasInSums(c, draft, conv.inputs[2] ?? '', c.scalar(x.scale)!, w.scales, w.tensor.shape[0]!)
    if (bias === undefined) return undefined
    const last = draft.node(
      'Transpose',
      [x.value],
      { perm: toLast(rank) },
      {
        type: tensorType(x.dtype, channelsLastShape(xShape)),
      },
    )
    const pads = autoPad === 'VALID' ? undefined : attributes.optionalInts('pads')
    const [strides, dilations] = [attributes.optionalInts('strides'), attributes.optionalInts('dilations')]
    const made = draft.node(
      'espalier.QuantizedConv',
      [
        last,
        x.scale,
        zeroPoint(c, draft, x),
        w.value,
        w.scale,
        zeroPoint(c, draft, w),
        y.scale,
        zeroPoint(c, draft, y),
        bias,
      ],
      {
        ...(strides && { strides }),
        ...(pads && { pads }),
        ...(dilations && { dilations }),
        group: attributes.int('group'),
        ...(activation && activationAttributes(activation)),
      },
      { type: tensorType(y.dtype, channelsLastShape(yShape)), name: conv.name },
    )
    draft.node('Transpose', [made], { perm: toFirst(rank) }, { output: node.outputs[0]! })
    return draft.done()
  },
}
