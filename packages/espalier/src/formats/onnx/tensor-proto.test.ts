/** Tensors in messages: every type in every field that may hold it, and none in one that may not. */
import { describe, expect, test } from 'vitest'
import type { SparseTensor } from '../../graph/graph.ts'
import { type DType, dtypes } from '../../tensor/dtype.ts'
import { type Tensor, tensor, tensorBytes } from '../../tensor/tensor.ts'
import { randomTensor } from '../format.suite.ts'
import { bytesOf, delimited, payload, plain, varint } from './messages.suite.ts'
import {
  type OptionalProto,
  optionalTable,
  type SequenceProto,
  type SparseTensorProto,
  sequenceTable,
  type TensorProto,
  tensorTable,
} from './proto.ts'
import { parseTensorProto, parseValueProto } from './read.ts'
import { dtypeOfNumber, numberOfDtype, sparseOfProto, tensorOfProto } from './tensor-proto.ts'
import { encodeTensorProto } from './write.ts'

const malformed = (summary: RegExp) =>
  expect.objectContaining({ code: 'malformed', message: expect.stringMatching(summary) })
const varints = (values: Iterable<number | bigint>) =>
  payload(Uint8Array.from([...values].flatMap(v => varint(v))))
const read = (proto: TensorProto): Tensor => parseTensorProto(bytesOf(proto, tensorTable)).tensor

/** The elements of a tensor as the fields for typed data have them. */
function typedField(value: Tensor): TensorProto {
  const { dtype, data } = value
  if (dtype === 'string') return { stringData: [...data] }
  if (dtype === 'float32' || dtype === 'complex64') return { floatData: [payload(tensorBytes(value))] }
  if (dtype === 'float64' || dtype === 'complex128') return { doubleData: [payload(tensorBytes(value))] }
  const numbers = varints(data as Iterable<number | bigint>)
  if (dtype === 'int64') return { int64Data: [numbers] }
  return dtype === 'uint32' || dtype === 'uint64' ? { uint64Data: [numbers] } : { int32Data: [numbers] }
}

const field = { float32: 'float_data', string: 'string_data', uint64: 'uint64_data' } as Record<
  string,
  string
>

test('types and their numbers', () => {
  for (const dtype of dtypes) expect(dtypeOfNumber(numberOfDtype(dtype))).toBe(dtype)
  for (const number of [0, 27, -1, 1.5, 2n ** 40n, undefined])
    expect(() => dtypeOfNumber(number)).toThrow(malformed(/unknown tensor data type; expected 1 to 26/))
})

describe.each(dtypes)('%s', dtype => {
  const head = { name: 'w', dataType: numberOfDtype(dtype) }

  test.each([[[]], [[0]], [[3]], [[2, 0, 5]], [[2, 1, 3]]])('shape %j, raw and typed', shape => {
    const value = randomTensor(dtype, shape)
    const bytes = Uint8Array.from(encodeTensorProto(value, 'w').flatMap(piece => [...piece]))
    expect(plain(parseTensorProto(bytes))).toEqual(plain({ name: 'w', tensor: value }))
    expect(plain(read({ ...head, dims: shape, ...typedField(value) }))).toEqual(plain(value))
  })

  test('the wrong number of elements', () => {
    const value = randomTensor(dtype, [9])
    for (const dims of [[2], [8], [9, 9], []])
      for (const data of [typedField(value), { rawData: payload(tensorBytes(randomTensor('uint8', [13]))) }])
        expect(() => read({ ...head, dims, ...data })).toThrow(malformed(/^tensor "w": /))
    expect(() => read({ ...head, dims: [3] })).toThrow(malformed(/expected \d+ .* got 0/))
  })

  test('elements in a field of another type, or in two', () => {
    const own = Object.keys(typedField(randomTensor(dtype, [1])))[0]!
    const others: TensorProto = {
      floatData: [payload(new Uint8Array(8))],
      doubleData: [payload(new Uint8Array(8))],
      int32Data: [varints([1])],
      int64Data: [varints([1])],
      uint64Data: [varints([1])],
      stringData: ['a'],
      ...(dtype === 'string' && { rawData: payload(new Uint8Array(1)) }),
    }
    for (const [name, data] of Object.entries(others)) {
      if (name === own) continue
      expect(() => read({ ...head, dims: [1], [name]: data })).toThrow(
        malformed(/holds its elements in a field of another type; expected .*_data, got .*_data/),
      )
      expect(() =>
        read({ ...head, dims: [1], ...typedField(randomTensor(dtype, [1])), [name]: data }),
      ).toThrow(malformed(/in several fields/))
    }
  })
})

