/**
 * The fixed records of a zip file, as bytes: local headers, central directory entries and the end records, with
 * their 64-bit forms. Field names and layouts follow PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5. Only layout
 * lives here; what a reader must doubt is in read.ts.
 */
import { EspalierError } from '../../errors.ts'

export const LOCAL_SIGNATURE = 0x04034b50
export const CENTRAL_SIGNATURE = 0x02014b50
export const END_SIGNATURE = 0x06054b50
export const END64_SIGNATURE = 0x06064b50
export const LOCATOR64_SIGNATURE = 0x07064b50

/** Sizes of the fixed parts. */
export const LOCAL_SIZE = 30
export const CENTRAL_SIZE = 46
export const END_SIZE = 22
export const END64_SIZE = 56
export const LOCATOR64_SIZE = 20

/** Values that say "look in the 64-bit field". */
export const MAX16 = 0xffff
export const MAX32 = 0xffffffff

export const STORED = 0
export const DEFLATED = 8

/** General purpose flags. */
export const FLAG_ENCRYPTED = 0x0001
export const FLAG_DESCRIPTOR = 0x0008
export const FLAG_PATCH = 0x0020
export const FLAG_STRONG_ENCRYPTION = 0x0040
export const FLAG_UTF8 = 0x0800
export const FLAG_MASKED = 0x2000

/** Extra field with the 64-bit values of a header. */
const EXTRA_ZIP64 = 0x0001
/** Extra field of padding, "FB" as PyTorch writes it. */
const EXTRA_PADDING = 0x4246

/** 1 January 1980, 00:00, the first that DOS can tell: files with the same content are the same. */
const DATE = (1 << 5) | 1
const TIME = 0
const VERSION = 20
const VERSION_ZIP64 = 45
/** "Made by" Unix: the attributes hold a file mode. */
const UNIX = 3
const MODE = 0o100644

/** What both headers of an entry say. */
export interface EntryFields {
  readonly flags: number
  readonly method: number
  readonly crc32: number
  readonly compressedSize: number
  readonly size: number
}

export interface CentralFields extends EntryFields {
  readonly nameBytes: Uint8Array
  /** Position of the local header. */
  readonly offset: number
}

export interface LocalFields extends EntryFields {
  readonly nameBytes: Uint8Array
  /** Length of the whole header: the data begins after it. */
  readonly length: number
}

/** What the end records say about the central directory. */
export interface EndFields {
  readonly disk: number
  readonly count: number
  readonly size: number
  readonly offset: number
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A 64-bit field. Throws `malformed` beyond 2^53, which no file reaches. */
function uint64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true))
  if (Number.isSafeInteger(value)) return value
  throw new EspalierError('malformed', `the zip file has a 64-bit field of ${value}`)
}

/** Whether the four bytes at `at` are `signature`; not so where there are none. */
export function hasSignature(bytes: Uint8Array, at: number, signature: number): boolean {
  return [0, 8, 16, 24].every((shift, index) => bytes[at + index] === ((signature >>> shift) & 255))
}

/** The end record at `at`. Fields at their maximum are to be read from the 64-bit record. */
export function parseEnd(bytes: Uint8Array, at: number): EndFields {
  const view = viewOf(bytes)
  return {
    disk: view.getUint16(at + 4, true) | view.getUint16(at + 6, true),
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  }
}

export function endCommentLength(bytes: Uint8Array, at: number): number {
  return viewOf(bytes).getUint16(at + 20, true)
}

/** The 64-bit end record, from its `END64_SIZE` bytes. */
export function parseEnd64(bytes: Uint8Array): EndFields {
  const view = viewOf(bytes)
  return {
    disk: view.getUint32(16, true) | view.getUint32(20, true),
    count: uint64(view, 32),
    size: uint64(view, 40),
    offset: uint64(view, 48),
  }
}

/** Where the 64-bit end record is, from the `LOCATOR64_SIZE` bytes of its locator. */
export function parseLocator64(bytes: Uint8Array): number {
  return uint64(viewOf(bytes), 8)
}

