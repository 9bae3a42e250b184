/**
 * Random access to the bytes of a file or of memory: what every reader works on, so that a reader sees headers
 * and offsets and never loads more than it asked for.
 */
import { EspalierError } from '../../errors.ts'

export interface ByteSource {
  /** What messages call it: a path, or `<bytes>`. */
  readonly name: string
  /** The path of a file on disk, for formats that spread over several files. */
  readonly path?: string
  /** Length in bytes. */
  readonly size: number
  /**
   * Bytes [offset, offset + length). From memory this is a view; from a file a fresh buffer, aligned for any
   * typed array. Throws `truncated` when the range leaves the file.
   */
  read(offset: number, length: number): Promise<Uint8Array>
  /** The same, at once. For headers and structure, not for weights. */
  readSync(offset: number, length: number): Uint8Array
  close(): Promise<void>
}

/** A file that is open. */
export interface FileSource extends ByteSource {
  readonly path: string
  /**
   * Reads the bytes from `offset` on into all of `target`, at once. Throws as {@link ByteSource.read} does, and `io` when
   * the file has been written to since it was opened.
   */
  fillSync(offset: number, target: Uint8Array): void
}

/** A source over bytes in memory. */
export function memorySource(bytes: Uint8Array, name = '<bytes>'): ByteSource {
  const source: ByteSource = {
    name,
    size: bytes.length,
    read: async (offset, length) => source.readSync(offset, length),
    readSync(offset, length) {
      checkRange(source, offset, length)
      return bytes.subarray(offset, offset + length)
    },
    close: async () => {},
  }
  return source
}

/** Throws `truncated` unless [offset, offset + length) lies inside `source`. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > source.size
  )
    throw new EspalierError('truncated', `${length} bytes asked for at ${offset}, but the end comes first`, {
      where: { file: source.name, offset },
      expected: `at least ${offset + length} bytes`,
      got: `${source.size}`,
    })
}
