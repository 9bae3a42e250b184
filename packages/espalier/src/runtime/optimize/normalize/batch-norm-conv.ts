/**
 * Batch norm in front of a convolution, in its weights and bias. With padding this is exact only where the norm shifts
 * nothing: the padding is zero after the norm and not before it.
 */
import type { Tensor } from '../../../tensor/tensor.ts'
import type { NodeRule } from '../rule.ts'
import { batchNormOf } from './batch-norm.ts'
import { constantConvolution, withWeights } from './channels.ts'
import { isUnpadded } from './padding.ts'

export const batchNormConv: NodeRule = {
  name: 'batch-norm-conv',
  at: ['Conv'],
  apply(node, c) {
    const source = c.only(node.inputs[0], 'BatchNormalization')
    const norm = batchNormOf(c, source)
    const conv = norm && constantConvolution(c, node)
    if (conv === undefined) return undefined
    const { factor, shift } = norm!
    if (!isUnpadded(c, node) && shift.some(value => value !== 0)) return undefined
    const [outputs = 0, inputs = 0, ...kernel] = conv.weight.shape
    const taps = kernel.reduce((product, extent) => product * extent, 1)
    if (factor.length !== inputs * conv.group) return undefined
    const weights = conv.weight.data as Float32Array
    const scaled = new Float32Array(weights.length)
    const bias = conv.bias.slice()
    let at = 0
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor(o / (outputs / conv.group)) * inputs
      for (let i = 0; i < inputs; i++)
        for (let k = 0; k < taps; k++, at++) {
          scaled[at] = weights[at]! * factor[first + i]!
          bias[o]! += weights[at]! * shift[first + i]!
        }
    }
    const weight = { ...conv.weight, data: scaled } as Tensor
    const moved = { ...conv, node: { ...node, inputs: [source!.inputs[0]!, ...node.inputs.slice(1)] } }
    return withWeights(c.draft(), node, moved, weight, bias)
  },
}