/** The central directory entry at `at` and the position after it; `undefined` when the bytes end inside it. */
export function parseCentral(
  bytes: Uint8Array,
  at: number,
): { fields: CentralFields; next: number } | undefined {
  if (at + CENTRAL_SIZE > bytes.length) return undefined
  const view = viewOf(bytes)
  const nameLength = view.getUint16(at + 28, true)
  const extraLength = view.getUint16(at + 30, true)
  const extraAt = at + CENTRAL_SIZE + nameLength
  const next = extraAt + extraLength + view.getUint16(at + 32, true)
  if (next > bytes.length) return undefined
  const narrow = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)]
  const wide = widen(narrow, bytes.subarray(extraAt, extraAt + extraLength))
  const fields: CentralFields = {
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    crc32: view.getUint32(at + 16, true),
    size: wide[0]!,
    compressedSize: wide[1]!,
    offset: wide[2]!,
    nameBytes: bytes.subarray(at + CENTRAL_SIZE, extraAt),
  }
  return { fields, next }
}

/** Lengths of the name and of the extra fields that follow the fixed part of a local header. */
export function localTail(bytes: Uint8Array): { nameLength: number; extraLength: number } {
  const view = viewOf(bytes)
  return { nameLength: view.getUint16(26, true), extraLength: view.getUint16(28, true) }
}

/** A local header, from its bytes with name and extra fields. */
export function parseLocal(bytes: Uint8Array): LocalFields {
  const view = viewOf(bytes)
  const extraAt = LOCAL_SIZE + view.getUint16(26, true)
  const wide = widen([view.getUint32(22, true), view.getUint32(18, true)], bytes.subarray(extraAt))
  return {
    flags: view.getUint16(6, true),
    method: view.getUint16(8, true),
    crc32: view.getUint32(14, true),
    size: wide[0]!,
    compressedSize: wide[1]!,
    nameBytes: bytes.subarray(LOCAL_SIZE, extraAt),
    length: bytes.length,
  }
}

/** Replaces the values that are at their 32-bit maximum by those of the 64-bit extra field, in order. */
function widen(narrow: readonly number[], extra: Uint8Array): number[] {
  if (!narrow.includes(MAX32)) return [...narrow]
  const view = viewOf(extra)
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = view.getUint16(at + 2, true)
    const end = at + 4 + length
    if (view.getUint16(at, true) === EXTRA_ZIP64 && end <= extra.length) {
      let field = at + 4
      return narrow.map(value => {
        if (value !== MAX32 || field + 8 > end) return value
        field += 8
        return uint64(view, field - 8)
      })
    }
    at = end
  }
  return [...narrow]
}

/** Whether an entry needs the 64-bit form. */
export function needsZip64({ size, compressedSize }: EntryFields, offset: number): boolean {
  return size >= MAX32 || compressedSize >= MAX32 || offset >= MAX32
}

/** Entry data begins at a multiple of this many bytes, so that it can be used in place, as PyTorch has it too. */
export const ALIGNMENT = 64

/** A local header, padded with an extra field so that the data behind it is aligned. */
export function encodeLocal(entry: CentralFields, zip64: boolean): Uint8Array {
  const wide = zip64 ? 4 + 2 * 8 : 0
  const plain = LOCAL_SIZE + entry.nameBytes.length + wide
  const excess = (entry.offset + plain) % ALIGNMENT
  const padding = excess === 0 ? 0 : 4 + ((2 * ALIGNMENT - excess - 4) % ALIGNMENT)
  const bytes = new Uint8Array(plain + padding)
  const view = viewOf(bytes)
  view.setUint32(0, LOCAL_SIGNATURE, true)
  setCommon(view, 4, entry, zip64)
  view.setUint16(26, entry.nameBytes.length, true)
  view.setUint16(28, wide + padding, true)
  bytes.set(entry.nameBytes, LOCAL_SIZE)
  const extraAt = LOCAL_SIZE + entry.nameBytes.length
  if (zip64) setZip64(view, extraAt, [entry.size, entry.compressedSize])
  if (padding > 0) {
    view.setUint16(extraAt + wide, EXTRA_PADDING, true)
    view.setUint16(extraAt + wide + 2, padding - 4, true)
  }
  return bytes
}

