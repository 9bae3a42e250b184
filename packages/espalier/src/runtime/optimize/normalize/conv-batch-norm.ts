/** Batch norm behind a convolution, in weights and bias: W' = W f, b' = (b - mean) f + shift, f = scale / sqrt(variance + e). */
import type { NodeRule } from '../rule.ts'
import { batchNormOf } from './batch-norm.ts'
import { constantConvolution, scaleOutputs, withWeights } from './channels.ts'

export const convBatchNorm: NodeRule = {
  name: 'conv-batch-norm',
  at: ['BatchNormalization'],
  apply(node, c) {
    const norm = batchNormOf(c, node)
    const conv = norm && constantConvolution(c, c.only(node.inputs[0], 'Conv', 'ConvTranspose'))
    if (conv === undefined || norm!.factor.length !== conv.outputs) return undefined
    const { factor, shift } = norm!
    const bias = conv.bias.map((value, i) => value * factor[i]! + shift[i]!)
    return withWeights(c.draft(), node, conv, scaleOutputs(conv, factor), bias)
  },
}
