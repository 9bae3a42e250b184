/**
 * Bytes from front to back, for the formats that are passed around both plain and gzipped: a reader asks for what
 * its header announces and then for the end, and does not know which of the two it reads.
 */
import { EspalierError } from '../../errors.ts'
import type { ByteSource } from './source.ts'

export interface ByteStream {
  /**
   * How many bytes there are in all. Exact for a plain file; for gzip it is what the last member of the file
   * claims, modulo 2^32, and may be a lie: fit for deciding what to ask for, not for allocating.
   */
  readonly size: number
  /**
   * The next `length` bytes, not to be written to. Memory is taken as the bytes arrive, so that asking for more
   * than there is costs no more than what there is. Throws `truncated` when the end comes first, `malformed` when
   * the compressed bytes are damaged.
   */
  read(length: number): Promise<Uint8Array>
  /** Throws `malformed` when anything is left; checks the checksum of a compressed file. */
  end(): Promise<void>
  /** Lets go of what the stream holds; the source stays open. */
  close(): Promise<void>
}

/** The bytes of `source` as they are. */
export function plainStream(source: ByteSource): ByteStream {
  let position = 0
  return {
    size: source.size,
    async read(length) {
      const bytes = await source.read(position, length)
      position += length
      return bytes
    },
    async end() {
      if (position < source.size) throw leftOver(source.name, source.size - position, position)
    },
    close: async () => {},
  }
}

/** The error for bytes after the end of what a format describes. */
export function leftOver(file: string, count: number, offset?: number): EspalierError {
  return new EspalierError('malformed', 'there are bytes after the end of the data', {
    where: offset === undefined ? { file } : { file, offset },
    got: `${count} bytes more`,
  })
}
