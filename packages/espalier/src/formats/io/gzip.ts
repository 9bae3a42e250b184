/**
 * Reading gzip files (RFC 1952) through the platform's `DecompressionStream`, piece by piece, so that a file
 * cannot make its reader unpack more than was asked for: nothing here ever unpacks "everything".
 */
import { EspalierError } from '../../errors.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { ByteSource } from './source.ts'
import { type ByteStream, leftOver, plainStream } from './stream.ts'

/** Compressed bytes read from the source at a time. */
const CHUNK = 1 << 18
/** Room that a read takes at first, in bytes for every byte of the compressed file; more when that much has come. */
const EXPECTED_RATIO = 8
/** Header and trailer of an empty gzip member. */
const SMALLEST = 18

/** Whether bytes begin as a gzip member with deflate does. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8
}

/** Runs `body` on the bytes of `source`, unpacked when they are gzipped. */
export async function withUnpacked<T>(
  source: ByteSource,
  body: (stream: ByteStream) => Promise<T>,
): Promise<T> {
  const head = await source.read(0, Math.min(3, source.size))
  const stream = isGzip(head) ? await gunzip(source) : plainStream(source)
  try {
    return await body(stream)
  } finally {
    await stream.close()
  }
}

/** The unpacked bytes of a gzip file, from front to back. */
export async function gunzip(source: ByteSource): Promise<ByteStream> {
  const { name: file } = source
  if (source.size < SMALLEST)
    throw new EspalierError('truncated', 'too short for a gzip file', {
      where: { file },
      got: `${source.size} bytes`,
    })
  const trailer = await source.read(source.size - 4, 4)
  const size = new DataView(trailer.buffer, trailer.byteOffset).getUint32(0, true)
  const reader = unpacked(source).getReader()
  let rest: Uint8Array = new Uint8Array(0)

  /** The next piece, or `undefined` at the end. */
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      return (await reader.read()).value
    } catch (cause) {
      throw cause instanceof EspalierError ? cause : damaged(file, cause)
    }
  }
  return {
    size,
    async read(length) {
      let result = allocate('uint8', Math.min(length, Math.max(CHUNK, EXPECTED_RATIO * source.size)))
      for (let done = 0; done < length; ) {
        if (rest.length === 0) {
          const piece = await next()
          if (piece === undefined) throw endsEarly(file, length, done)
          rest = piece
        }
        const taken = rest.subarray(0, length - done)
        if (done + taken.length > result.length)
          result = grow(result, done, Math.min(length, Math.max(2 * result.length, done + taken.length)))
        result.set(taken, done)
        rest = rest.subarray(taken.length)
        done += taken.length
      }
      return result
    },
    async end() {
      let piece: Uint8Array | undefined = rest
      while (piece !== undefined) {
        if (piece.length > 0) throw leftOver(file, piece.length)
        piece = await next()
      }
    },
    close: () => reader.cancel().catch(() => {}),
  }
}

function unpacked(source: ByteSource): ReadableStream<Uint8Array> {
  let offset = 0
  const packed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const length = Math.min(CHUNK, source.size - offset)
      if (length === 0) return controller.close()
      controller.enqueue(await source.read(offset, length))
      offset += length
    },
  })
  return packed.pipeThrough(new DecompressionStream('gzip'))
}

/** Room for `length` bytes, with the first `done` of `bytes` in it. */
function grow(bytes: Uint8Array, done: number, length: number): Uint8Array {
  const result = allocate('uint8', length)
  result.set(bytes.subarray(0, done))
  return result
}

function damaged(file: string, cause: unknown): EspalierError {
  const early = (cause as { code?: unknown }).code === 'Z_BUF_ERROR'
  return early
    ? new EspalierError('truncated', 'the compressed data ends early', { where: { file }, cause })
    : new EspalierError('malformed', 'the compressed data is damaged', { where: { file }, cause })
}

function endsEarly(file: string, length: number, done: number): EspalierError {
  return new EspalierError('truncated', 'the unpacked data ends early', {
    where: { file },
    expected: `${length} bytes`,
    got: `${done}`,
  })
}
