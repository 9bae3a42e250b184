/** What the tests of this folder share: messages as bytes, and graphs in a form that `toEqual` compares in full. */
import { isTensor, type RuntimeValue, tensorBytes } from '../../tensor/tensor.ts'
import { concatBytes } from '../io/bytes.ts'
import { encodeMessage } from './encode.ts'
import { type GraphProto, type ModelProto, modelTable, type Payload, type Table } from './proto.ts'

/** The bytes of a message. */
export function bytesOf(message: object, table: Table = modelTable): Uint8Array {
  return concatBytes(encodeMessage(message, table))
}

/** The bytes of a model around a graph, for tests that care about the graph alone. */
export function modelBytes(graph: GraphProto, more: ModelProto = {}): Uint8Array {
  return bytesOf({ irVersion: 10, opsets: [{ domain: '', version: 21 }], graph, ...more })
}

export function payload(bytes: Uint8Array): Payload {
  return { offset: 0, length: bytes.length, bytes }
}

/** A base-128 number, written independently of encode.ts. */
export function varint(value: bigint | number): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

/** A field of wire type 2. */
export function delimited(number: number, content: Iterable<number>): number[] {
  const bytes = [...content]
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** `value` with tensors as their bytes and maps as entries, down to the leaves. */
export function plain(value: unknown): unknown {
  if (value instanceof Map) return { entries: [...value].map(plain) }
  if (ArrayBuffer.isView(value)) return { bytes: [...(value as Uint8Array)] }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if ('data' in value && 'dtype' in value && isTensor(value as RuntimeValue)) {
    const tensor = value as Exclude<RuntimeValue, null | readonly RuntimeValue[]>
    const data = tensor.dtype === 'string' ? [...tensor.data] : [...tensorBytes(tensor)]
    return { dtype: tensor.dtype, shape: [...tensor.shape], data }
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}