test('a field of the wrong type is named', () => {
  for (const dtype of ['float32', 'string', 'uint64'] as const)
    expect(() => read({ dataType: numberOfDtype(dtype), dims: [1], int32Data: [varints([1])] })).toThrow(
      new RegExp(`expected .*${field[dtype]}, got int32_data`),
    )
})

describe('numbers written as varints', () => {
  const of = (dtype: DType, values: readonly (number | bigint)[], count = values.length): unknown =>
    plain(tensorOfProto({ dataType: numberOfDtype(dtype), dims: [count], ...rename(dtype, values) }))
  const rename = (dtype: DType, values: readonly (number | bigint)[]): TensorProto =>
    dtype === 'int64' ? { int64Data: [varints(values)] } : { int32Data: [varints(values)] }
  const bits = (dtype: DType, data: number[], count = data.length) => ({ dtype, shape: [count], data })

  test('bit patterns of float16, signed or not', () =>
    expect(of('float16', [0x3c00, 0xbc00, -17408])).toEqual(bits('float16', [0, 60, 0, 188, 0, 188], 3)))
  test('bools other than 0 and 1', () =>
    expect(of('bool', [0, 1, 2, -1])).toEqual(bits('bool', [0, 1, 1, 1])))
  test('two 4-bit integers to a number', () =>
    expect(of('int4', [0x21, 0x03], 3)).toEqual(bits('int4', [0x21, 0x03], 3)))
  test('int8 below zero', () => expect(of('int8', [-128, 127])).toEqual(bits('int8', [128, 127])))
  test('the ends of int64', () => {
    const ends = [-(2n ** 63n), 2n ** 63n - 1n]
    expect(of('int64', ends)).toEqual(plain(tensor('int64', [2], BigInt64Array.from(ends))))
  })
  test('in parts, packed and not', () => {
    const bytes = [...varint(2 * 8), 6, 8, 4, ...delimited(5, [1, 2]), 40, 3, ...delimited(5, [0xac, 0x02])]
    expect([...(parseTensorProto(Uint8Array.from(bytes)).tensor.data as Int32Array)]).toEqual([1, 2, 3, 300])
  })
  test('cut short', () =>
    expect(() =>
      tensorOfProto({ dataType: 6, dims: [1], int32Data: [payload(Uint8Array.of(1, 0x80))] }),
    ).toThrow(malformed(/ends inside a number/)))
})

describe('raw data', () => {
  test('bools other than 0 and 1', () =>
    expect(read({ dataType: 9, dims: [3], rawData: payload(Uint8Array.of(0, 7, 1)) }).data).toEqual(
      Uint8Array.of(0, 1, 1),
    ))
  test('is a view of the file', () => {
    const file = bytesOf({ dataType: 2, dims: [3], rawData: payload(Uint8Array.of(4, 5, 6)) }, tensorTable)
    expect(tensorBytes(parseTensorProto(file).tensor).buffer).toBe(file.buffer)
  })
})

test.each([
  [[-1], 'malformed', /not a shape: -1/],
  [[2 ** 40, 2 ** 40], 'too-large', /cannot be addressed/],
  [[2n ** 62n], 'malformed', /not a shape/],
  [[2 ** 52], 'malformed', /expected 18014398509481984 bytes/],
  [[0, -1], 'malformed', /not a shape/],
])('extents %#', (dims, code, message) => {
  const proto = { name: 'w', dataType: 1, dims, rawData: payload(new Uint8Array(4)) }
  expect(() => read(proto)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  )
})

test('strings that are no UTF-8', () => {
  const bytes = Uint8Array.from([16, 8, 8, 1, ...delimited(6, [0xff, 0xfe])])
  expect(() => parseTensorProto(bytes)).toThrow(malformed(/not valid UTF-8/))
})

