/**
 * Convolutions with channels last as steps: an implicit matrix product (kernels/conv.hpp), a depthwise kernel where
 * every channel has filters of its own. How the work is cut into chunks follows from sizes, threads and cache sizes; it
 * changes no bit of the result.
 */
import { makeStep, type Operand } from '../../plan/step.ts'
import type { WindowValues } from '../../plan/steps/window.ts'
import { convolutionMatrix } from '../../sparse/matrix.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { transposedAxes } from '../onnx/conv-transpose.ts'
import { activationFields, activationOf } from './activation.ts'
import { channelsFirstShape } from './channels-last.ts'
import { readConvolution, readGroups } from './convolution.ts'
import { lowerSparse } from './lower-sparse.ts'
import { windowValues } from './lower-window.ts'
import { type ConvolutionValues, lowerWinograd, winogradGain } from './lower-winograd.ts'
import type { WindowAxis } from './window.ts'

/** Lowers `espalier.Conv`. */
export function lowerConvolution(c: LowerContext): string | undefined {
  const reason = refuse(c)
  if (reason !== undefined) return reason
  const [x, w] = [c.type(0), c.type(1)]
  const { batch, inputs, outputs, groups, axes } = readConvolution(
    c.attributes,
    channelsFirstShape(x.shape),
    w.shape,
  )
  const window = windowValues(batch, axes)
  const shared = {
    x: c.input(0),
    bias: c.optionalInput(2),
    residual: c.optionalInput(3),
    y: c.output(0),
    ...window,
    channels: inputs,
    ...activationFields(activationOf(c.attributes)),
  }
  if (groups === inputs && groups > 1) {
    const multiplier = outputs / groups
    c.emit('depthwise_f32', { ...shared, w: depthwiseWeight(c, outputs, sizeOf(window.kernel)), multiplier })
    return undefined
  }
  if (groups === 1 && lowersSparse(c, shared, outputs)) return undefined
  if (lowerWinograd(c, shared, outputs, groups)) return undefined
  const taps = Array.from({ length: sizeOf(window.kernel) }, (_, tap) => tap)
  const weight = { groups, outputs: outputs / groups, channels: inputs / groups, taps }
  const strides = {
    outputStride: weight.channels * taps.length,
    channelStride: taps.length,
    groupStride: weight.outputs * weight.channels * taps.length,
  }
  const copies = groups === 1 && window.dilations[2] === 1
  const blocks = blocksOf(c, window, window.output, weight, copies)
  c.emit('conv_f32', {
    ...shared,
    w: panels(c, 'convolution', weight, strides),
    zeros: c.table(new Float32Array(inputs)),
    outputs,
    groups,
    ...blocks,
    scratch: c.scratch(blocks.scratchBytes * c.target.threads),
  })
  return undefined
}

/** One group of constant weights with many zeros. */
function lowersSparse(c: LowerContext, values: ConvolutionValues, outputs: number): boolean {
  const weight = c.constant(1)
  if (weight === undefined) return false
  const { x, y, bias, residual, activation, alpha, beta, channels, ...window } = values
  const matrix = convolutionMatrix(weight.shape)
  const denseGain = winogradGain(c, values, outputs)
  return lowerSparse(c, 'float32', { weight, matrix, window, denseGain }, () => ({
    ...{ x, y, bias, residual, activation, alpha, beta },
    xStride: channels,
  }))
}

/** Lowers `espalier.ConvTranspose`. */
export function lowerTransposedConvolution(c: LowerContext): string | undefined {
  const reason = refuse(c)
  if (reason !== undefined) return reason
  const [x, w, y] = [c.type(0), c.type(1), c.outputType(0)]
  const groups = readGroups(c.attributes)
  // From the output to the input.
  const found = transposedAxes(c.attributes, channelsFirstShape(x.shape), w.shape) as readonly WindowAxis[]
  const axes = found.map(axis => ({ ...axis, input: axis.output, output: axis.input }))
  const [inputs, outputs] = [x.shape.at(-1)!, y.shape.at(-1)!]
  const window = windowValues(x.shape[0]!, axes)
  const weight = {
    groups,
    outputs: outputs / groups,
    channels: inputs / groups,
    taps: tapsByPhase(window),
  }
  const size = sizeOf(window.kernel)
  const strideValues = {
    outputStride: size,
    channelStride: size * weight.outputs,
    groupStride: weight.channels * weight.outputs * size,
  }
  // Of one phase: every stride-th output.
  const output = window.output.map((extent, axis) => Math.ceil(extent / window.strides[axis]!))
  const blocks = blocksOf(c, window, output, weight, false)
  const layout = `transposed convolution ${[window.strides, window.dilations, window.pads].join(' / ')}`
  c.emit('conv_transpose_f32', {
    x: c.input(0),
    w: panels(c, layout, weight, strideValues),
    bias: c.optionalInput(2),
    zeros: c.table(new Float32Array(inputs)),
    y: c.output(0),
    ...window,
    channels: inputs,
    outputs,
    groups,
    ...blocks,
    scratch: c.scratch(blocks.scratchBytes * c.target.threads),
    ...activationFields(activationOf(c.attributes)),
  })
  return undefined
}

function refuse(c: LowerContext): string | undefined {
  const { dtype, shape } = c.type(0)
  if (dtype !== 'float32') return `there is no kernel for ${dtype}`
  return shape.length > 5 ? 'the kernel takes at most three spatial axes' : undefined
}

