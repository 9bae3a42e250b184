/**
 * Reading zip files: the central directory first, then any entry on request, straight from its place. Every
 * statement of the file is doubted: records must lie inside it, entries may not overlap nor share a name, both
 * headers of an entry must agree, and content must have the size and CRC-32 it is declared to have. Names are
 * never used as paths. Encryption, other compressions and archives of several parts are not implemented.
 */
import { type ErrorCode, EspalierError, locateAsync } from '../../errors.ts'
import type { ByteSource } from '../io/source.ts'
import { crc32 } from './crc32.ts'
import { inflate } from './deflate.ts'
import { decodeName } from './names.ts'
import {
  CENTRAL_SIGNATURE,
  CENTRAL_SIZE,
  type CentralFields,
  DEFLATED,
  END_SIGNATURE,
  END_SIZE,
  END64_SIGNATURE,
  END64_SIZE,
  type EndFields,
  endCommentLength,
  FLAG_DESCRIPTOR,
  FLAG_ENCRYPTED,
  FLAG_MASKED,
  FLAG_PATCH,
  FLAG_STRONG_ENCRYPTION,
  hasSignature,
  LOCAL_SIGNATURE,
  LOCAL_SIZE,
  LOCATOR64_SIGNATURE,
  LOCATOR64_SIZE,
  localTail,
  MAX16,
  MAX32,
  parseCentral,
  parseEnd,
  parseEnd64,
  parseLocal,
  parseLocator64,
  STORED,
} from './records.ts'

/** One entry of a zip file. */
export interface ZipEntry {
  readonly name: string
  /** Bytes of its content. */
  readonly size: number
  /**
   * The content. A stored entry is read from exactly its bytes, with no further copy (a view, where the file is in
   * memory); a deflated one is inflated. Throws `malformed` when size or CRC-32 are not as declared,
   * `unsupported-format` for encryption and for other methods than these two.
   */
  read(): Promise<Uint8Array>
}

export interface ZipOptions {
  /** Whether a CRC-32 of 0 means that none was computed, as PyTorch has it. False when left out. */
  readonly zeroCrcIsNone?: boolean
}

/**
 * The entries of a zip file by name, in the order of its central directory. Throws `malformed`, `truncated` or
 * `unsupported-format`. The source must stay open while entries are read.
 */
export async function openZip(
  source: ByteSource,
  options: ZipOptions = {},
): Promise<ReadonlyMap<string, ZipEntry>> {
  const end = await readEnd(source)
  const directory = await source.read(end.offset, end.size)
  const entries = new Map<string, ZipEntry>()
  for (const { fields, limit } of withLimits(parseDirectory(source, directory, end), end.offset)) {
    const name = decodeName(fields.nameBytes, fields.flags)
    if (name === undefined)
      throw malformed(source, fields.offset, 'an entry of the zip file has a name that is not UTF-8')
    if (entries.has(name))
      throw malformed(source, fields.offset, `the zip file has two entries named "${name}"`)
    const read = () =>
      locateAsync({ file: source.name, offset: fields.offset }, () =>
        readEntry(source, name, fields, limit, options),
      )
    entries.set(name, { name, size: fields.size, read })
  }
  return entries
}

function malformed(
  source: ByteSource,
  offset: number,
  summary: string,
  code: ErrorCode = 'malformed',
): EspalierError {
  return new EspalierError(code, summary, { where: { file: source.name, offset } })
}

/** Finds the end record, which a comment of up to 65,535 bytes may follow, and its 64-bit form. */
async function readEnd(source: ByteSource): Promise<EndFields> {
  const tailLength = Math.min(source.size, LOCATOR64_SIZE + END_SIZE + MAX16)
  const tailAt = source.size - tailLength
  const tail = await source.read(tailAt, tailLength)
  let at = tail.length - END_SIZE
  while (
    at >= 0 &&
    !(hasSignature(tail, at, END_SIGNATURE) && at + END_SIZE + endCommentLength(tail, at) === tail.length)
  )
    at--
  if (at < 0)
    throw new EspalierError('truncated', 'the file is cut off, or is not a zip file: it has no end record', {
      where: { file: source.name },
    })
  let end = parseEnd(tail, at)
  let endAt = tailAt + at
  const locatorAt = at - LOCATOR64_SIZE
  const overflows = end.count === MAX16 || end.size === MAX32 || end.offset === MAX32
  if (overflows && hasSignature(tail, locatorAt, LOCATOR64_SIGNATURE)) {
    endAt = parseLocator64(tail.subarray(locatorAt))
    const record = await source.read(endAt, END64_SIZE)
    if (!hasSignature(record, 0, END64_SIGNATURE))
      throw malformed(source, endAt, 'the 64-bit end record of the zip file is not where its locator says')
    end = parseEnd64(record)
  }
  if (end.disk !== 0)
    throw malformed(source, endAt, 'this is a part of a split zip archive', 'unsupported-format')
  if (end.offset + end.size > endAt || end.count > end.size / CENTRAL_SIZE)
    throw malformed(source, endAt, 'the central directory of the zip file does not fit before its end record')
  return end
}

