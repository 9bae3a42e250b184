/**
 * Reading protobuf messages by the tables of proto.ts. What a file claims is never believed: lengths are checked
 * against what is left, nesting is bounded, and so is what the structure takes in memory - two bytes of a file can
 * ask for an object of a hundred. Weights are stepped over and only noted.
 */
import { decodeText } from '../io/bytes.ts'
import { type Field, type Payload, type Table, type TensorProto, tensorTable } from './proto.ts'
import type { Cursor, WireType } from './wire.ts'

/** A message as read: field values under their names. */
export type Decoded = Record<string, unknown> & { unknown?: Uint8Array[] }

/** What is met on the way and needs more than reading: elements to load, and tensors that may have theirs elsewhere. */
export interface Findings {
  readonly payloads: Payload[]
  readonly tensors: TensorProto[]
  /** Bytes of memory that the structure takes, roughly. */
  memory: number
}

/** Deepest nesting of messages. Protobuf's own readers stop at 100. */
const MAX_DEPTH = 200
/** Highest field number that protobuf has. */
const MAX_FIELD = 2 ** 29 - 1
/** Bytes of memory that a model's structure may take, weights not counted: several times what the largest have. */
export const MEMORY_LIMIT: number = 2 ** 29
/** Bytes of memory that an object, an array or a string takes at least. */
const OBJECT = 128
/** Bytes of memory that a number in a list takes. */
const NUMBER = 8

export function noFindings(): Findings {
  return { payloads: [], tensors: [], memory: 0 }
}

/**
 * Reads one message that ends at `end`; a field that comes twice is merged as protobuf does. Throws `malformed`,
 * `truncated`, or `too-large` for a structure that would take more than 512 MiB.
 */
export function decodeMessage(cursor: Cursor, end: number, fields: Table, found: Findings): Decoded {
  return decodeInto(undefined, { cursor, end, fields, found, depth: 0 })
}

/** A message that is being read. */
interface Reading {
  readonly cursor: Cursor
  /** Where the message ends. */
  readonly end: number
  readonly fields: Table
  readonly found: Findings
  readonly depth: number
}

/** Reads a message, or the rest of one that comes in several parts. */
function decodeInto(part: Decoded | undefined, reading: Reading): Decoded {
  const { cursor, end, fields, found, depth } = reading
  const message = part ?? {}
  if (depth > MAX_DEPTH) throw cursor.fail('malformed', `messages are nested more than ${MAX_DEPTH} deep`)
  charge(reading, OBJECT)
  if (fields === tensorTable && part === undefined) found.tensors.push(message)
  while (cursor.at < end) {
    const start = cursor.at
    const tag = cursor.size()
    const wire = (tag % 8) as WireType
    const number = Math.floor(tag / 8)
    if (number === 0 || number > MAX_FIELD || !isWireType(wire))
      throw cursor.fail('malformed', 'not a protobuf field', `tag ${tag}`)
    const field = fields.get(number)
    if (field !== undefined && accepts(field, wire)) decodeField(field, wire, message, reading)
    else keepUnknown(start, wire, message, reading)
    if (cursor.at > end) throw cursor.fail('malformed', 'a field reaches beyond its message')
  }
  return message
}

function isWireType(wire: number): wire is WireType {
  return wire <= 2 || wire === 5
}

function charge({ cursor, found }: Reading, memory: number): void {
  found.memory += memory
  if (found.memory > MEMORY_LIMIT)
    throw cursor.fail('too-large', `the structure of the model takes more than ${MEMORY_LIMIT} bytes`)
}

/** Whether a field of this kind can have this wire type; packed numbers may come unpacked. */
function accepts({ kind, element }: Field, wire: WireType): boolean {
  switch (kind) {
    case 'integer':
      return wire === 0
    case 'float':
      return wire === 5
    case 'integers':
      return wire === 0 || wire === 2
    case 'floats':
      return wire === 5 || wire === 2
    case 'payloads':
      return wire === element || wire === 2
    default:
      return wire === 2
  }
}

