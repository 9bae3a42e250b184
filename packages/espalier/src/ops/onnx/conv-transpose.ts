/**
 * Transposed convolution: the adjoint of a convolution, which spreads each input element over a window of the
 * output. Its window is that of the convolution from the output to the input, with output padding as room at
 * the end.
 */
import { EspalierError } from '../../errors.ts'
import {
  addDims,
  differentDims,
  floorDivideDims,
  maxDims,
  multiplyDims,
  productOfDims,
  subtractDims,
} from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Attributes, InferContext, Op } from '../op.ts'
import { floats, floats16, int, optional, type Schema, string, type TypeName } from '../schema.ts'
import {
  convolveTransposed,
  readBias,
  readGroups,
  readKernel,
  requireDivisible,
} from '../support/convolution.ts'
import { typed } from '../support/infer.ts'
import { readAxes, readWindow, type WindowAxis } from '../support/window.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['X: T', 'W: T', 'B?: T'],
  outputs: ['Y: T'],
  types: { T },
  attributes: {
    auto_pad: string('NOTSET'),
    dilations: optional('ints'),
    group: int(1),
    kernel_shape: optional('ints'),
    output_padding: optional('ints'),
    output_shape: optional('ints'),
    pads: optional('ints'),
    strides: optional('ints'),
  },
})

export const ConvTranspose: Op = {
  name: 'ConvTranspose',
  doc: 'Spreads every input element over a window of the output: the transpose of a convolution.',
  versions: { 1: version(floats16), 11: version(floats16), 22: version(floats) },
  infer: c => [typed(c.dtype(0), outputShape(c))],
  macs(c) {
    const [x, w] = [c.shape(0), c.shape(1)]
    return x === undefined || w === undefined
      ? null
      : multiplyDims(productOfDims(x), productOfDims(w.slice(1)))
  },
  weights(c) {
    const rank = c.shape(1)?.length
    if (rank === undefined) return []
    const kernel = Array.from({ length: rank - 2 }, (_, axis) => axis + 2)
    return [{ input: 1, rows: [1], columns: [0, ...kernel] }]
  },
  evaluate(c) {
    const [x, w] = [c.tensor(0), c.tensor(1)]
    const axes = transposedAxes(c.attributes, x.shape, w.shape) as readonly WindowAxis[]
    const groups = readGroups(c.attributes)
    const outputs = w.shape[1]! * groups
    const convolution = { batch: x.shape[0]!, groups, inputs: x.shape[1]!, outputs, axes }
    const bias = readBias(c.optionalTensor(2), outputs)
    const y = convolveTransposed(convolution, numbers(x), numbers(w), bias)
    return [fromNumbers(x.dtype, [x.shape[0]!, outputs, ...axes.map(axis => axis.input)], y)]
  },
}

function outputShape(c: InferContext): Dim[] | undefined {
  const [x, w] = [c.shape(0), c.shape(1)]
  if (x === undefined || w === undefined) return undefined
  const axes = transposedAxes(c.attributes, x, w)
  return [x[0]!, multiplyDims(w[1]!, readGroups(c.attributes)), ...axes.map(axis => axis.input)]
}

/** A {@link WindowAxis} with extents that need not be known. Its `input` is the output of the operator. */
type SymbolicAxis = { readonly [K in keyof WindowAxis]: Dim }

/** The window from the operator's output to its input. Numbers throughout when `x` and `w` are. */
export function transposedAxes(attributes: Attributes, x: readonly Dim[], w: readonly Dim[]): SymbolicAxis[] {
  const kernel = readKernel(attributes, x, w)
  if (differentDims(x[1]!, w[0]!))
    throw new EspalierError('bad-shape', 'the channels of input and weight do not fit', {
      expected: `${w[0]}`,
      got: `${x[1]}`,
    })
  requireDivisible(x[1]!, readGroups(attributes))
  const rank = kernel.length
  const { strides, dilations, padding } = readWindow(attributes, kernel)
  const outputPadding = readAxes(attributes, 'output_padding', rank, 0, 0)
  const outputShape = readOutputShape(attributes, rank)
  return x.slice(2).map((input, axis) => {
    const [stride, dilation] = [strides[axis]!, dilations[axis]!]
    // The extent of the output before anything is cut off for padding.
    const whole = addDims(
      multiplyDims(stride, subtractDims(input, 1)),
      addDims(multiplyDims(subtractDims(kernel[axis]!, 1), dilation), 1 + outputPadding[axis]!),
    )
    const shared = { kernel: kernel[axis]!, stride, dilation, output: input }
    if (outputShape === undefined && typeof padding !== 'string') {
      const [before, after] = [padding[axis]!, padding[axis + rank]!]
      const output = subtractDims(whole, before + after)
      requirePositive(output, axis)
      return { ...shared, input: output, before, after }
    }
    const output = outputShape?.[axis] ?? multiplyDims(input, stride)
    const total = subtractDims(whole, output)
    const before = beforeOf(outputShape === undefined ? maxDims(total, 0) : total, padding === 'SAME_UPPER')
    return { ...shared, input: output, before, after: subtractDims(total, before) }
  })
}

/**
 * The share of the padding at the beginning: the smaller half for SAME_UPPER, otherwise the larger one.
 * Negative where `output_shape` asks for more than there is.
 */
function beforeOf(total: Dim, upper: boolean): Dim {
  const half = floorDivideDims(total, 2)
  return upper ? half : subtractDims(total, half)
}

/** `output_shape`: the spatial extents. Some exporters put batch and channels in front, which are skipped. */
function readOutputShape(attributes: Attributes, rank: number): readonly number[] | undefined {
  const stated = attributes.optionalInts('output_shape')
  if (stated === undefined || stated.length === 0) return undefined
  if ((stated.length === rank || stated.length === rank + 2) && stated.every(extent => extent > 0))
    return stated.slice(-rank)
  throw new EspalierError('bad-argument', 'not an output shape', {
    where: { field: 'output_shape' },
    expected: `${rank} positive extents`,
    got: `[${stated.join(', ')}]`,
  })
}

function requirePositive(output: Dim, axis: number): void {
  if (typeof output !== 'number' || output > 0) return
  throw new EspalierError('bad-shape', `the padding cuts off the whole output on spatial axis ${axis}`, {
    got: `extent ${output}`,
  })
}