export function encodeCentral(entry: CentralFields, zip64: boolean): Uint8Array {
  const wide = zip64 ? 4 + 3 * 8 : 0
  const bytes = new Uint8Array(CENTRAL_SIZE + entry.nameBytes.length + wide)
  const view = viewOf(bytes)
  view.setUint32(0, CENTRAL_SIGNATURE, true)
  view.setUint16(4, (UNIX << 8) | VERSION_ZIP64, true)
  setCommon(view, 6, entry, zip64)
  view.setUint16(28, entry.nameBytes.length, true)
  view.setUint16(30, wide, true)
  view.setUint32(38, (MODE << 16) >>> 0, true)
  view.setUint32(42, zip64 ? MAX32 : entry.offset, true)
  bytes.set(entry.nameBytes, CENTRAL_SIZE)
  if (zip64)
    setZip64(view, CENTRAL_SIZE + entry.nameBytes.length, [entry.size, entry.compressedSize, entry.offset])
  return bytes
}

/** The 22 bytes that both headers share, from the version that is needed to the size. */
function setCommon(view: DataView, at: number, entry: EntryFields, zip64: boolean): void {
  view.setUint16(at, zip64 ? VERSION_ZIP64 : VERSION, true)
  view.setUint16(at + 2, entry.flags, true)
  view.setUint16(at + 4, entry.method, true)
  view.setUint16(at + 6, TIME, true)
  view.setUint16(at + 8, DATE, true)
  view.setUint32(at + 10, entry.crc32, true)
  view.setUint32(at + 14, zip64 ? MAX32 : entry.compressedSize, true)
  view.setUint32(at + 18, zip64 ? MAX32 : entry.size, true)
}

function setZip64(view: DataView, at: number, values: readonly number[]): void {
  view.setUint16(at, EXTRA_ZIP64, true)
  view.setUint16(at + 2, 8 * values.length, true)
  for (const [index, value] of values.entries()) view.setBigUint64(at + 4 + 8 * index, BigInt(value), true)
}

/** The end of a file: the end record, after its 64-bit form and locator where those are needed or asked for. */
export function encodeEnd({ count, size, offset }: Omit<EndFields, 'disk'>, zip64: boolean): Uint8Array {
  const wide = zip64 || count >= MAX16 || size >= MAX32 || offset >= MAX32
  const start = wide ? END64_SIZE + LOCATOR64_SIZE : 0
  const bytes = new Uint8Array(start + END_SIZE)
  const view = viewOf(bytes)
  if (wide) {
    view.setUint32(0, END64_SIGNATURE, true)
    view.setBigUint64(4, BigInt(END64_SIZE - 12), true)
    view.setUint16(12, (UNIX << 8) | VERSION_ZIP64, true)
    view.setUint16(14, VERSION_ZIP64, true)
    for (const [at, value] of [
      [24, count],
      [32, count],
      [40, size],
      [48, offset],
    ] as const)
      view.setBigUint64(at, BigInt(value), true)
    view.setUint32(END64_SIZE, LOCATOR64_SIGNATURE, true)
    view.setBigUint64(END64_SIZE + 8, BigInt(offset + size), true)
    view.setUint32(END64_SIZE + 16, 1, true)
  }
  view.setUint32(start, END_SIGNATURE, true)
  view.setUint16(start + 8, wide ? MAX16 : count, true)
  view.setUint16(start + 10, wide ? MAX16 : count, true)
  view.setUint32(start + 12, wide ? MAX32 : size, true)
  view.setUint32(start + 16, wide ? MAX32 : offset, true)
  return bytes
}