/** Steps over a field that no table knows and keeps its bytes, tag included. */
function keepUnknown(start: number, wire: WireType, message: Decoded, reading: Reading): void {
  const { cursor, end } = reading
  if (wire === 0) cursor.varint()
  else if (wire === 1) cursor.skip(8)
  else if (wire === 5) cursor.skip(4)
  else cursor.skip(cursor.size())
  const stop = cursor.at
  if (stop > end) throw cursor.fail('malformed', 'a field reaches beyond its message')
  charge(reading, OBJECT + stop - start)
  cursor.at = start
  message.unknown ??= []
  message.unknown.push(new Uint8Array(cursor.bytes(stop - start)))
}

function decodeField(field: Field, wire: WireType, message: Decoded, reading: Reading): void {
  const { cursor, end } = reading
  if (wire !== 2) {
    decodeNumber(field, wire, message, reading)
    return
  }
  const length = cursor.size()
  if (length > end - cursor.at)
    throw cursor.fail('truncated', `field "${field.name}" is longer than its message`)
  decodeDelimited(field, length, message, reading)
}

/** A field of wire type 0, 1 or 5: a number, or one entry of a list of numbers. */
function decodeNumber({ name, kind }: Field, wire: WireType, message: Decoded, reading: Reading): void {
  const { cursor } = reading
  if (kind === 'integer') message[name] = cursor.varint()
  else if (kind === 'float') message[name] = cursor.float()
  else if (kind === 'payloads') {
    const start = cursor.at
    if (wire === 0) cursor.varint()
    else cursor.skip(wire === 1 ? 8 : 4)
    const length = cursor.at - start
    cursor.at = start
    listOf<Payload>(message, name).push(payload(length, reading))
  } else {
    charge(reading, NUMBER)
    listOf<number | bigint>(message, name).push(wire === 0 ? cursor.varint() : cursor.float())
  }
}

/** A field of wire type 2, `length` bytes long. */
function decodeDelimited(field: Field, length: number, message: Decoded, reading: Reading): void {
  const { cursor } = reading
  const { name } = field
  const stop = cursor.at + length
  switch (field.kind) {
    case 'string':
      message[name] = text(length, name, reading)
      break
    case 'strings':
      listOf<string>(message, name).push(text(length, name, reading))
      break
    case 'bytes':
      message[name] = copy(length, reading)
      break
    case 'byteses':
      listOf<Uint8Array>(message, name).push(copy(length, reading))
      break
    case 'message':
      message[name] = decodeInner(message[name] as Decoded | undefined, field, stop, reading)
      break
    case 'messages':
      listOf<Decoded>(message, name).push(decodeInner(undefined, field, stop, reading))
      break
    case 'payload':
      message[name] = payload(length, reading)
      break
    case 'payloads':
      if (field.element !== 0) checkWhole(length, field.element === 1 ? 8 : 4, name, reading)
      listOf<Payload>(message, name).push(payload(length, reading))
      break
    case 'integers': {
      const values = listOf<number | bigint>(message, name)
      charge(reading, length * NUMBER)
      while (cursor.at < stop) values.push(cursor.varint())
      break
    }
    case 'floats': {
      checkWhole(length, 4, name, reading)
      const values = listOf<number>(message, name)
      charge(reading, (length / 4) * NUMBER)
      while (cursor.at < stop) values.push(cursor.float())
      break
    }
  }
}

/** Reads a message that is the value of a field. */
function decodeInner(
  part: Decoded | undefined,
  field: Field,
  end: number,
  { cursor, found, depth }: Reading,
): Decoded {
  return decodeInto(part, { cursor, end, fields: field.table!(), found, depth: depth + 1 })
}

function listOf<T>(message: Decoded, name: string): T[] {
  message[name] ??= []
  return message[name] as T[]
}

function checkWhole(length: number, width: number, name: string, { cursor }: Reading): void {
  if (length % width !== 0) throw cursor.fail('malformed', `field "${name}" ends inside a number`)
}

function payload(length: number, reading: Reading): Payload {
  const { cursor, found } = reading
  charge(reading, OBJECT)
  const range: Payload = { offset: cursor.at, length }
  found.payloads.push(range)
  cursor.skip(length)
  return range
}

function copy(length: number, reading: Reading): Uint8Array {
  charge(reading, OBJECT + length)
  return new Uint8Array(reading.cursor.bytes(length))
}

function text(length: number, name: string, reading: Reading): string {
  charge(reading, OBJECT + length)
  const { cursor } = reading
  try {
    return decodeText(cursor.bytes(length))
  } catch {
    throw cursor.fail('malformed', `field "${name}" is not valid UTF-8`)
  }
}
