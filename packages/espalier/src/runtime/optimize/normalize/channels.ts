/** Numbers for each output channel of a convolution: reading them from constants, and multiplying them into weights. */
import type { Node } from '../../../graph/graph.ts'
import { fromNumbers, numbers } from '../../../tensor/elements.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { copyBytes, type Derivation, type Tensor, tensorFromBytes } from '../../../tensor/tensor.ts'
import type { Draft, Exchange, RuleContext } from '../rule.ts'

/** A convolution whose weights are constant float32. */
export interface ConstantConvolution {
  readonly node: Node
  readonly weight: Tensor
  /** One number for each output channel; zeros where there is no bias. */
  readonly bias: Float64Array
  readonly hasBias: boolean
  readonly group: number
  readonly outputs: number
}

/** The convolution that `node` is; `undefined` where it is none or its weights are not constant. */
export function constantConvolution(c: RuleContext, node: Node | undefined): ConstantConvolution | undefined {
  if (node === undefined || (node.op !== 'Conv' && node.op !== 'ConvTranspose')) return undefined
  const weight = c.constant(node.inputs[1])
  const hasBias = (node.inputs[2] ?? '') !== ''
  const bias = hasBias ? c.constant(node.inputs[2]) : undefined
  if (weight?.dtype !== 'float32' || (hasBias && bias === undefined)) return undefined
  const group = c.attributes(node).int('group')
  const [first = 0, second = 0] = weight.shape
  const outputs = node.op === 'Conv' ? first : second * group
  const numbersOfBias = bias === undefined ? new Float64Array(outputs) : numbers(bias)
  if (numbersOfBias.length !== outputs) return undefined
  return { node, weight, bias: numbersOfBias, hasBias, group, outputs }
}

/** One number for each channel (axis 1 of `rank` axes) in a constant that broadcasts along all other axes. */
export function perChannel(
  value: Tensor | undefined,
  channels: number,
  rank: number,
): Float64Array | undefined {
  if (value === undefined || value.dtype !== 'float32' || value.shape.length > rank) return undefined
  const shape = [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape]
  if (shape.some((extent, axis) => extent !== 1 && (axis !== 1 || extent !== channels))) return undefined
  const own = numbers(value)
  return own.length === 1 ? new Float64Array(channels).fill(own[0]!) : own
}

/** Weights that give `factor` times the outputs, one factor for each channel. They are computed when they are packed. */
export function scaleOutputs(
  { node, weight, group, outputs }: ConstantConvolution,
  factor: Float64Array,
): Tensor {
  const [first = 0, second = 0, ...kernel] = weight.shape
  const taps = sizeOf(kernel)
  const perGroup = outputs / group
  // The axis of the outputs of a convolution; those of a transposed one may be on two.
  const derived: Derivation = { of: weight, factors: { axis: 0, values: factor } }
  return tensorFromBytes('float32', weight.shape, {
    byteLength: 4 * sizeOf(weight.shape),
    ...(node.op === 'Conv' && factor.every(Number.isFinite) && { derived }),
    fill(target: Uint8Array) {
      copyBytes(weight, target)
      const data = new Float32Array(target.buffer, target.byteOffset, target.byteLength / 4)
      if (node.op === 'Conv')
        for (let output = 0; output < first; output++)
          multiply(data, output * second * taps, second * taps, factor[output]!)
      else
        for (let input = 0; input < first; input++) {
          const firstOutput = Math.floor(input / (first / group)) * perGroup
          for (let j = 0; j < second; j++)
            multiply(data, (input * second + j) * taps, taps, factor[firstOutput + j]!)
        }
    },
  })
}

function multiply(data: Float32Array, from: number, count: number, by: number): void {
  const end = from + count
  for (let at = from; at < end; at++) data[at] = data[at]! * by
}

/** The convolution with other weights, giving the outputs of `root`. */
export function withWeights(
  draft: Draft,
  root: Node,
  { node }: ConstantConvolution,
  weight: Tensor | undefined,
  bias: Float64Array,
): Exchange {
  const w = weight === undefined ? node.inputs[1]! : draft.constant(weight, node.inputs[1]!)
  const stem = (node.inputs[2] ?? '') === '' ? `${node.inputs[1]}_bias` : node.inputs[2]!
  const b = draft.constant(fromNumbers('float32', [bias.length], bias), stem)
  draft.add({ ...node, inputs: [node.inputs[0]!, w, b], outputs: [root.outputs[0]!] })
  return draft.done()
}
