import { describe, expect, test } from 'vitest'
import { type DType, dtypeInfo, dtypes } from './dtype.ts'
import { numbers } from './elements.ts'
import {
  allocate,
  elementCount,
  float32,
  int64,
  isTensor,
  reshape,
  sameTensor,
  tensor,
  tensorBytes,
  tensorFromBytes,
  zeros,
} from './tensor.ts'

const failure = (code: string) => expect.objectContaining({ name: 'EspalierError', code })
const stored: DType[] = dtypes.filter(dtype => dtype !== 'string')

describe('tensor', () => {
  test('keeps the storage it is given', () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6)
    const made = tensor('float32', [2, 3], data)
    expect(made).toEqual({ dtype: 'float32', shape: [2, 3], data })
    expect(made.data).toBe(data)
    expect(elementCount(made)).toBe(6)
  })

  test('refuses another length', () => {
    expect(() => tensor('float32', [2, 2], new Float32Array(3))).toThrow(failure('bad-shape'))
    expect(() => tensor('complex64', [2], new Float32Array(2))).toThrow(failure('bad-shape'))
    expect(() => tensor('int4', [3], new Uint8Array(3))).toThrow(failure('bad-shape'))
    expect(() => tensor('string', [2], ['one'])).toThrow(failure('bad-shape'))
  })

  test.each([[[1, 2]], [new Float64Array(2)], [undefined], [null]])('refuses %j as float32 storage', data => {
    expect(() => tensor('float32', [2], data as never)).toThrow(failure('bad-dtype'))
  })

  test('refuses a typed array as strings', () => {
    expect(() => tensor('string', [2], new Uint8Array(2) as never)).toThrow(failure('bad-dtype'))
  })
})

test.each(dtypes)('%s: zeros fill any shape', dtype => {
  for (const shape of [[], [0], [3], [2, 5]]) {
    const made = zeros(dtype, shape)
    expect(tensor(dtype, shape, made.data as never)).toEqual(made)
    expect(made.data.length).toBe(Math.ceil(elementCount(made) * dtypeInfo(dtype).stride))
  }
})

test('storage that cannot exist is refused', () => {
  expect(() => allocate('float64', 2 ** 50)).toThrow(failure('too-large'))
  expect(() => allocate('string', 2 ** 31)).toThrow(failure('too-large'))
  expect(() => zeros('string', [2 ** 40])).toThrow(failure('too-large'))
})

describe('short forms', () => {
  test('int64', () => {
    expect(int64(-3)).toEqual({ dtype: 'int64', shape: [], data: BigInt64Array.of(-3n) })
    expect(int64([1, 2])).toEqual({ dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, 2n) })
    expect(int64([]).shape).toEqual([0])
    for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => int64([1, value])).toThrow(failure('bad-argument'))
  })

  test('float32', () => {
    expect(float32([1, 2])).toEqual({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) })
    expect(float32([1, 2], [2, 1]).shape).toEqual([2, 1])
    expect(() => float32([1, 2], [3])).toThrow(failure('bad-shape'))
  })
})

