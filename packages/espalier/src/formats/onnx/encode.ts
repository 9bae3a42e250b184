/**
 * Writing protobuf messages from the tables of proto.ts. Sizes are worked out first, so that every length is
 * written once and weights are passed through: the result is a list of pieces, of which the large ones are the
 * caller's own buffers.
 */
import { EspalierError } from '../../errors.ts'
import type { Decoded } from './decode.ts'
import type { Field, Payload, Table } from './proto.ts'

/** Largest file that protobuf readers accept, in bytes. */
export const PROTOBUF_LIMIT: number = 2 ** 31 - 1

/** A payload of this many bytes or more becomes a piece of its own. */
const OWN_PIECE = 4096

/**
 * The bytes of a message, in pieces. Throws `too-large` when they exceed what protobuf can hold (`limit` is for
 * tests), `bad-argument` for an integer that 64 bits cannot hold.
 */
export function encodeMessage(message: object, table: Table, limit: number = PROTOBUF_LIMIT): Uint8Array[] {
  const sizes: Sizes = new Map()
  const size = messageSize(message as Decoded, table, sizes)
  if (size > limit)
    throw new EspalierError('too-large', 'the model is too large for one ONNX file', {
      expected: `at most ${limit} bytes`,
      got: `${size}`,
      hint: 'Put its weights into a file of their own, { externalData: true }; constants in attributes and bodies stay',
    })
  const writer = new Writer()
  writeMessage(writer, message as Decoded, table, sizes)
  return writer.finish()
}

/** Body sizes of the messages inside, worked out once. */
type Sizes = Map<object, number>

const utf8 = new TextEncoder()
const texts = new Map<string, Uint8Array>()

/** UTF-8 of a name; names recur, so the last few thousand are kept. */
function encodeText(value: string): Uint8Array {
  if (value.length > 100) return utf8.encode(value)
  let bytes = texts.get(value)
  if (bytes === undefined) {
    bytes = utf8.encode(value)
    if (texts.size > 5000) texts.clear()
    texts.set(value, bytes)
  }
  return bytes
}

function messageSize(message: Decoded, table: Table, sizes: Sizes): number {
  let size = 0
  for (const field of table.values()) {
    const value = message[field.name]
    if (value !== undefined) size += fieldSize(field, value, sizes)
  }
  for (const part of message.unknown ?? []) size += part.length
  sizes.set(message, size)
  return size
}

function fieldSize(field: Field, value: unknown, sizes: Sizes): number {
  const tag = varintSize(field.number * 8)
  const delimited = (length: number): number => tag + varintSize(length) + length
  switch (field.kind) {
    case 'integer':
      return tag + integerSize(value as number | bigint, field)
    case 'float':
      return tag + 4
    case 'string':
      return delimited(encodeText(value as string).length)
    case 'strings':
      return sum(value as string[], text => delimited(encodeText(text).length))
    case 'bytes':
      return delimited((value as Uint8Array).length)
    case 'byteses':
      return sum(value as Uint8Array[], bytes => delimited(bytes.length))
    case 'message':
      return delimited(messageSize(value as Decoded, field.table!(), sizes))
    case 'messages':
      return sum(value as Decoded[], inner => delimited(messageSize(inner, field.table!(), sizes)))
    case 'payload':
      return delimited((value as Payload).length)
    case 'payloads':
      return sum(value as Payload[], payload => delimited(payload.length))
    case 'integers':
      return sum(value as (number | bigint)[], item => tag + integerSize(item, field))
    case 'floats':
      return (tag + 4) * (value as number[]).length
  }
}

function writeMessage(writer: Writer, message: Decoded, table: Table, sizes: Sizes): void {
  for (const field of table.values()) {
    const value = message[field.name]
    if (value !== undefined) writeField(writer, field, value, sizes)
  }
  for (const part of message.unknown ?? []) writer.bytes(part)
}

