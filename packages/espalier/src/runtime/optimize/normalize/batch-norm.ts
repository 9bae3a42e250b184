/** Batch norm of inference as one factor and one summand for each channel. */
import type { Node } from '../../../graph/graph.ts'
import { numbers } from '../../../tensor/elements.ts'
import type { RuleContext } from '../rule.ts'

/** y = x * factor + shift for each channel. */
export interface ChannelAffine {
  readonly factor: Float64Array
  readonly shift: Float64Array
}

/** What a `BatchNormalization` computes; `undefined` in training mode, and where its statistics are not constant float32. */
export function batchNormOf(c: RuleContext, node: Node | undefined): ChannelAffine | undefined {
  if (node?.op !== 'BatchNormalization' || node.outputs.slice(1).some(name => name !== '')) return undefined
  const attributes = c.attributes(node)
  if ((attributes.optionalInt('training_mode') ?? 0) !== 0 || (attributes.optionalInt('spatial') ?? 1) === 0)
    return undefined
  const constants = [1, 2, 3, 4].map(index => c.constant(node.inputs[index]))
  if (!c.isFloat32(node.inputs[0]) || constants.some(value => value?.dtype !== 'float32')) return undefined
  const [scale, offset, mean, variance] = constants.map(value => numbers(value!)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const epsilon = attributes.float('epsilon')
  const factor = scale.map((value, i) => value / Math.sqrt(variance[i]! + epsilon))
  return { factor, shift: offset.map((value, i) => value - mean[i]! * factor[i]!) }
}