function parseDirectory(source: ByteSource, directory: Uint8Array, end: EndFields): CentralFields[] {
  const result: CentralFields[] = []
  let at = 0
  while (at < directory.length) {
    const offset = end.offset + at
    const parsed = hasSignature(directory, at, CENTRAL_SIGNATURE) ? parseCentral(directory, at) : undefined
    if (parsed === undefined)
      throw malformed(source, offset, 'the central directory of the zip file is broken')
    result.push(parsed.fields)
    at = parsed.next
  }
  if (result.length === end.count) return result
  throw malformed(
    source,
    end.offset,
    `the zip file lists ${result.length} entries where it announces ${end.count}`,
  )
}

/**
 * Adds to each entry the position that it must end before: the next local header, or the directory at `end`.
 * Entries that share bytes fail here or, where an extra field decides, when they are read.
 */
function withLimits(
  entries: readonly CentralFields[],
  end: number,
): { fields: CentralFields; limit: number }[] {
  const starts = [...new Set(entries.map(({ offset }) => offset)), end].sort((a, b) => a - b)
  const limits = new Map(starts.map((start, index) => [start, starts[index + 1] ?? start]))
  const seen = new Set<number>()
  return entries.map(fields => {
    const limit = limits.get(fields.offset)!
    const least = fields.offset + LOCAL_SIZE + fields.nameBytes.length + fields.compressedSize
    if (least > limit || fields.offset >= end || seen.has(fields.offset))
      throw new EspalierError('malformed', 'entries of the zip file overlap or leave the file', {
        where: { offset: fields.offset },
      })
    seen.add(fields.offset)
    return { fields, limit }
  })
}

async function readEntry(
  source: ByteSource,
  name: string,
  fields: CentralFields,
  limit: number,
  { zeroCrcIsNone = false }: ZipOptions,
): Promise<Uint8Array> {
  const { method, size, compressedSize } = fields
  requireSupported(name, fields)
  const start = await dataStart(source, name, fields)
  if (start + compressedSize > limit)
    throw new EspalierError('malformed', `zip entry "${name}" overlaps what follows it`)
  if (method === STORED && size !== compressedSize)
    throw new EspalierError('malformed', `zip entry "${name}" is stored, yet has two sizes`, {
      expected: `${size} bytes`,
      got: `${compressedSize}`,
    })
  const content =
    method === STORED
      ? await source.read(start, size)
      : await inflate(source, start, compressedSize, size, `zip entry "${name}"`)
  if (zeroCrcIsNone && fields.crc32 === 0) return content
  const sum = crc32(content)
  if (sum === fields.crc32) return content
  throw new EspalierError('malformed', `zip entry "${name}" is damaged: its CRC-32 does not match`, {
    expected: hex(fields.crc32),
    got: hex(sum),
  })
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}

function requireSupported(name: string, { flags, method }: CentralFields): void {
  if (flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED))
    throw new EspalierError('unsupported-format', `zip entry "${name}" is encrypted`)
  if (flags & FLAG_PATCH || (method !== STORED && method !== DEFLATED))
    throw new EspalierError(
      'unsupported-format',
      `zip entry "${name}" has a compression that is not implemented`,
      {
        expected: 'method 0 (stored) or 8 (deflated)',
        got: `${method}`,
      },
    )
}

/** Checks the local header against the central one and gives the position behind it. */
async function dataStart(source: ByteSource, name: string, central: CentralFields): Promise<number> {
  const fixed = await source.read(central.offset, LOCAL_SIZE)
  if (!hasSignature(fixed, 0, LOCAL_SIGNATURE))
    throw new EspalierError('malformed', `zip entry "${name}" is not where the central directory says`)
  const { nameLength, extraLength } = localTail(fixed)
  const local = parseLocal(await source.read(central.offset, LOCAL_SIZE + nameLength + extraLength))
  const sameName =
    nameLength === central.nameBytes.length &&
    local.nameBytes.every((byte, index) => byte === central.nameBytes[index])
  // With a data descriptor the local header was written before these were known.
  const sameSizes =
    (local.flags & FLAG_DESCRIPTOR) !== 0 ||
    (local.size === central.size &&
      local.compressedSize === central.compressedSize &&
      local.crc32 === central.crc32)
  if (!sameName || !sameSizes || local.method !== central.method)
    throw new EspalierError('malformed', `the two headers of zip entry "${name}" contradict each other`)
  return central.offset + local.length
}
