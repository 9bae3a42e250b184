/** Reading messages: tables against bytes made by hand, merging, unknown fields, and every bound. */
import { describe, expect, test } from 'vitest'
import { memorySource } from '../io/source.ts'
import { type Decoded, decodeMessage, MEMORY_LIMIT, noFindings } from './decode.ts'
import { bytesOf, delimited, plain, text, varint } from './messages.suite.ts'
import {
  attributeTable,
  graphTable,
  type Integers,
  modelTable,
  nodeTable,
  type Table,
  type TensorProto,
  tensorTable,
  typeTable,
} from './proto.ts'
import { Cursor } from './wire.ts'

const decode = (bytes: Iterable<number>, table: Table): Decoded => {
  const source = memorySource(Uint8Array.from(bytes))
  return decodeMessage(new Cursor(source), source.size, table, noFindings())
}
const malformed = (summary: RegExp) =>
  expect.objectContaining({ code: 'malformed', message: expect.stringMatching(summary) })

describe('fields', () => {
  test('packed and unpacked numbers, mixed, in order', () => {
    const ints = [
      ...varint(8 * 8),
      ...varint(-3),
      ...delimited(8, [...varint(4), ...varint(2n ** 60n)]),
      64,
      5,
    ]
    expect(decode(ints, attributeTable).ints as Integers).toEqual([-3, 4, 2n ** 60n, 5])
    const one = [0, 0, 0x80, 0x3f]
    const floats = [...varint(7 * 8 + 5), ...one, ...delimited(7, [...one, 0, 0, 0, 0x40])]
    expect(decode(floats, attributeTable).floats).toEqual([1, 1, 2])
  })

  test('elements of tensors stay where they are', () => {
    const bytes = [
      ...delimited(4, [0, 0, 0x80, 0x3f]),
      ...varint(5 * 8),
      ...varint(300),
      ...delimited(9, [1, 2, 3]),
    ]
    const tensor: TensorProto = decode(bytes, tensorTable)
    expect(tensor.floatData).toEqual([{ offset: 2, length: 4 }])
    expect(tensor.int32Data).toEqual([{ offset: 7, length: 2 }])
    expect(tensor.rawData).toEqual({ offset: 11, length: 3 })
  })

  test('a message in two parts is merged: lists are joined, single values are the last ones', () => {
    const first = bytesOf({ name: 'a', doc: 'x', nodes: [{ op: 'A' }] }, graphTable)
    const second = bytesOf({ name: 'b', nodes: [{ op: 'B' }] }, graphTable)
    const found = noFindings()
    const bytes = Uint8Array.from([...delimited(7, first), ...delimited(7, second)])
    const { graph } = decodeMessage(new Cursor(memorySource(bytes)), bytes.length, modelTable, found)
    expect(graph).toEqual({ name: 'b', doc: 'x', nodes: [{ op: 'A' }, { op: 'B' }] })
  })

  test('a tensor in two parts is found once', () => {
    const found = noFindings()
    const bytes = Uint8Array.from([...delimited(5, [8, 3]), ...delimited(5, [16, 1])])
    const { t } = decodeMessage(new Cursor(memorySource(bytes)), bytes.length, attributeTable, found)
    expect(found.tensors).toEqual([{ dims: [3], dataType: 1 }])
    expect(found.tensors[0]).toBe(t)
  })

  test('unknown fields, and known ones of another wire type, are kept as they stand', () => {
    const strange = [
      [...varint(999 * 8), ...varint(-1)],
      [...varint(1000 * 8 + 1), 1, 2, 3, 4, 5, 6, 7, 8],
      [...varint(1001 * 8 + 5), 1, 2, 3, 4],
      delimited(2 ** 29 - 1, text('kept')),
      [4 * 8, 7], // the operator's name, as a number
    ]
    const node = decode([...delimited(4, text('Relu')), ...strange.flat()], nodeTable)
    expect(node.op).toBe('Relu')
    expect(node.unknown!.map(part => [...part])).toEqual(strange)
    expect([...bytesOf(node, nodeTable)]).toEqual([...delimited(4, text('Relu')), ...strange.flat()])
  })

  test('what is kept does not alias the file', () => {
    const file = Buffer.from([...delimited(4, [1, 2]), ...delimited(99, [3])])
    const attribute = decodeMessage(new Cursor(memorySource(file)), file.length, attributeTable, noFindings())
    file.fill(0)
    expect(plain([attribute.s, attribute.unknown])).toEqual([
      { bytes: [1, 2] },
      [{ bytes: [...varint(99 * 8 + 2), 1, 3] }],
    ])
  })
})

describe('refused', () => {
  test.each([
    ['field number 0', [0x00, 0x00], /not a protobuf field; got tag 0/],
    ['a field number beyond 2^29', varint(2n ** 32n), /not a protobuf field/],
    ['a group', [0x0b], /not a protobuf field; got tag 11/],
    [
      'a field that leaves its message',
      delimited(7, [0x0a, 5, 1]),
      /field "nodes" is longer than its message/,
    ],
    ['a number that leaves its message', [...delimited(7, [0x08, 0x80]), 1], /beyond its message/],
    ['text that is no UTF-8', delimited(2, [0xff]), /"producer" is not valid UTF-8/],
    [
      'floats that end inside a number',
      delimited(7, delimited(1, delimited(5, delimited(7, [1, 2, 3])))),
      /inside a number/,
    ],
  ])('%s', (_, bytes, summary) => {
    expect(() => decode(bytes, modelTable)).toThrow(summary)
    expect(() => decode(bytes, modelTable)).toThrow(expect.objectContaining({ name: 'EspalierError' }))
  })

  test('messages nested too deep, with the place', () => {
    let type: number[] = []
    for (let depth = 0; depth < 150; depth++) type = delimited(4, delimited(1, type))
    expect(() => decode(type, typeTable)).toThrow(
      malformed(/byte \d+: messages are nested more than 200 deep/),
    )
  })

  test('a structure that takes more memory than any model', () => {
    const source = memorySource(new Uint8Array(200).map((_, i) => (i % 2 === 0 ? 0x0a : 0)))
    const nearly = { ...noFindings(), memory: MEMORY_LIMIT - 50 * 128 }
    const decodeNodes = () => decodeMessage(new Cursor(source), source.size, graphTable, nearly)
    expect(decodeNodes).toThrow(expect.objectContaining({ code: 'too-large', where: { offset: 100 } }))
  })
})