test('elements in another file are asked for', () => {
  const bytes = bytesOf({ name: 'w', dataType: 1, dims: [1], dataLocation: 1 }, tensorTable)
  expect(() => parseTensorProto(bytes)).toThrow(/tensor "w": .* in another file/)
})

describe('sparse tensors', () => {
  const int64 = (shape: number[], values: number[]): TensorProto => ({
    dataType: 7,
    dims: shape,
    int64Data: [varints(values)],
  })
  const proto = (indices: TensorProto, dims: number[] = [3, 4], count = 2): SparseTensorProto => ({
    values: { name: 's', dataType: 1, dims: [count], rawData: payload(new Uint8Array(4 * count)) },
    indices,
    dims,
  })
  const sparse = (...args: Parameters<typeof proto>): SparseTensor => sparseOfProto(proto(...args))

  test('positions and coordinates', () => {
    expect(sparse(int64([2], [1, 11])).shape).toEqual([3, 4])
    expect([...sparse(int64([2, 2], [0, 1, 2, 3])).indices.data]).toEqual([0n, 1n, 2n, 3n])
    expect(sparse(int64([0], []), [3, 4], 0).values.shape).toEqual([0])
    expect(sparse(int64([1], [0]), [], 1).shape).toEqual([])
  })

  test.each([
    ['outside', () => sparse(int64([2], [1, 12])), /entry 1/],
    ['negative', () => sparse(int64([2], [-1, 2])), /entry 0/],
    ['twice', () => sparse(int64([2], [2, 2])), /ascend; got entry 1/],
    ['descending', () => sparse(int64([2, 2], [1, 0, 0, 1])), /entry 1/],
    ['a coordinate outside', () => sparse(int64([2, 2], [0, 0, 0, 4])), /entry 1/],
    ['too few', () => sparse(int64([1], [0])), /do not fit; got 2 and 1/],
    ['of another rank', () => sparse(int64([2, 3], [0, 0, 0, 1, 1, 1])), /do not fit/],
    ['with a third axis', () => sparse(int64([2, 2, 1], [0, 0, 1, 1])), /do not fit/],
    [
      'of another type',
      () => sparse({ dataType: 6, dims: [2], int32Data: [varints([0, 1])] }),
      /must be int64/,
    ],
    ['absent', () => sparseOfProto({ values: proto(int64([2], [0, 1])).values! }), /lacks values or indices/],
    ['in an impossible shape', () => sparse(int64([2], [0, 1]), [-3]), /not a shape/],
  ])('indices %s', (_, parse, message) => {
    expect(parse).toThrow(malformed(message))
  })
})

describe('values of other types', () => {
  const one: TensorProto = { dataType: 2, dims: [], rawData: payload(Uint8Array.of(5)) }
  const five = plain(tensor('uint8', [], Uint8Array.of(5)))
  const sequence = (proto: SequenceProto) => plain(parseValueProto(bytesOf(proto, sequenceTable), 'sequence'))
  const optional = (proto: OptionalProto) => plain(parseValueProto(bytesOf(proto, optionalTable), 'optional'))

  test('sequences and optionals, nested', () => {
    expect(sequence({ elementType: 1, tensors: [one, one] })).toEqual([five, five])
    expect(sequence({ elementType: 3, sequences: [{ elementType: 1, tensors: [one] }] })).toEqual([[five]])
    expect(
      sequence({ elementType: 5, optionals: [{ elementType: 1, tensor: one }, { elementType: 1 }] }),
    ).toEqual([five, null])
    expect(optional({ elementType: 3, sequence: { elementType: 1, tensors: [one] } })).toEqual([five])
    expect(optional({ elementType: 5, optional: { elementType: 1, tensor: one } })).toEqual(five)
  })

  test.each([2, 4, 9])('type %i is refused', elementType => {
    expect(() => sequence({ elementType })).toThrow(expect.objectContaining({ code: 'unsupported-format' }))
    expect(() => optional({ elementType })).toThrow(expect.objectContaining({ code: 'unsupported-format' }))
  })
})