/**
 * The taps of a transposed convolution, those of the first phase first. A phase is a place within the stride; its
 * outputs see the taps t with (phase + pad - t * dilation) divisible by the stride, and no others do.
 */
function tapsByPhase({ kernel, strides, dilations, pads }: WindowValues): number[] {
  const along = (axis: number): number[][] =>
    Array.from({ length: strides[axis]! }, (_, phase) =>
      Array.from({ length: kernel[axis]! }, (__, tap) => tap).filter(
        tap => (phase + pads[axis]! - tap * dilations[axis]!) % strides[axis]! === 0,
      ),
    )
  const [deep, high, wide] = [along(0), along(1), along(2)]
  return deep.flatMap(ds =>
    high.flatMap(hs =>
      wide.flatMap(ws =>
        ds.flatMap(d => hs.flatMap(h => ws.map(w => (d * kernel[1]! + h) * kernel[2]! + w))),
      ),
    ),
  )
}

/** A weight as the kernel reads it; sizes are those of one group. */
interface Weight {
  readonly groups: number
  readonly outputs: number
  readonly channels: number
  readonly taps: readonly number[]
}

interface WeightStrides {
  readonly outputStride: number
  readonly channelStride: number
  readonly groupStride: number
}

/** Input 1 in panels of output channels: packed once where it is a constant, in every run otherwise. */
function panels(c: LowerContext, layout: string, weight: Weight, strides: WeightStrides): Operand {
  const { groups, outputs, channels, taps } = weight
  const columns = c.target.traits.gemmColumns
  const bytes = 4 * groups * Math.ceil(outputs / columns) * columns * taps.length * channels
  const constant = c.constant(1)
  if (constant !== undefined)
    return c.packed(`${layout}, ${groups} groups in panels of ${columns}`, constant, bytes, (w, packed) =>
      makeStep('conv_pack_f32', { w, packed, ...weight, ...strides }, []),
    )
  const packed = c.scratch(bytes)
  c.emit('conv_pack_f32', { w: c.input(1), packed, ...weight, ...strides })
  return packed
}

/** Input 1, [outputs, 1, ...kernel], as [tap, output]. */
function depthwiseWeight(c: LowerContext, outputs: number, taps: number): Operand {
  const bytes = 4 * outputs * taps
  const constant = c.constant(1)
  if (constant !== undefined)
    return c.packed('depthwise', constant, bytes, (w, packed) =>
      makeStep('depthwise_pack_f32', { w, packed, outputs, taps }, []),
    )
  const packed = c.scratch(bytes)
  c.emit('depthwise_pack_f32', { w: c.input(1), packed, outputs, taps })
  return packed
}

/** Bytes of input that a chunk of output pixels may see: they stay in the second-level cache while panels pass. */
const chunkBytes = 256 * 1024
const fewestPixels = 24
const mostPixels = 384
/** Bytes of a panel that stay in the first levels of cache while the rows of a chunk pass. */
const panelBytes = 64 * 1024
/** Channels up to which copying the windows of a chunk pays: long runs of k for the price of one pass over the input. */
const mostCopiedChannels = 32
/** Bytes of a copied window, at most. */
const windowBytes = 512 * 1024

interface Blocks {
  readonly chunk: readonly [number, number]
  readonly copied: number
  readonly depth: number
  readonly scratchBytes: number
}

/**
 * How the work is cut; `output` are the extents of what is computed at a time, `copies` whether windows may be copied.
 * Mirrors `conv_scratch` in kernels/conv.hpp.
 */
function blocksOf(
  c: LowerContext,
  { batch, kernel, strides, dilations }: WindowValues,
  output: readonly number[],
  { groups, outputs, channels, taps }: Weight,
  copies: boolean,
): Blocks {
  const columns = c.target.traits.gemmColumns
  const depth = Math.floor(panelBytes / (4 * columns))
  const jobsOfChunk = groups * Math.max(1, Math.ceil(outputs / columns))
  // So many chunks give every thread several jobs.
  const chunks = c.target.threads === 1 ? 1 : Math.ceil((4 * c.target.threads) / jobsOfChunk)
  const all = batch * sizeOf(output)
  const shared = Math.max(fewestPixels, Math.ceil(all / chunks))
  const [high, wide] = [output[1]!, output[2]!]
  const scratch = (runs: number, pixels: number, window: number): number =>
    [8 * runs * pixels, 8 * pixels, 4 * columns * pixels, window].reduce(
      (sum, bytes) => sum + Math.ceil(bytes / 64) * 64,
      0,
    )
  if (copies && kernel[2]! > 1 && channels <= mostCopiedChannels) {
    const pixels = Math.min(mostPixels, shared)
    const across = Math.max(1, Math.min(wide, mostPixels))
    const down = Math.max(1, Math.min(high, Math.round(pixels / across)))
    const lines = (down - 1) * strides[1]! + (kernel[1]! - 1) * dilations[1]! + 1
    const window = 4 * channels * kernel[0]! * lines * ((across - 1) * strides[2]! + kernel[2]!)
    if (window <= windowBytes)
      return {
        chunk: [across, down],
        copied: 1,
        depth,
        scratchBytes: scratch(kernel[0]! * kernel[1]!, across * down, window),
      }
  }
  const seen = Math.floor(chunkBytes / (4 * groups * Math.max(1, channels) * strides[1]! * strides[2]!))
  const pixels = Math.min(shared, mostPixels, Math.max(4 * fewestPixels, seen))
  return { chunk: [pixels, 1], copied: 0, depth, scratchBytes: scratch(taps.length, pixels, 0) }
}
