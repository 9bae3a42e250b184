/**
 * Deformable convolution: each tap of the kernel is moved by an offset of its own at every output position,
 * and reads the input there by linear interpolation. Sources: arXiv 1703.06211 and (with `mask`) arXiv
 * 1811.11168.
 */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, type Shape, sameShape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import { allocate, type Tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { floats, floats16, int, optional, type Schema, type TypeName } from '../schema.ts'
import {
  convolutionMacs,
  convolutionShape,
  convolutionWeights,
  outputShape,
  readBias,
  readConvolution,
} from '../support/convolution.ts'
import { typed } from '../support/infer.ts'
import { outputSize } from '../support/movement.ts'
import { type WindowAxis, windowShapes } from '../support/window.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['X: T', 'W: T', 'offset: T', 'B?: T', 'mask?: T'],
  outputs: ['Y: T'],
  types: { T },
  attributes: {
    dilations: optional('ints'),
    group: int(1),
    kernel_shape: optional('ints'),
    offset_group: int(1),
    pads: optional('ints'),
    strides: optional('ints'),
  },
})

export const DeformConv: Op = {
  name: 'DeformConv',
  doc: 'Convolution whose taps are moved by offsets from an input.',
  versions: { 19: version(floats16), 22: version(floats) },
  infer: c => [typed(c.dtype(0), convolutionShape(c, 0, 1))],
  macs: c => convolutionMacs(c, 0, 1),
  weights: c => convolutionWeights(c, 1),
  evaluate(c) {
    const [input, weight] = [c.tensor(0), c.tensor(1)]
    const convolution = readConvolution(c.attributes, input.shape, weight.shape)
    const { batch, groups, inputs, outputs, axes } = convolution
    const offsetGroups = c.attributes.int('offset_group')
    if (offsetGroups < 1 || inputs % offsetGroups !== 0)
      throw new EspalierError(
        'bad-argument',
        `${inputs} channels do not divide into ${offsetGroups} offset groups`,
      )
    const shapes = windowShapes(axes)
    const taps = sizeOf(shapes.kernel)
    const rank = axes.length
    const offsets = readMap(c.tensor(2), 'offset', [batch, offsetGroups * taps * rank, ...shapes.output])!
    const masks = readMap(c.optionalTensor(4), 'mask', [batch, offsetGroups * taps, ...shapes.output])
    const bias = readBias(c.optionalTensor(3), outputs)
    const [x, w] = [numbers(input), numbers(weight)]

    const plane = sizeOf(shapes.output)
    const inputPlane = sizeOf(shapes.input)
    const y = allocate('float64', outputSize('float64', outputShape(convolution)))
    if (bias !== undefined) for (let i = 0; i < y.length; i++) y[i] = bias[Math.floor(i / plane) % outputs]!
    const samples = new Float64Array(plane)
    const perGroup = inputs / groups
    const outputsPerGroup = outputs / groups
    const perOffsetGroup = inputs / offsetGroups
    for (let n = 0; n < batch; n++)
      for (let offsetGroup = 0; offsetGroup < offsetGroups; offsetGroup++)
        for (let tap = 0; tap < taps; tap++) {
          const at = (n * offsetGroups + offsetGroup) * taps + tap
          const corners = findCorners(axes, tap, offsets.subarray(at * rank * plane, (at + 1) * rank * plane))
          for (let i = 0; i < perOffsetGroup; i++) {
            const channel = offsetGroup * perOffsetGroup + i
            sample(corners, x, (n * inputs + channel) * inputPlane, samples)
            if (masks !== undefined) for (let p = 0; p < plane; p++) samples[p]! *= masks[at * plane + p]!
            const group = Math.floor(channel / perGroup)
            for (let o = group * outputsPerGroup; o < (group + 1) * outputsPerGroup; o++) {
              const scale = w[(o * perGroup + (channel % perGroup)) * taps + tap]!
              const to = (n * outputs + o) * plane
              for (let p = 0; p < plane; p++) y[to + p]! += scale * samples[p]!
            }
          }
        }
    return [fromNumbers(input.dtype, outputShape(convolution), y)]
  },
}

function readMap(source: Tensor | undefined, name: string, shape: Shape): Float64Array | undefined {
  if (source === undefined || sameShape(source.shape, shape)) return source && numbers(source)
  throw new EspalierError('bad-shape', `"${name}" does not fit input, weight and attributes`, {
    expected: formatShape(shape),
    got: formatShape(source.shape),
  })
}

/**
 * For every output position the corners of the cell that a tap reads: offsets in a plane, and weights (0
 * outside).
 */
interface Corners {
  readonly count: number
  readonly positions: Int32Array
  readonly weights: Float64Array
}

/** `offsets` [rank, ...output]: how far the tap is moved along each axis. */
function findCorners(axes: readonly WindowAxis[], tap: number, offsets: Float64Array): Corners {
  const rank = axes.length
  const shapes = windowShapes(axes)
  const plane = sizeOf(shapes.output)
  const inputStrides = stridesOf(shapes.input)
  const outputStrides = stridesOf(shapes.output)
  const kernelStrides = stridesOf(shapes.kernel)
  const count = 2 ** rank
  const weights = allocate('float64', outputSize('float64', [plane, count]))
  const positions = allocate('int32', weights.length)
  for (let p = 0; p < plane; p++)
    for (let corner = 0; corner < count; corner++) {
      let position = 0
      let weight = 1
      for (let axis = 0; axis < rank; axis++) {
        const { input, output, kernel, stride, dilation, before } = axes[axis]!
        const o = Math.floor(p / outputStrides[axis]!) % output
        const k = Math.floor(tap / kernelStrides[axis]!) % kernel
        const point = o * stride - before + k * dilation + offsets[axis * plane + p]!
        const low = Math.floor(point)
        const upper = (corner >> axis) & 1
        const inside = low + upper >= 0 && low + upper < input
        weight *= inside ? (upper === 1 ? point - low : 1 - (point - low)) : 0
        position += inside ? (low + upper) * inputStrides[axis]! : 0
      }
      positions[p * count + corner] = position
      weights[p * count + corner] = weight
    }
  return { count, positions, weights }
}

/** Interpolated values of the plane of `x` that begins at `from`. */
function sample(
  { count, positions, weights }: Corners,
  x: Float64Array,
  from: number,
  samples: Float64Array,
): void {
  for (let p = 0; p < samples.length; p++) {
    let sum = 0
    for (let corner = p * count; corner < (p + 1) * count; corner++)
      if (weights[corner] !== 0) sum += weights[corner]! * x[from + positions[corner]!]!
    samples[p] = sum
  }
}
