/**
 * Convolutions by Winograd's method (kernels/winograd.hpp) where an estimate says that it pays: kernels of 3x3 that move
 * by one pixel, without dilation and groups. The choice follows from sizes and the variant alone, never from threads,
 * so that results are the same bits on any number of them.
 */
import { makeStep, type Operand } from '../../plan/step.ts'
import type { WindowValues } from '../../plan/steps/window.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { ConcreteType, LowerContext } from '../lower.ts'
import type { ActivationFields } from './activation.ts'

/** What the step has in common with `conv_f32`. */
export interface ConvolutionValues extends WindowValues, ActivationFields {
  readonly x: Operand
  readonly bias: Operand | undefined
  readonly residual: Operand | undefined
  readonly y: Operand
  readonly channels: number
}

/** Emits the steps of a convolution to so many outputs; gives false, and emits nothing, where sums by tap are better. */
export function lowerWinograd(
  c: LowerContext,
  values: ConvolutionValues,
  outputs: number,
  groups: number,
): boolean {
  const source = c.constant(1)
  if (!c.target.winograd || source === undefined || groups !== 1 || !suits(c.type(1), values)) return false
  const size = bestSize(c, values, outputs)
  if (size === undefined) return false
  const { x, bias, residual, y, batch, input, output, pads, channels, activation, alpha, beta } = values
  const { gemmColumns, gemmRows, lanes } = c.target.traits
  const bytes = transformedBytes(size, channels, roundUp(outputs, gemmColumns))
  const w = c.packed(`Winograd ${size} in panels of ${gemmColumns}`, source, bytes, (from, packed) =>
    makeStep('winograd_pack_f32', { w: from, packed, outputs, channels, size }, []),
  )
  const blockTiles = Math.min(tilesOf(batch, output, size), mostTiles - (mostTiles % gemmRows))
  // Mirrors `winograd_work`: the transformed input with a gap behind each plane, and the sums of a panel.
  const scratchBytes =
    4 * (size + 2) ** 2 * (blockTiles * roundUp(channels, lanes) + 16 + blockTiles * gemmColumns)
  c.emit('winograd_f32', {
    ...{ x, w, bias, residual, y, batch, channels, outputs, size, blockTiles, scratchBytes },
    ...{ activation, alpha, beta },
    zeros: c.table(new Float32Array(channels)),
    scratch: c.scratch(scratchBytes * c.target.threads),
    input: input.slice(1),
    output: output.slice(1),
    pads: pads.slice(1),
  })
  return true
}

/** How many times less a convolution takes by Winograd's method than by taps, where that is chosen; otherwise 1. As measured. */
export function winogradGain(c: LowerContext, values: ConvolutionValues, outputs: number): number {
  if (!c.target.winograd || !suits(c.type(1), values)) return 1
  const size = bestSize(c, values, outputs)
  return size === undefined ? 1 : size === 4 ? 2.8 : 1.6
}

function suits(weight: ConcreteType, { kernel, strides, dilations }: WindowValues): boolean {
  return weight.shape.length === 4 && `${kernel} ${strides} ${dilations}` === '1,3,3 1,1,1 1,1,1'
}

function tilesOf(batch: number, output: readonly number[], size: TileSize): number {
  return batch * sizeOf(output.map(extent => Math.ceil(extent / size)))
}

function transformedBytes(size: TileSize, channels: number, columns: number): number {
  return 4 * (size + 2) ** 2 * channels * columns
}

function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple
}

/**
 * Tiles of a block, at most. Their transformed input is 144 bytes a tile and channel (of 4x4): up to 96 channels it
 * stays in a second-level cache of 512 KiB. Beyond, more tiles are worth more, since weights are read once a block.
 */
const mostTiles = 36

/**
 * What the transforms of a tile take for each channel and each output, by the size of a tile, in the operations that the
 * products could do in that time. As measured with AVX2.
 */
const transformOps = { 2: 270, 4: 730 } as const
/** Operations that the products do in the time in which a byte of weights comes from memory, for each lane. */
const opsPerByte = 1.25
/** The method is taken where the estimate is below this part of that for sums by tap. */
const worthwhile = 0.8
/**
 * Bytes of transformed weights, at most. Beyond, a third-level cache hardly holds them for the next block, and memory is
 * worth more than the time: 512 channels to 512 would take 38 MB with large tiles, 17 MB with small ones.
 */
const mostWeightBytes = 24 * 2 ** 20

type TileSize = keyof typeof transformOps

/**
 * The size of tiles whose cost is least; `undefined` where sums by tap cost no more. Large tiles take fewer products;
 * their weights are 4 times as large as the kernels, those of small tiles 16 / 9: with few pixels that decides.
 */
function bestSize(
  c: LowerContext,
  { batch, output, channels }: ConvolutionValues,
  outputs: number,
): TileSize | undefined {
  const { gemmColumns, lanes } = c.target.traits
  const columns = roundUp(outputs, gemmColumns)
  const perByte = opsPerByte * lanes
  const products = (elements: number, rows: number): number =>
    channels * columns * elements * (2 * rows + 4 * perByte)
  const cost = (size: TileSize): number => {
    const tiles = tilesOf(batch, output, size)
    return products((size + 2) ** 2, tiles) + transformOps[size] * tiles * (channels + outputs)
  }
  const limit = worthwhile * products(9, batch * sizeOf(output))
  return ([4, 2] as const)
    .filter(size => transformedBytes(size, channels, columns) <= mostWeightBytes && cost(size) < limit)
    .sort((a, b) => cost(a) - cost(b))[0]
}
