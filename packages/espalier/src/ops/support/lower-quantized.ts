/**
 * Products of 8-bit integers as steps: gemm_i8, conv_i8, depthwise_i8, and what they need before (weights in panels,
 * activations in the form that the machine multiplies). Operators say which of their inputs is what; scales and zero
 * points go to the kernels as they are, constant or not.
 */
import type { Operand, StepValues } from '../../plan/step.ts'
import { makeStep } from '../../plan/step.ts'
import type { WindowValues } from '../../plan/steps/window.ts'
import { lineOf } from '../../sparse/layout.ts'
import { convolutionMatrix, productMatrix, type WeightMatrix } from '../../sparse/matrix.ts'
import { numbers } from '../../tensor/elements.ts'
import { type Shape, sameShape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { type Activation, activationFields } from './activation.ts'
import { channelsFirstShape, permuted, toFirst, toLast } from './channels-last.ts'
import { type Convolution, readConvolution } from './convolution.ts'
import { lowerSparse } from './lower-sparse.ts'
import { windowValues } from './lower-window.ts'

/** Which input of an operator is what. */
export interface ProductInputs {
  readonly x: number
  readonly w: number
  readonly xZero?: number
  readonly wZero?: number
  readonly xScale?: number
  readonly wScale?: number
  readonly yScale?: number
  readonly yZero?: number
  readonly bias?: number
  readonly residual?: number
}

type SumFields = Omit<
  StepValues<'gemm_i8'>,
  'x' | 'w' | 'y' | 'scratch' | 'scratchBytes' | 'groups' | 'm' | 'n' | 'k' | 'xStride' | 'xGroup'
>

/** 8-bit activations where a step left them, and the operands that say what they mean. */
export interface Activations {
  readonly operand: Operand
  readonly signed: boolean
  readonly scale: Operand | undefined
  readonly zero: Operand | undefined
}

const outputCodes: Readonly<Record<string, number>> = { int32: 0, float32: 1, uint8: 2, int8: 3 }
const none: Activation = { name: 'none', alpha: 0, beta: 0 }

/** Windows of more positions do not fit the kernel's table of pointers. */
const mostTaps = 128
/** Rows that the AMX kernel gathers, and the bytes of a row of its tiles. */
const amx = { rows: 32, run: 64 } as const

const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit
const at = (c: LowerContext, index: number | undefined): Operand | undefined =>
  index === undefined ? undefined : c.optionalInput(index)
const count = (c: LowerContext, index: number | undefined): number =>
  index === undefined || !c.hasInput(index) ? 0 : sizeOf(c.type(index).shape)

/** The product of `x` [..., m, k] and `w` [..., k, n] as numpy.matmul has it. Says why there is no kernel. */
export function lowerProduct(
  c: LowerContext,
  inputs: ProductInputs,
  activation: Activation = none,
): string | undefined {
  const [x, w] = [c.type(inputs.x), c.type(inputs.w)]
  const refused = refuseTypes(c, inputs)
  if (refused !== undefined) return refused
  const shape = matrices(x.shape, w.shape)
  if (shape === undefined) return 'batches of matrices that broadcast have no 8-bit kernel'
  const unfit = refuseParameters(c, inputs, shape.n)
  if (unfit !== undefined) return unfit
  const rows = shape.sharedX ? shape.m : shape.groups * shape.m
  const zero = at(c, inputs.xZero)
  const prepared = prepare(c, c.input(inputs.x), x.dtype === 'int8', zero, rows, shape.k)
  emitProduct(c, inputs, shape, prepared, activation, {
    operand: prepared.operand,
    signed: x.dtype === 'int8',
    scale: at(c, inputs.xScale),
    zero,
  })
  return undefined
}

/** The product of `x`, float32, quantised over its range, and 8-bit `w`. */
export function lowerDynamicProduct(
  c: LowerContext,
  inputs: ProductInputs,
  activation: Activation,
): string | undefined {
  const [x, w] = [c.type(inputs.x), c.type(inputs.w)]
  if (w.dtype !== 'int8' && w.dtype !== 'uint8') return `there is no kernel for weights of ${w.dtype}`
  const shape = matrices(x.shape, w.shape)
  if (shape === undefined) return 'batches of matrices that broadcast have no 8-bit kernel'
  const unfit = refuseParameters(c, inputs, shape.n)
  if (unfit !== undefined) return unfit
  const rows = shape.sharedX ? shape.m : shape.groups * shape.m
  const stride = roundUp(shape.k, c.target.traits.int8Depth)
  const operand = c.scratch(rows * stride * activationBytes(c))
  const [scale, zero] = [c.scratch(4), c.scratch(1)]
  c.emit('dynamic_quantize', {
    x: c.input(inputs.x),
    y: operand,
    scale,
    zero,
    scratch: c.scratch(rangeBytes(rows * shape.k)),
    rows,
    columns: shape.k,
    stride,
  })
  emitProduct(c, inputs, shape, { operand, stride }, activation, { operand, signed: false, scale, zero })
  return undefined
}

/** Bytes that dynamic_quantize keeps ranges in: two float32 for each chunk of 4096 elements. */
export function rangeBytes(elements: number): number {
  return 8 * Math.ceil(elements / 4096)
}

/** How shapes multiply: `groups` matrices, or one where `w` is one. `undefined` where batches broadcast. */
interface Matrices {
  readonly groups: number
  readonly m: number
  readonly n: number
  readonly k: number
  /** All groups have the same left matrix. */
  readonly sharedX: boolean
}

function matrices(x: Shape, w: Shape): Matrices | undefined {
  const [k, n] = w.length === 1 ? [w[0]!, 1] : [w.at(-2)!, w.at(-1)!]
  const batchW = w.slice(0, -2)
  if (sizeOf(batchW) === 1) {
    const rows = sizeOf(x.slice(0, -1))
    return { groups: 1, m: rows, n, k, sharedX: false }
  }
  const batchX = x.slice(0, -2)
  const m = x.length === 1 ? 1 : x.at(-2)!
  const sharedX = sizeOf(batchX) === 1
  if (!sharedX && !sameShape(batchX, batchW)) return undefined
  return { groups: sizeOf(batchW), m, n, k, sharedX }
}

function emitProduct(
  c: LowerContext,
  inputs: ProductInputs,
  { groups, m, n, k, sharedX }: Matrices,
  { operand, stride }: Prepared,
  activation: Activation,
  x: Activations,
): void {
  if (groups === 1) {
    const matrix = productMatrix(c.type(inputs.w).shape, false)
    if (lowersSparse(c, inputs, matrix, lineOf(m), activation, x, { operand, stride }, c.output(0))) return
  }
  const w = packWeights(c, inputs.w, {
    groups,
    columns: n,
    taps: 1,
    channels: k,
    groupStride: k * n,
    columnStride: 1,
    tapStride: 0,
    channelStride: n,
  })
  const scratchBytes = tileBytes(c, k)
  c.emit('gemm_i8', {
    x: operand,
    w,
    ...sumFields(c, inputs, activation, x),
    y: c.output(0),
    scratch: scratchBytes > 0 ? c.scratch(scratchBytes * c.target.threads) : undefined,
    scratchBytes,
    groups,
    m,
    n,
    k,
    xStride: stride,
    xGroup: sharedX ? 0 : m * stride,
  })
}

/** Order of the axes of activations: ONNX's [N, C, ...spatial], or channels last. */
export type Layout = 'first' | 'last'

/** A convolution of 8-bit `x` by `w` [O, C/group, ...kernel]. Channels first costs a transpose before and one behind. */
export function lowerConvolutionI8(
  c: LowerContext,
  inputs: ProductInputs,
  layout: Layout,
  activation: Activation = none,
): string | undefined {
  const [x, w] = [c.type(inputs.x), c.type(inputs.w)]
  const rank = x.shape.length
  if (rank > 4) return 'convolutions over more than two axes have no 8-bit kernel'
  const refused = refuseTypes(c, inputs)
  if (refused !== undefined) return refused
  const convolution = readConvolution(
    c.attributes,
    layout === 'last' ? channelsFirstShape(x.shape) : x.shape,
    w.shape,
  )
  const { outputs } = convolution
  const unfit = refuseParameters(c, inputs, outputs)
  if (unfit !== undefined) return unfit
  if (sizeOf(convolution.axes.map(({ kernel }) => kernel)) > mostTaps)
    return `windows have more than ${mostTaps} positions`
  const { dtype, shape } = c.outputType(0)
  const size = outputCodes[dtype]! > 1 ? 1 : 4
  const last = layout === 'last'
  const source = last ? c.input(inputs.x) : c.scratch(sizeOf(x.shape))
  if (!last) transpose(c, c.input(inputs.x), source, x.shape, toLast(rank), 1)
  const result = last ? c.output(0) : c.scratch(size * sizeOf(shape))
  const activations = {
    operand: source,
    signed: x.dtype === 'int8',
    scale: at(c, inputs.xScale),
    zero: at(c, inputs.xZero),
  }
  emitConvolution(c, inputs, convolution, activations, result, activation)
  if (!last) transpose(c, result, c.output(0), permuted(shape, toLast(rank)), toFirst(rank), size)
  return undefined
}

/** y = x with its axes in another order, in elements of `size` bytes. */
function transpose(
  c: LowerContext,
  x: Operand,
  y: Operand,
  shape: Shape,
  order: readonly number[],
  size: number,
): void {
  const to = permuted(shape, order)
  c.emit('copy', {
    x,
    y,
    size,
    rank: to.length,
    shape: to,
    xStrides: permuted(stridesOf(shape), order),
    yStrides: stridesOf(to),
  })
}

function emitConvolution(
  c: LowerContext,
  inputs: ProductInputs,
  convolution: Convolution,
  x: Activations,
  y: Operand,
  activation: Activation,
): void {
  const { batch, groups, inputs: channels, outputs, axes } = convolution
  const window = windowFields(convolution)
  const taps = sizeOf(axes.map(({ kernel }) => kernel))
  const sums = { ...sumFields(c, inputs, activation, x), y }
  if (groups === channels && groups === outputs && zerosVanish(c, inputs)) {
    const scratchBytes = roundUp(channels, 64)
    const w = packDepthwise(c, inputs.w, channels, taps)
    const scratch = c.scratch(scratchBytes * c.target.threads)
    c.emit('depthwise_i8', { x: x.operand, w, ...sums, scratch, scratchBytes, batch, channels, ...window })
    return
  }
  const [own, columns] = [channels / groups, outputs / groups]
  const pixels = batch * sizeOf(axes.map(({ input }) => input))
  const { operand, stride } = prepare(c, x.operand, x.signed, x.zero, pixels * groups, own)
  if (groups === 1) {
    const matrix = convolutionMatrix(c.type(inputs.w).shape)
    const product = { operand, stride }
    if (lowersSparse(c, inputs, matrix, windowValues(batch, axes), activation, x, product, y)) return
  }
  const w = packWeights(c, inputs.w, {
    groups,
    columns,
    taps,
    channels: own,
    groupStride: columns * own * taps,
    columnStride: own * taps,
    tapStride: 1,
    channelStride: taps,
  })
  const padding = roundUp(groups * stride * activationBytes(c), 64)
  const scratchBytes = padding + tileBytes(c, taps * stride)
  c.emit('conv_i8', {
    x: operand,
    w,
    ...sums,
    scratch: c.scratch(scratchBytes * c.target.threads),
    scratchBytes,
    batch,
    groups,
    channels: own,
    columns,
    xGroup: stride,
    ...window,
  })
}

/** One group of constant weights with many zeros, from prepared activations. */
function lowersSparse(
  c: LowerContext,
  inputs: ProductInputs,
  matrix: WeightMatrix,
  window: WindowValues,
  activation: Activation,
  x: Activations,
  { operand, stride }: Prepared,
  y: Operand,
): boolean {
  const weight = c.constant(inputs.w)
  if (weight === undefined || !zerosVanish(c, inputs)) return false
  return lowerSparse(c, 'int8', { weight, matrix, window }, () => ({
    x: operand,
    ...sumFields(c, inputs, activation, x),
    y,
    xStride: stride,
  }))
}

function windowFields({ axes }: Convolution) {
  const each = (
    key: 'input' | 'output' | 'kernel' | 'stride' | 'dilation' | 'before',
    fill: number,
  ): number[] => {
    const values = axes.map(axis => axis[key])
    return values.length === 1 ? [fill, ...values] : values
  }
  return {
    input: each('input', 1),
    outputSize: each('output', 1),
    kernel: each('kernel', 1),
    strides: each('stride', 1),
    pads: each('before', 0),
    dilations: each('dilation', 1),
  }
}

/** Whether weights as they are packed, signed, have no zero point. */
function zerosVanish(c: LowerContext, { w, wZero }: ProductInputs): boolean {
  const nothing = c.type(w).dtype === 'int8' ? 0 : 128
  if (wZero === undefined || !c.hasInput(wZero)) return nothing === 0
  const zeros = c.constant(wZero)
  return zeros !== undefined && numbers(zeros).every(zero => zero === nothing)
}

function sumFields(
  c: LowerContext,
  inputs: ProductInputs,
  activation: Activation,
  x: Activations,
): Omit<SumFields, 'y'> {
  const { dtype } = c.outputType(0)
  return {
    xZero: x.zero,
    wZero: at(c, inputs.wZero),
    wZeros: count(c, inputs.wZero),
    xScale: x.scale,
    wScale: at(c, inputs.wScale),
    wScales: count(c, inputs.wScale),
    yScale: at(c, inputs.yScale),
    yZero: at(c, inputs.yZero),
    bias: at(c, inputs.bias),
    biasFloat:
      inputs.bias !== undefined && c.hasInput(inputs.bias) && c.type(inputs.bias).dtype === 'float32' ? 1 : 0,
    residual: at(c, inputs.residual),
    xSigned: x.signed ? 1 : 0,
    wSigned: c.type(inputs.w).dtype === 'int8' ? 1 : 0,
    output: outputCodes[dtype]!,
    ...activationFields(activation),
  }
}

function refuseTypes(c: LowerContext, inputs: ProductInputs): string | undefined {
  for (const index of [inputs.x, inputs.w]) {
    const { dtype } = c.type(index)
    if (dtype !== 'int8' && dtype !== 'uint8') return `there is no kernel for ${dtype}`
  }
  for (const index of [inputs.xScale, inputs.wScale, inputs.yScale])
    if (index !== undefined && c.hasInput(index) && c.type(index).dtype !== 'float32')
      return `there is no kernel for scales of ${c.type(index).dtype}`
  return outputCodes[c.outputType(0).dtype] === undefined
    ? `there is no kernel for ${c.outputType(0).dtype}`
    : undefined
}

/** Scales and zero points: one of the activations, one or one a column of the weights. */
function refuseParameters(c: LowerContext, inputs: ProductInputs, columns: number): string | undefined {
  for (const index of [inputs.xScale, inputs.xZero, inputs.yScale, inputs.yZero])
    if (count(c, index) > 1) return 'activations have more than one scale or zero point'
  for (const index of [inputs.wScale, inputs.wZero])
    if (![0, 1, columns].includes(count(c, index)))
      return 'weights have scales or zero points for more than their columns'
  return inputs.bias !== undefined && ![0, columns].includes(count(c, inputs.bias))
    ? 'the bias does not have one number for each column'
    : undefined
}

interface Prepared {
  readonly operand: Operand
  /** Elements between rows. */
  readonly stride: number
}

function activationBytes(c: LowerContext): number {
  return c.target.traits.int8Depth === 2 ? 2 : 1
}

/** Rows of 8-bit activations in the form that is multiplied: as they lie, where that is it. */
function prepare(
  c: LowerContext,
  x: Operand,
  signed: boolean,
  zero: Operand | undefined,
  rows: number,
  columns: number,
): Prepared {
  const depth = c.target.traits.int8Depth
  const stride = roundUp(columns, depth)
  const wantsSigned = c.target.isa.startsWith('neon')
  if (depth === 4 && stride === columns && signed === wantsSigned) return { operand: x, stride }
  const operand = c.scratch(rows * stride * activationBytes(c))
  c.emit('prepare_i8', { x, zero, y: operand, isSigned: signed ? 1 : 0, rows, columns, stride })
  return { operand, stride }
}

/** Bytes a thread gathers rows in, where the machine multiplies tiles. */
function tileBytes(c: LowerContext, depth: number): number {
  return c.target.isa === 'amx' ? amx.rows * roundUp(roundUp(depth, 4), amx.run) : 0
}

/** How weights lie: strides in elements. */
type Weights = Omit<StepValues<'pack_i8'>, 'x' | 'y' | 'isSigned'>

/** Weights in panels: once a session where they are constant, in every run where they are not. */
function packWeights(c: LowerContext, input: number, weights: Weights): Operand {
  const { traits, isa } = c.target
  const depth = roundUp(
    weights.taps * roundUp(weights.channels, traits.int8Depth),
    isa === 'amx' ? amx.run : 1,
  )
  const columns = roundUp(weights.columns, traits.int8Columns)
  const isSigned = c.type(input).dtype === 'int8' ? 1 : 0
  const layout = `i8 ${Object.values(weights).join(' ')}`
  return pack(c, input, layout, weights.groups * columns * (depth + 4), (x, y) => ({
    kind: 'pack_i8',
    values: { x, y, isSigned, ...weights },
  }))
}

function packDepthwise(c: LowerContext, input: number, channels: number, taps: number): Operand {
  const isSigned = c.type(input).dtype === 'int8' ? 1 : 0
  const bytes = roundUp(channels, c.target.traits.int8Columns) * (roundUp(taps, 2) + 4)
  return pack(c, input, `i8 depthwise ${channels} ${taps}`, bytes, (x, y) => ({
    kind: 'pack_depthwise_i8',
    values: { x, y, isSigned, channels, taps },
  }))
}

type Packing =
  | { readonly kind: 'pack_i8'; readonly values: StepValues<'pack_i8'> }
  | { readonly kind: 'pack_depthwise_i8'; readonly values: StepValues<'pack_depthwise_i8'> }

function pack(
  c: LowerContext,
  input: number,
  layout: string,
  bytes: number,
  step: (x: Operand, y: Operand) => Packing,
): Operand {
  const constant = c.constant(input)
  if (constant !== undefined)
    return c.packed(layout, constant, bytes, (from, to) => {
      const { kind, values } = step(from, to)
      return makeStep(kind, values, [])
    })
  const y = c.scratch(bytes)
  const { kind, values } = step(c.input(input), y)
  if (kind === 'pack_i8') c.emit(kind, values)
  else c.emit(kind, values)
  return y
}