function writeField(writer: Writer, field: Field, value: unknown, sizes: Sizes): void {
  const { number } = field
  const delimited = (bytes: Uint8Array): void => {
    writer.varint(number * 8 + 2)
    writer.varint(bytes.length)
    writer.bytes(bytes)
  }
  const inner = (message: Decoded): void => {
    writer.varint(number * 8 + 2)
    writer.varint(sizes.get(message)!)
    writeMessage(writer, message, field.table!(), sizes)
  }
  switch (field.kind) {
    case 'integer':
      writer.varint(number * 8)
      writer.varint(value as number | bigint)
      break
    case 'float':
      writer.varint(number * 8 + 5)
      writer.float(value as number)
      break
    case 'string':
      delimited(encodeText(value as string))
      break
    case 'strings':
      for (const text of value as string[]) delimited(encodeText(text))
      break
    case 'bytes':
      delimited(value as Uint8Array)
      break
    case 'byteses':
      for (const bytes of value as Uint8Array[]) delimited(bytes)
      break
    case 'message':
      inner(value as Decoded)
      break
    case 'messages':
      for (const message of value as Decoded[]) inner(message)
      break
    case 'payload':
      delimited((value as Payload).bytes!)
      break
    case 'payloads':
      for (const payload of value as Payload[]) delimited(payload.bytes!)
      break
    case 'integers':
      for (const item of value as (number | bigint)[]) {
        writer.varint(number * 8)
        writer.varint(item)
      }
      break
    case 'floats':
      for (const item of value as number[]) {
        writer.varint(number * 8 + 5)
        writer.float(item)
      }
  }
}

/** Bytes of an integer of a field. Throws `bad-argument` for what is no integer of 64 bits, signed or not. */
function integerSize(value: number | bigint, { name }: Field): number {
  const integer = typeof value === 'bigint' || Number.isInteger(value)
  if (integer && value >= -(2 ** 63) && value < 2 ** 64) return varintSize(value)
  throw new EspalierError('bad-argument', 'not an integer of 64 bits', {
    where: { field: name },
    got: `${value}`,
  })
}

/** Bytes of a varint; negative numbers take ten, as two's complement of 64 bits. */
function varintSize(value: number | bigint): number {
  if (value < 0) return 10
  let size = 1
  if (typeof value === 'bigint') for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size++
  else for (let rest = value; rest >= 128; rest /= 128) size++
  return size
}

function sum<T>(items: readonly T[], f: (item: T) => number): number {
  return items.reduce((total, item) => total + f(item), 0)
}

/** Collects small writes in buffers and passes large ones through. */
class Writer {
  readonly #pieces: Uint8Array[] = []
  readonly #buffer = new Uint8Array(1 << 14)
  readonly #view = new DataView(this.#buffer.buffer)
  #used = 0

  varint(value: number | bigint): void {
    this.#reserve(10)
    if (typeof value === 'bigint' || value < 0) {
      let rest = BigInt.asUintN(64, BigInt(value))
      for (; rest >= 128n; rest >>= 7n) this.#buffer[this.#used++] = Number(rest & 127n) | 128
      this.#buffer[this.#used++] = Number(rest)
      return
    }
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#buffer[this.#used++] = (rest % 128) | 128
    this.#buffer[this.#used++] = rest
  }

  float(value: number): void {
    this.#reserve(4)
    this.#view.setFloat32(this.#used, value, true)
    this.#used += 4
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length >= OWN_PIECE) {
      this.#flush()
      this.#pieces.push(bytes)
      return
    }
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#used)
    this.#used += bytes.length
  }

  finish(): Uint8Array[] {
    this.#flush()
    return this.#pieces
  }

  #reserve(length: number): void {
    if (this.#used + length > this.#buffer.length) this.#flush()
  }

  #flush(): void {
    if (this.#used === 0) return
    this.#pieces.push(this.#buffer.slice(0, this.#used))
    this.#used = 0
  }
}
