/**
 * Depthwise convolution of float32, channels last: every input channel has `multiplier` filters of its own. Weights
 * are packed as [tap][output channel] (conv_pack_f32 has no part in it).
 */
import type { StepSpec } from '../fields.ts'
import { product } from './window.ts'

const packFields = { w: 'in', packed: 'out', outputs: 'int', taps: 'int' } as const

const depthwiseFields = {
  x: 'in',
  w: 'in',
  bias: 'in?',
  residual: 'in?',
  y: 'out',
  batch: 'int',
  input: 'int[3]',
  output: 'int[3]',
  kernel: 'int[3]',
  strides: 'int[3]',
  dilations: 'int[3]',
  pads: 'int[3]',
  channels: 'int',
  multiplier: 'int',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
} as const

export interface DepthwiseSteps {
  readonly depthwise_pack_f32: StepSpec<typeof packFields>
  readonly depthwise_f32: StepSpec<typeof depthwiseFields>
}

export const depthwiseSteps: DepthwiseSteps = {
  depthwise_pack_f32: {
    doc: 'Weights [output][tap] as [tap][output].',
    fields: packFields,
    cost: ({ outputs, taps }) => ({ flops: 0, bytes: 8 * outputs * taps }),
  },
  depthwise_f32: {
    doc: 'y = activation(depthwise conv(x, w) + bias + residual), channels last.',
    fields: depthwiseFields,
    cost: ({ batch, input, output, kernel, channels, multiplier, residual }) => {
      const outputs = batch * product(output) * channels * multiplier
      return {
        flops: 2 * outputs * product(kernel),
        bytes: 4 * (batch * product(input) * channels + outputs * (residual ? 2 : 1)),
      }
    },
  },
}
