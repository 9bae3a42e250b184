/**
 * The header of a safetensors file: JSON text that names every tensor and says where its bytes lie. Checked as
 * strictly as the format's reference implementation does, so that no file means different things to two readers:
 * no key twice, no hole or overlap between tensors, no byte that belongs to none.
 * Source: https://github.com/huggingface/safetensors (format description in its README).
 */
import { type ErrorDetails, EspalierError } from '../../errors.ts'
import { byteLength, type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { formatShape, type Shape } from '../../tensor/shape.ts'
import type { ByteSource } from '../io/source.ts'
import { duplicateKey } from './keys.ts'

/** Largest header, in bytes; the limit of the reference implementation. */
export const MAX_HEADER = 100_000_000
/** Bytes of the header's length, a little-endian 64-bit integer at the start of the file. */
export const LENGTH_BYTES = 8
/** The one key that is not a tensor. */
export const METADATA = '__metadata__'

/** What a file says about one tensor. */
export interface SafetensorsEntry {
  readonly dtype: DType
  readonly shape: Shape
  /** Position of its first byte in the file. */
  readonly start: number
  /** Position after its last byte. */
  readonly end: number
}

export interface SafetensorsHeader {
  /** By name, in the order of their bytes. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly metadata: ReadonlyMap<string, string>
}

/**
 * The format's type names, in its own order: by size, then as the reference implementation lists them. Files
 * are written in the reverse of it, so that every tensor is aligned. `undefined` marks types without a counterpart here.
 */
export const typeNames: ReadonlyMap<string, DType | undefined> = new Map([
  ['BOOL', 'bool'],
  ['F4', 'float4e2m1'],
  ['F6_E2M3', undefined],
  ['F6_E3M2', undefined],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['F8_E5M2', 'float8e5m2'],
  ['F8_E4M3', 'float8e4m3fn'],
  ['F8_E8M0', 'float8e8m0'],
  ['F8_E4M3FNUZ', 'float8e4m3fnuz'],
  ['F8_E5M2FNUZ', 'float8e5m2fnuz'],
  ['I16', 'int16'],
  ['U16', 'uint16'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I32', 'int32'],
  ['U32', 'uint32'],
  ['F32', 'float32'],
  ['C64', 'complex64'],
  ['F64', 'float64'],
  ['I64', 'int64'],
  ['U64', 'uint64'],
])

/** Reads and checks the header of a whole file. Throws `malformed`, `truncated`, `too-large`, `unsupported-format`. */
export async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const bytes = await headerBytes(source)
  const json = parseJson(bytes)
  const dataStart = LENGTH_BYTES + bytes.length
  const metadata = readMetadata(json[METADATA])
  const entries = Object.entries(json).filter(([name]) => name !== METADATA)
  return { entries: layOut(entries.map(readEntry), dataStart, source.size), metadata }
}

/** The text of the header, as bytes. Throws `truncated`, `too-large`. */
export async function headerBytes(source: ByteSource): Promise<Uint8Array> {
  if (source.size < LENGTH_BYTES)
    throw new EspalierError('truncated', 'too short for a safetensors file', {
      expected: `at least ${LENGTH_BYTES} bytes`,
      got: `${source.size}`,
    })
  const length = headerLength(await source.read(0, LENGTH_BYTES))
  if (length > BigInt(MAX_HEADER))
    throw new EspalierError('too-large', 'the header is too long for a safetensors file', {
      expected: `at most ${MAX_HEADER} bytes`,
      got: `${length}`,
      hint: 'This may be no safetensors file',
    })
  return source.read(LENGTH_BYTES, Number(length))
}

/** Whether the first bytes of a file are those of a header. */
export function isHeader(head: Uint8Array): boolean {
  return head.length > LENGTH_BYTES && head[LENGTH_BYTES] === 0x7b && headerLength(head) <= BigInt(MAX_HEADER)
}

function headerLength(head: Uint8Array): bigint {
  return new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
}

/** The header as a plain object. `JSON.parse` would take the last of two equal keys in silence; here they are refused. */
function parseJson(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b)
    throw malformed('the header does not begin with "{"', { where: { offset: LENGTH_BYTES } })
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw malformed('the header is not valid UTF-8', { cause })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw malformed('the header is not valid JSON', { cause, got: (cause as Error).message })
  }
  const twice = duplicateKey(text)
  if (twice !== undefined) throw malformed('a key appears twice in the header', { where: { field: twice } })
  return json as Record<string, unknown> // the text begins with `{`
}

