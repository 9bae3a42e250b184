/**
 * Pictures as tensors. Decoding is `sharp`'s work, an optional package that is asked for only here; everything
 * after it (size, layout, normalisation) is plain arithmetic that a message can state.
 */
import { EspalierError } from '../errors.ts'
import type { DType } from '../tensor/dtype.ts'
import { fromNumbers } from '../tensor/elements.ts'
import type { Tensor } from '../tensor/tensor.ts'

export interface ImageOptions {
  /** Size in pixels; the picture is stretched to it. The picture's own size when left out. */
  readonly width?: number
  readonly height?: number
  /** 3 for red, green, blue; 1 for grey. */
  readonly channels: 1 | 3
  /** `nchw` gives [1, C, H, W], `nhwc` gives [1, H, W, C]. */
  readonly layout: 'nchw' | 'nhwc'
  readonly dtype: DType
  /** Factor on the bytes 0 to 255, before mean and deviation; 1/255 for floats and 1 for integers when left out. */
  readonly scale?: number
  /** Subtracted, a value for all channels or one for each. */
  readonly mean?: readonly number[]
  /** Divided by, a value for all channels or one for each. */
  readonly std?: readonly number[]
}

/** Endings of the pictures that can be decoded. */
export const imageExtensions: readonly string[] = ['png', 'jpg', 'jpeg', 'webp', 'gif', 'tif', 'tiff', 'avif']

/** The part of `sharp` that is used. */
interface Decoder {
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
 * A picture as (bytes * scale - mean) / std. Throws `missing-dependency` without `sharp`, `malformed` for a file it
 * cannot decode, `bad-argument` for lists of the wrong length.
 */
export async function readImage(path: string, options: ImageOptions): Promise<Tensor> {
  const { channels, layout, dtype } = options
  const isFloat = dtype.startsWith('float') || dtype === 'bfloat16'
  const scale = options.scale ?? (isFloat ? 1 / 255 : 1)
  const mean = perChannel('mean', options.mean ?? [0], channels)
  const std = perChannel('std', options.std ?? [1], channels)
  const { data, info } = await decode(path, options)
  const { width, height } = info
  const values = new Float64Array(width * height * channels)
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let c = 0; c < channels; c++) {
      const value = (data[pixel * info.channels + c]! * scale - mean[c]!) / std[c]!
      values[layout === 'nchw' ? c * width * height + pixel : pixel * channels + c] = value
    }
  const shape = layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels]
  return fromNumbers(dtype, shape, values)
}

function perChannel(field: string, values: readonly number[], channels: number): number[] {
  if (values.length !== 1 && values.length !== channels)
    throw new EspalierError('bad-argument', 'one value, or one for each channel', {
      where: { field },
      expected: `1 or ${channels}`,
      got: `${values.length}`,
    })
  return Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]!)
}

async function decode(
  path: string,
  { width, height, channels }: ImageOptions,
): Promise<{ readonly data: Uint8Array; readonly info: RawInfo }> {
  const sharp = await loadSharp()
  let image = sharp(path).removeAlpha()
  if (width !== undefined || height !== undefined)
    image = image.resize(width ?? null, height ?? null, { fit: 'fill' })
  try {
    return await image
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
  } catch (cause) {
    throw new EspalierError('malformed', `cannot read the picture: ${(cause as Error).message}`, {
      where: { file: path },
      cause,
    })
  }
}

async function loadSharp(): Promise<(path: string) => Decoder> {
  // Not a literal: bundlers must not try to follow it.
  const name = 'sharp'
  try {
    return ((await import(name)) as { default: (path: string) => Decoder }).default
  } catch (cause) {
    throw new EspalierError('missing-dependency', 'decoding pictures needs the package "sharp"', {
      hint: 'npm install sharp',
      cause,
    })
  }
}