describe('bytes', () => {
  test.each(stored)('%s: a tensor is its bytes, aligned or not', dtype => {
    const source = zeros(dtype, [2, 3])
    tensorBytes(source).forEach((_, index, bytes) => {
      bytes[index] = 17 * index + 1
    })
    const bytes = tensorBytes(source)
    const shifted = new Uint8Array(bytes.length + 16)
    for (let offset = 0; offset < 16; offset++) {
      shifted.set(bytes, offset)
      const view = shifted.subarray(offset, offset + bytes.length)
      const made = tensorFromBytes(dtype, [2, 3], view)
      expect(sameTensor(made, source)).toBe(true)
      expect(made.data).toEqual(source.data)
      expect(tensorBytes(made)).toBe(view)
    }
  })

  test('aligned bytes are seen, not copied, and unaligned ones are copied once', () => {
    const bytes = new Uint8Array(12)
    const aligned = tensorFromBytes('float32', [2], bytes.subarray(4))
    const unaligned = tensorFromBytes('float32', [2], bytes.subarray(1, 9))
    expect(aligned.data.buffer).toBe(bytes.buffer)
    expect(unaligned.data.buffer).not.toBe(bytes.buffer)
    expect(unaligned.data).toBe(unaligned.data)
  })

  test('a subclass whose slice() is a view, as Node has, is copied all the same', () => {
    class View extends Uint8Array {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return this.subarray(start, end)
      }
    }
    const bytes = new View(9)
    bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1)
    expect([...tensorFromBytes('float32', [2], bytes.subarray(1)).data]).toEqual([1.5, -2])
  })

  test('a wrong length is refused before anything is read', () => {
    expect(() => tensorFromBytes('float32', [2], new Uint8Array(7))).toThrow(failure('bad-shape'))
    expect(() => tensorFromBytes('int4', [3], new Uint8Array(1))).toThrow(failure('bad-shape'))
    expect(() => tensorFromBytes('uint8', [2 ** 30, 2 ** 30], new Uint8Array(1))).toThrow(
      failure('too-large'),
    )
  })

  test('strings have none', () => {
    expect(() => tensorFromBytes('string', [0], new Uint8Array(0))).toThrow(failure('bad-dtype'))
    expect(() => tensorBytes(zeros('string', [0]))).toThrow(failure('bad-dtype'))
  })

  test('are little-endian', () => {
    expect([...tensorBytes(tensor('int32', [1], Int32Array.of(0x01020304)))]).toEqual([4, 3, 2, 1])
  })
})

describe('reshape', () => {
  test('keeps the data', () => {
    const source = float32([1, 2, 3, 4, 5, 6], [2, 3])
    const seen = reshape(source, [3, 1, 2])
    expect(seen.shape).toEqual([3, 1, 2])
    expect(seen.data).toBe(source.data)
    expect(reshape(zeros('string', [4]), [2, 2]).data).toEqual(['', '', '', ''])
  })

  test('keeps bytes that were not looked at yet', () => {
    const bytes = new Uint8Array(9).subarray(1)
    const seen = reshape(tensorFromBytes('float32', [2], bytes), [2, 1])
    expect(tensorBytes(seen)).toBe(bytes)
    expect([...numbers(seen)]).toEqual([0, 0])
  })

  test('refuses another size', () => {
    expect(() => reshape(float32([1, 2]), [3])).toThrow(failure('bad-shape'))
    expect(() => reshape(float32([1, 2]), [-1, -2])).toThrow(failure('bad-shape'))
  })
})

test('isTensor tells tensors from sequences and empty optionals', () => {
  expect(isTensor(float32([]))).toBe(true)
  expect(isTensor(tensorFromBytes('uint8', [0], new Uint8Array(0)))).toBe(true)
  expect(isTensor([float32([])])).toBe(false)
  expect(isTensor(null)).toBe(false)
  expect(isTensor(undefined)).toBe(false)
})

describe('sameTensor', () => {
  const one = tensor('float32', [2], Float32Array.of(0, Number.NaN))

  test('compares type, shape and bits', () => {
    expect(sameTensor(one, tensor('float32', [2], one.data.slice()))).toBe(true)
    expect(sameTensor(one, reshape(one, [2, 1]))).toBe(false)
    expect(sameTensor(one, tensor('float32', [2], Float32Array.of(-0, Number.NaN)))).toBe(false)
    expect(sameTensor(zeros('int32', [2]), zeros('uint32', [2]))).toBe(false)
  })

  test('compares strings', () => {
    expect(sameTensor(tensor('string', [2], ['a', 'b']), tensor('string', [2], ['a', 'b']))).toBe(true)
    expect(sameTensor(tensor('string', [2], ['a', 'b']), tensor('string', [2], ['a', 'c']))).toBe(false)
  })

  test('leaves out the bits that fill the last byte', () => {
    const packed = (...bytes: number[]) => tensor('int4', [3], Uint8Array.from(bytes))
    expect(sameTensor(packed(0x21, 0x03), packed(0x21, 0xf3))).toBe(true)
    expect(sameTensor(packed(0x21, 0x03), packed(0x21, 0x04))).toBe(false)
    expect(sameTensor(packed(0x21, 0x03), packed(0x22, 0x03))).toBe(false)
  })
})