function readMetadata(value: unknown): Map<string, string> {
  if (value === undefined) return new Map()
  if (!isObject(value)) throw malformed('is not an object', { where: { field: METADATA } })
  const entries = Object.entries(value)
  for (const [key, text] of entries)
    if (typeof text !== 'string')
      throw malformed('is not text', { where: { field: `${METADATA}.${key}` }, got: typeof text })
  return new Map(entries as [string, string][])
}

interface Declared {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  /** Relative to the start of the data. */
  readonly offsets: readonly [start: number, end: number]
}

function readEntry([name, value]: [string, unknown]): Declared {
  const where = { tensor: name }
  if (/\p{Surrogate}/u.test(name)) throw malformed('the name is not valid Unicode', { where })
  if (!isObject(value)) throw malformed('its entry in the header is not an object', { where })
  const { dtype: type, shape, data_offsets: offsets } = value
  const dtype = readType(name, type)
  if (!isSizes(shape)) throw malformed('its shape is not a list of integers', { where, got: show(shape) })
  if (!isSizes(offsets) || offsets.length !== 2)
    throw malformed('its data_offsets are not two integers', { where, got: show(offsets) })
  const [start, end] = offsets as [number, number]
  const count = elementCount(name, shape)
  if ((count * dtypeInfo(dtype).bits) % 8 !== 0)
    throw malformed('its elements do not fill whole bytes', { where, got: `${type} ${formatShape(shape)}` })
  if (end - start !== byteLength(dtype, count))
    throw malformed(`its data_offsets do not fit ${type} ${formatShape(shape)}`, {
      where,
      expected: `${byteLength(dtype, count)} bytes`,
      got: `${end - start}`,
    })
  return { name, dtype, shape, offsets: [start, end] }
}

function readType(name: string, type: unknown): DType {
  const where = { tensor: name }
  if (typeof type !== 'string') throw malformed('its dtype is not text', { where, got: show(type) })
  const dtype = typeNames.get(type)
  if (dtype !== undefined) return dtype
  if (typeNames.has(type))
    throw new EspalierError('unsupported-format', `elements of type ${type} are not supported`, {
      where,
      hint: 'Convert the tensor to another type, such as F8_E4M3, where the file was made',
    })
  throw new EspalierError('unsupported-format', `unknown dtype "${type.slice(0, 40)}"`, {
    where,
    expected: [...typeNames.keys()].join(', '),
  })
}

/** The product of the extents. As in the reference, it may not overflow on the way, even when a zero follows. */
function elementCount(name: string, shape: Shape): number {
  let count = 1
  for (const extent of shape) {
    count *= extent
    if (count > Number.MAX_SAFE_INTEGER)
      throw malformed('its shape is too large to be real', { where: { tensor: name }, got: show(shape) })
  }
  return count
}

/** Puts tensors in the order of their bytes, and checks that these follow each other and fill the file. */
function layOut(declared: Declared[], dataStart: number, fileSize: number): Map<string, SafetensorsEntry> {
  declared.sort((a, b) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1])
  const entries = new Map<string, SafetensorsEntry>()
  let position = 0
  for (const { name, dtype, shape, offsets } of declared) {
    const [start, end] = offsets
    if (start !== position)
      throw malformed(start > position ? 'there is a hole before its data' : 'its data overlaps other data', {
        where: { tensor: name },
        expected: `data_offsets that begin at ${position}`,
        got: `${start}`,
      })
    position = end
    entries.set(name, { dtype, shape, start: dataStart + start, end: dataStart + end })
  }
  const left = fileSize - dataStart - position
  if (left < 0) {
    const [tensor = ''] = [...entries].find(([, { end }]) => end > fileSize) ?? []
    throw new EspalierError('truncated', 'the file ends before its data does', {
      where: { tensor },
      expected: `${dataStart + position} bytes`,
      got: `${fileSize}`,
    })
  }
  if (left > 0)
    throw malformed('there are bytes after the last tensor', {
      expected: `${dataStart + position} bytes`,
      got: `${fileSize}`,
    })
  return entries
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(extent => Number.isSafeInteger(extent) && extent >= 0)
}

/** A JSON value, as short text for a message. Not `JSON.stringify`: the value may be nested to any depth. */
function show(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.slice(0, 8).map(showItem).join(', ')}${value.length > 8 ? ', ...' : ''}]`
  return showItem(value)
}

function showItem(value: unknown): string {
  if (value === undefined) return 'nothing'
  return typeof value === 'object' && value !== null ? '...' : String(value).slice(0, 40)
}

function malformed(summary: string, details: ErrorDetails): EspalierError {
  return new EspalierError('malformed', summary, details)
}
