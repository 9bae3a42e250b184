/** A picture from the bytes of its file. What cannot be decoded is an empty picture, as the specification asks. */
import { EspalierError } from '../../errors.ts'
import { decodeImage, type Raster } from '../../formats/images/index.ts'
import { tensorType } from '../../graph/graph.ts'
import { formatShape } from '../../tensor/shape.ts'
import { tensor } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import { string } from '../schema.ts'

const formats = ['RGB', 'BGR', 'Grayscale']

export const ImageDecoder: Op = {
  name: 'ImageDecoder',
  doc: 'The samples of a picture (height, width, channels) from the bytes of its file.',
  limits:
    'BMP, PNM, PNG and TIFF without LZW, JPEG or tiles; not JPEG, JPEG 2000 and WebP. Transparency is left out.',
  versions: {
    20: {
      inputs: ['encoded_stream: T1'],
      outputs: ['image: T2'],
      types: { T1: ['uint8'], T2: ['uint8'] },
      attributes: { pixel_format: string('RGB', formats) },
    },
  },
  infer: c => [tensorType('uint8', [null, null, channelsOf(c.attributes)])],
  evaluate(c) {
    const stream = c.tensor(0)
    const channels = channelsOf(c.attributes)
    if (stream.dtype !== 'uint8' || stream.shape.length !== 1)
      throw new EspalierError('bad-shape', 'not the bytes of a file', {
        expected: 'uint8 of rank 1',
        got: `${stream.dtype} ${formatShape(stream.shape)}`,
      })
    const raster = decodeOrNothing(stream.data)
    if (raster === undefined) return [tensor('uint8', [0, 0, channels], new Uint8Array(0))]
    const samples =
      channels === 1 ? greyOf(raster) : coloursOf(raster, c.attributes.string('pixel_format') === 'BGR')
    return [tensor('uint8', [raster.height, raster.width, channels], samples)]
  },
}

function channelsOf(attributes: Attributes): 1 | 3 {
  const format = attributes.string('pixel_format')
  if (formats.includes(format)) return format === 'Grayscale' ? 1 : 3
  throw new EspalierError('bad-argument', 'unknown pixel format', {
    where: { field: 'pixel_format' },
    expected: formats.join(', '),
    got: format,
  })
}

/** `undefined` for a damaged file, or for no picture at all. */
function decodeOrNothing(bytes: Uint8Array): Raster | undefined {
  try {
    return decodeImage(bytes)
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error
    if (error.code === 'malformed' || error.code === 'truncated') return undefined
    throw error.code === 'unsupported-format'
      ? new EspalierError('unsupported', error.summary, {
          cause: error,
          ...(error.hint && { hint: error.hint }),
        })
      : error
  }
}

/** Luma of ITU-R BT.601, in fixed point of 16 bits as most decoders have it. */
function greyOf({ channels, data }: Raster): Uint8Array {
  if (channels === 1) return data
  const grey = new Uint8Array(data.length / 3)
  for (let i = 0; i < grey.length; i++)
    grey[i] = (19595 * data[3 * i]! + 38470 * data[3 * i + 1]! + 7471 * data[3 * i + 2]! + 32768) >> 16
  return grey
}

function coloursOf({ channels, data }: Raster, blueFirst: boolean): Uint8Array {
  if (channels === 3 && !blueFirst) return data
  const count = data.length / channels
  const colours = new Uint8Array(3 * count)
  for (let i = 0; i < count; i++)
    for (let c = 0; c < 3; c++)
      colours[3 * i + c] = channels === 1 ? data[i]! : data[3 * i + (blueFirst ? 2 - c : c)]!
  return colours
}
