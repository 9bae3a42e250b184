/**
 * Pictures as tensors. Decoding is the work of `sharp`, an optional package that is asked for only here; everything
 * after it (size, layout, normalisation) is plain arithmetic that a message can state.
 */
import { EspalierError } from '../errors.ts'
import { type DType, dtypeInfo, isFloat, isInteger } from '../tensor/dtype.ts'
import { fromNumbers } from '../tensor/elements.ts'
import { type Shape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Input, withSource } from './io/files.ts'

/** How bytes from 0 to 255 become numbers: byte * scale - mean, over std. */
export interface Normalization {
  /** 1/255 for floats and 1 for integers when left out. */
  readonly scale?: number
  /** A value for all channels or one for each; 0 when left out. */
  readonly mean?: readonly number[]
  /** A value for all channels or one for each, none of them 0; 1 when left out. */
  readonly std?: readonly number[]
}

export interface ImageOptions extends Normalization {
  /** Size in pixels; the picture is stretched to it. The picture's own size when left out. */
  readonly width?: number
  readonly height?: number
  /** 3 for red, green, blue; 1 for grey. */
  readonly channels: 1 | 3
  /** `nchw` gives [1, C, H, W], `nhwc` gives [1, H, W, C]. */
  readonly layout: 'nchw' | 'nhwc'
  /** A float or integer type. */
  readonly dtype: DType
}

/** Endings of the pictures that can be decoded. */
export const imageExtensions: readonly string[] = ['png', 'jpg', 'jpeg', 'webp', 'gif', 'tif', 'tiff', 'avif']

/** The part of `sharp` that is used. */
interface Decoder {
  rotate(): Decoder
  resize(width: number | null, height: number | null, options: { fit: 'fill' }): Decoder
  removeAlpha(): Decoder
  toColourspace(space: 'b-w' | 'srgb'): Decoder
  raw(): { toBuffer(options: { resolveWithObject: true }): Promise<{ data: Uint8Array; info: RawInfo }> }
}

interface RawInfo {
  readonly width: number
  readonly height: number
  readonly channels: number
}

/**
 * A picture, upright as its camera says, as normalised numbers. Of several frames the first is taken; transparency is
 * dropped. Throws `missing-dependency` without `sharp`, `malformed` for what it cannot decode, `bad-argument` and
 * `bad-dtype` as {@link normalizeBytes} does, `not-found` and `io`.
 */
export function readImage(input: Input, options: ImageOptions): Promise<Tensor> {
  const { channels, layout, dtype } = options
  return withSource(input, async source => {
    const { data, info } = await decode(await source.read(0, source.size), options)
    const { width, height } = info
    const pixels = width * height
    if (layout === 'nhwc') return normalizeBytes(data, [1, height, width, channels], 3, dtype, options)
    const planes = new Uint8Array(pixels * channels)
    for (let c = 0; c < channels; c++)
      for (let pixel = 0; pixel < pixels; pixel++) planes[c * pixels + pixel] = data[pixel * channels + c]!
    return normalizeBytes(planes, [1, channels, height, width], 1, dtype, options)
  })
}

/**
 * A tensor of normalised bytes; channels are counted along `channelAxis`. Integers are rounded. Throws `bad-argument`
 * for lists that do not fit the channels and for a deviation of 0, `bad-dtype` where the numbers do not fit `dtype`.
 */
export function normalizeBytes(
  bytes: Uint8Array,
  shape: Shape,
  channelAxis: number,
  dtype: DType,
  { scale, mean = [0], std = [1] }: Normalization,
): Tensor {
  const factor = scale ?? (isFloat(dtype) ? 1 / 255 : 1)
  const channels = shape[channelAxis] ?? 1
  const means = perChannel('mean', mean, channels)
  const deviations = perChannel('std', std, channels)
  if (deviations.includes(0))
    throw new EspalierError('bad-argument', 'a deviation of 0 divides by zero', { where: { field: 'std' } })
  const inner = sizeOf(shape.slice(channelAxis + 1))
  const values = Float64Array.from(bytes, (byte, index) => {
    const channel = Math.floor(index / inner) % channels
    return (byte * factor - means[channel]!) / deviations[channel]!
  })
  return fromNumbers(dtype, shape, isFloat(dtype) ? values : whole(dtype, values))
}

/** Numbers rounded for an integer type. Throws `bad-dtype` where it cannot hold them. */
function whole(dtype: DType, values: Float64Array): Float64Array {
  const { kind, bits } = dtypeInfo(dtype)
  const [low, high] = kind === 'int' ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]
  const rounded = values.map(Math.round)
  if (isInteger(dtype) && rounded.every(value => value >= low && value <= high)) return rounded
  throw new EspalierError('bad-dtype', `the samples of a picture do not fit ${dtype}`, {
    hint: 'Choose scale, mean and std so that they do, or feed an array',
  })
}

function perChannel(field: string, values: readonly number[], channels: number): number[] {
  if (values.length !== 1 && values.length !== channels)
    throw new EspalierError('bad-argument', 'one value, or one for each channel', {
      where: { field },
      expected: channels === 1 ? '1' : `1 or ${channels}`,
      got: `${values.length}`,
    })
  return Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]!)
}

/** The samples of a picture, pixel by pixel, of as many channels as are wanted. */
async function decode(
  bytes: Uint8Array,
  { width, height, channels }: ImageOptions,
): Promise<{ readonly data: Uint8Array; readonly info: RawInfo }> {
  const sharp = await loadSharp()
  try {
    let image = sharp(bytes).rotate().removeAlpha()
    if (width !== undefined || height !== undefined)
      image = image.resize(width ?? null, height ?? null, { fit: 'fill' })
    return await image
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
  } catch (cause) {
    throw new EspalierError('malformed', `cannot decode the picture: ${(cause as Error).message}`, { cause })
  }
}

async function loadSharp(): Promise<(bytes: Uint8Array) => Decoder> {
  // Not a literal: bundlers must not try to follow it.
  const name = 'sharp'
  try {
    return ((await import(/* @vite-ignore */ name)) as { default: (bytes: Uint8Array) => Decoder }).default
  } catch (cause) {
    throw new EspalierError('missing-dependency', 'decoding pictures needs the package "sharp"', {
      hint: 'npm install sharp',
      cause,
    })
  }
}
