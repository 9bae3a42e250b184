/**
 * Raw DEFLATE (RFC 1951) through the streams that every host brings, with what they lack: a bound on the output,
 * memory that is taken as data arrives, and errors of this library. Used by zip.
 */
import { EspalierError } from '../../errors.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { ByteSource } from '../io/source.ts'

/** Most bytes that one byte of DEFLATE can stand for: two bits for a run of 258 bytes. */
const MAX_RATIO = 1032
/** Compressed bytes read from the source at a time. */
const PIECE = 1 << 18
/** Room that is taken at first, in bytes for every compressed byte; more when that much has come. */
const EXPECTED_RATIO = 8

/**
 * Inflates `length` bytes at `offset` of `source` to exactly `size` bytes; more than that are never unpacked.
 * `what` names the data in errors. Throws `malformed`.
 */
export async function inflate(
  source: ByteSource,
  offset: number,
  length: number,
  size: number,
  what: string,
): Promise<Uint8Array> {
  if (size > length * MAX_RATIO)
    throw new EspalierError(
      'malformed',
      `${what} declares ${size} bytes, more than ${length} bytes can inflate to`,
    )
  let result = allocate('uint8', Math.min(size, PIECE + EXPECTED_RATIO * length))
  let filled = 0
  const inflated = transform(pieces(source, offset, length), new DecompressionStream('deflate-raw'), what)
  for await (const piece of inflated) {
    const end = filled + piece.length
    if (end > size)
      throw new EspalierError('malformed', `${what} inflates to more than its declared ${size} bytes`)
    if (end > result.length) {
      const larger = allocate('uint8', Math.min(size, Math.max(end, 2 * result.length)))
      larger.set(result.subarray(0, filled))
      result = larger
    }
    result.set(piece, filled)
    filled = end
  }
  if (filled === size) return result
  throw new EspalierError('malformed', `${what} inflates to less than its declared size`, {
    expected: `${size} bytes`,
    got: `${filled}`,
  })
}

/** Deflates `chunks`, one after the other, at the host's usual level. */
export async function deflate(chunks: Iterable<Uint8Array>): Promise<Uint8Array[]> {
  const result: Uint8Array[] = []
  const input = chunks[Symbol.iterator]()
  for await (const piece of transform(input, new CompressionStream('deflate-raw'), 'data')) result.push(piece)
  return result
}

async function* pieces(source: ByteSource, offset: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += PIECE)
    yield await source.read(offset + at, Math.min(PIECE, length - at))
}

/** What `stream` makes of `input`. Errors of `input` come through as they are. */
async function* transform(
  input: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
  stream: CompressionStream | DecompressionStream,
  what: string,
): AsyncGenerator<Uint8Array> {
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await input.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
  })
  const reader = source.pipeThrough<Uint8Array>(stream).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } catch (cause) {
    throw cause instanceof EspalierError
      ? cause
      : new EspalierError('malformed', `${what} is not valid DEFLATE data`, { cause })
  } finally {
    await reader.cancel().catch(() => {})
  }
}
