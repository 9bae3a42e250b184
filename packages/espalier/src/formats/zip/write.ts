/**
 * Writing zip files as a sequence of chunks: content is passed through and not copied, starts at multiples of 64
 * bytes, and the same content makes the same file. Sizes and CRC-32 stand in front of the data, so nothing has to
 * be patched afterwards. The 64-bit form is used where numbers need it.
 */
import { EspalierError } from '../../errors.ts'
import { crc32 } from './crc32.ts'
import { deflate } from './deflate.ts'
import { decodeName } from './names.ts'
import {
  type CentralFields,
  DEFLATED,
  encodeCentral,
  encodeEnd,
  encodeLocal,
  FLAG_UTF8,
  MAX16,
  needsZip64,
  STORED,
} from './records.ts'

/** An entry that is ready to be written. */
export interface ZipPart {
  readonly name: string
  readonly method: typeof STORED | typeof DEFLATED
  /** Bytes of the content. */
  readonly size: number
  /** CRC-32 of the content. */
  readonly crc32: number
  /** The bytes as they will lie in the file: the content itself, or its deflated form. */
  readonly chunks: readonly Uint8Array[]
}

/** An entry whose content is `chunks`, one after the other, as they are. */
export function storedPart(name: string, chunks: Iterable<Uint8Array>): ZipPart {
  const list = [...chunks]
  return { name, method: STORED, size: lengthOf(list), crc32: checksum(list), chunks: list }
}

/** An entry whose content is `chunks`, compressed. */
export async function deflatedPart(name: string, chunks: Iterable<Uint8Array>): Promise<ZipPart> {
  const list = [...chunks]
  return { name, method: DEFLATED, size: lengthOf(list), crc32: checksum(list), chunks: await deflate(list) }
}

function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0)
}

function checksum(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => crc32(chunk, sum), 0)
}

export interface EncodeZipOptions {
  /** Whether to use the 64-bit form everywhere, needed or not. False when left out. */
  readonly zip64?: boolean
}

/**
 * The bytes of a zip file with these entries. `parts` is walked once, as chunks are taken. Throws `bad-argument`
 * for a name that is empty, longer than 65,535 bytes, used twice or not valid Unicode.
 */
export function* encodeZip(
  parts: Iterable<ZipPart>,
  { zip64 = false }: EncodeZipOptions = {},
): Generator<Uint8Array> {
  const written: CentralFields[] = []
  const names = new Set<string>()
  let offset = 0
  for (const part of parts) {
    const entry = fieldsOf(part, offset, names)
    const header = encodeLocal(entry, zip64 || needsZip64(entry, offset))
    yield header
    for (const chunk of part.chunks) if (chunk.length > 0) yield chunk
    offset += header.length + entry.compressedSize
    written.push(entry)
  }
  let size = 0
  for (const entry of written) {
    const record = encodeCentral(entry, zip64 || needsZip64(entry, entry.offset))
    yield record
    size += record.length
  }
  yield encodeEnd({ count: written.length, size, offset }, zip64)
}

function fieldsOf(part: ZipPart, offset: number, names: Set<string>): CentralFields {
  const nameBytes = new TextEncoder().encode(part.name)
  const problem =
    (names.has(part.name) && 'a name used twice') ||
    ((nameBytes.length === 0 || nameBytes.length > MAX16) && `${nameBytes.length} bytes`) ||
    (decodeName(nameBytes, FLAG_UTF8) !== part.name && 'half a surrogate pair')
  if (problem)
    throw new EspalierError('bad-argument', `a zip file cannot hold this name: "${part.name.slice(0, 80)}"`, {
      expected: 'distinct names of 1 to 65535 bytes',
      got: problem,
    })
  names.add(part.name)
  return {
    nameBytes,
    flags: nameBytes.length === part.name.length ? 0 : FLAG_UTF8,
    method: part.method,
    size: part.size,
    crc32: part.crc32,
    compressedSize: lengthOf(part.chunks),
    offset,
  }
}
