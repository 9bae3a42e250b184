/**
 * What the header of an espalier file says beside the safetensors entries: the version, the checksum of the header, the
 * part that holds the graph, and for every tensor its codecs and parts. JSON text in the values of `__metadata__`, read
 * with every field checked: nothing is allocated on its word alone.
 */
import { type ErrorDetails, EspalierError } from '../../errors.ts'
import { type DType, isDType } from '../../tensor/dtype.ts'
import { formatShape, type Shape } from '../../tensor/shape.ts'

export const VERSION = 1

/** Bytes of a tensor or of the graph: a safetensors entry, and how they are checked. */
export interface GraphRecord {
  readonly part: string
  /** CRC-32 of the part, eight hexadecimal digits. */
  readonly checksum: string
}

/** A tensor in the directory. */
export interface TensorRecord {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  /** Axes of the matrix, outermost first; in their own order when left out. */
  readonly order?: readonly number[]
  /** How many axes make a row of the matrix; 1 when left out. */
  readonly columnAxes?: number
  readonly codec: string
  readonly parameters?: readonly number[]
  readonly stored: number
  readonly values: string
  readonly valueParameters?: readonly number[]
  /** Axes of the positions of a sparse constant, 0 for flat ones. */
  readonly sparse?: number
  /** Names of the safetensors entries. */
  readonly parts: { readonly pattern?: string; readonly values: string; readonly scales?: string }
  /** CRC-32 of pattern, values and scales, in this order, eight hexadecimal digits. */
  readonly checksum: string
}

export interface Directory {
  readonly graph: GraphRecord
  readonly tensors: readonly TensorRecord[]
}

/** The beginning of every file, behind the length of its header. The checksum of the header follows. */
export const PREFIX = '{"__metadata__":{"espalier":"1","checksum":"'
const ANY_VERSION = /^\{"__metadata__":\{"espalier":"(\d{1,6})"/
export const CHECKSUM_DIGITS = 8

/** A checksum as the file has it. */
export function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(CHECKSUM_DIGITS, '0')
}

/** The version in the first bytes of a header, after its length; `undefined` where it is that of another format. */
export function versionIn(head: Uint8Array): number | undefined {
  const found = ANY_VERSION.exec(new TextDecoder('latin1').decode(head.subarray(0, 64)))
  return found === null ? undefined : Number(found[1])
}

/** The metadata of a file. The first entries make {@link PREFIX}. */
export function metadataOf({ graph, tensors }: Directory): Map<string, string> {
  return new Map([
    ['espalier', `${VERSION}`],
    ['checksum', '0'.repeat(CHECKSUM_DIGITS)],
    ['graph', JSON.stringify(graph)],
    ['tensors', JSON.stringify(tensors)],
  ])
}

/** Reads the directory. Throws `malformed`. */
export function readDirectory(metadata: ReadonlyMap<string, string>): Directory {
  const graph = fieldsOf(parse(metadata, 'graph'), { field: 'graph' })
  const tensors = parse(metadata, 'tensors')
  if (!Array.isArray(tensors)) throw malformed('is not a list', { where: { field: 'tensors' } })
  const seen = new Set<string>()
  return {
    graph: { part: text(graph, 'part', {}), checksum: text(graph, 'checksum', {}) },
    tensors: tensors.map(value => {
      const record = readRecord(value)
      if (seen.has(record.name))
        throw malformed('is in the directory twice', { where: { tensor: record.name } })
      seen.add(record.name)
      return record
    }),
  }
}

type Fields = Readonly<Record<string, unknown>>

function parse(metadata: ReadonlyMap<string, string>, field: string): unknown {
  const source = metadata.get(field)
  if (source === undefined) throw malformed('the header lacks a field', { where: { field } })
  try {
    return JSON.parse(source)
  } catch (cause) {
    throw malformed('a field of the header is not valid JSON', { where: { field }, cause })
  }
}

function readRecord(value: unknown): TensorRecord {
  const fields = fieldsOf(value, { field: 'tensors' })
  const name = text(fields, 'name', {})
  const where = { tensor: name }
  const dtype = text(fields, 'dtype', where)
  if (!isDType(dtype) || dtype === 'string')
    throw malformed('is of no data type that a file can hold', { where, got: dtype.slice(0, 40) })
  const shape = integers(fields, 'shape', where)
  const elements = shape.reduce((product, extent) => product * extent, 1)
  if (shape.some(extent => extent < 0) || !Number.isSafeInteger(elements) || shape.length > 64)
    throw malformed('has a shape that is not possible', { where, got: formatShape(shape.slice(0, 16)) })
  const parts = fieldsOf(fields.parts, where)
  const stored = integers({ stored: [fields.stored] }, 'stored', where)[0]!
  if (stored < 0 || stored > elements)
    throw malformed('stores another number of elements than it has', {
      where,
      expected: `0 to ${elements}`,
      got: `${stored}`,
    })
  const columnAxes = fields.columnAxes === undefined ? undefined : single(fields, 'columnAxes', where)
  const sparse = fields.sparse === undefined ? undefined : single(fields, 'sparse', where)
  if (sparse !== undefined && sparse !== 0 && sparse !== shape.length)
    throw malformed('has positions of another number of axes', { where, got: `${sparse}` })
  return {
    name,
    dtype,
    shape,
    ...(fields.order !== undefined && { order: integers(fields, 'order', where) }),
    ...(columnAxes !== undefined && { columnAxes }),
    codec: text(fields, 'codec', where),
    ...(fields.parameters !== undefined && { parameters: integers(fields, 'parameters', where) }),
    stored,
    values: text(fields, 'values', where),
    ...(fields.valueParameters !== undefined && {
      valueParameters: integers(fields, 'valueParameters', where),
    }),
    ...(sparse !== undefined && { sparse }),
    parts: {
      ...(parts.pattern !== undefined && { pattern: text(parts, 'pattern', where) }),
      values: text(parts, 'values', where),
      ...(parts.scales !== undefined && { scales: text(parts, 'scales', where) }),
    },
    checksum: text(fields, 'checksum', where),
  }
}

function fieldsOf(value: unknown, where: ErrorDetails['where'] & object): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw malformed('an entry of the directory is not an object', { where })
}

function text(fields: Fields, field: string, where: ErrorDetails['where'] & object): string {
  const value = Object.hasOwn(fields, field) ? fields[field] : undefined
  if (typeof value === 'string') return value
  throw malformed('an entry of the directory is not text', { where: { ...where, field } })
}

function single(fields: Fields, field: string, where: ErrorDetails['where'] & object): number {
  return integers({ [field]: [fields[field]] }, field, where)[0]!
}

function integers(fields: Fields, field: string, where: ErrorDetails['where'] & object): number[] {
  const value = fields[field]
  if (Array.isArray(value) && value.every(item => Number.isSafeInteger(item))) return value as number[]
  throw malformed('an entry of the directory is not made of integers', { where: { ...where, field } })
}

function malformed(summary: string, details: ErrorDetails): EspalierError {
  return new EspalierError('malformed', summary, details)
}
