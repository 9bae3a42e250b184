import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EspalierError } from '../../errors.ts'
import { byteLength, type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { forEachIndex, sizeOf } from '../../tensor/shape.ts'
import { tensorBytes } from '../../tensor/tensor.ts'
import type { PyValue } from './pickle/python.ts'
import type { Storage } from './storage.ts'
import { gatheredBytes, isDense, readView, tensorView } from './view.ts'

function storage(dtype: DType, length: number, skipped = 0): Storage {
  const total = byteLength(dtype, length + skipped)
  const bytes = {
    key: '0',
    length,
    byteLength: total,
    bigEndian: false,
    load: () => Promise.reject(new Error()),
  }
  return { type: 'storage', dtype, length, bytes, byteOffset: byteLength(dtype, skipped) }
}

const randomBytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 151 + (i >> 8) * 7) & 255)

describe('tensorView and readView', () => {
  const dtypes: DType[] = ['int8', 'float16', 'float32', 'int64', 'complex64', 'complex128']
  const axes = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 9 })), {
    maxLength: 4,
  })

  test('read the element at offset + index · strides, for any view, type and place in memory', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...dtypes),
        axes,
        fc.nat(5),
        fc.nat(3),
        fc.nat(7),
        (dtype, list, offset, skipped, shift) => {
          const shape = list.map(([extent]) => extent)
          const strides = list.map(([, stride]) => stride)
          const width = dtypeInfo(dtype).bits / 8
          const last = list.reduce((sum, [extent, stride]) => sum + Math.max(0, extent - 1) * stride, offset)
          const place = storage(dtype, last + 1, skipped)
          const file = randomBytes(shift + place.bytes.byteLength)
          const bytes = file.subarray(shift)
          const view = tensorView(place, offset, shape, strides)
          const read = readView(view, bytes)
          expect(read).toMatchObject({ dtype, shape })
          const result = tensorBytes(read)
          expect(result.length).toBe(sizeOf(shape) * width)
          forEachIndex(shape, [strides], (index, [step]) => {
            const at = (skipped + offset + step!) * width
            expect(result.subarray(index * width, (index + 1) * width)).toEqual(
              bytes.subarray(at, at + width),
            )
          })
          expect(result.buffer === file.buffer).toBe(isDense(view))
        },
      ),
      { numRuns: 400 },
    )
  })

  test('bools are 0 or 1', () => {
    const view = tensorView(storage('bool', 4), 0, [2, 2], [1, 2])
    expect([...tensorBytes(readView(view, Uint8Array.of(0, 7, 1, 255)))]).toEqual([0, 1, 1, 1])
  })

  test('a storage of bytes seen as another type', () => {
    const view = tensorView(storage('uint8', 8), 1, [1], [1], 'int32')
    expect(readView(view, Uint8Array.of(9, 9, 9, 9, 1, 2, 0, 0)).data).toEqual(Int32Array.of(513))
    expect(() => tensorView(storage('uint8', 7), 1, [1], [1], 'int32')).toThrow(EspalierError)
  })

  test('extents of 1 do not count for density, nor do strides of nothing', () => {
    const dense = (shape: number[], strides: number[]) => isDense({ shape, strides })
    expect(dense([2, 1, 3], [3, 99, 1])).toBe(true)
    expect(dense([0, 5], [7, 7])).toBe(true)
    expect(dense([], [])).toBe(true)
    expect(dense([2, 3], [1, 2])).toBe(false)
    expect(dense([2], [0])).toBe(false)
  })

  test('what is not dense counts as gathered', () => {
    const bytes = (dtype: DType, strides: number[]) =>
      gatheredBytes(tensorView(storage(dtype, 6), 0, [2, 3], strides))
    expect(bytes('float32', [3, 1])).toBe(0)
    expect(bytes('float32', [1, 2])).toBe(24)
    expect(bytes('bool', [3, 1])).toBe(6)
  })

  const four = storage('float32', 4)
  test.each<[what: string, ...args: (PyValue | undefined)[]]>([
    ['one element too many', four, 0, [5], [1]],
    ['an offset at the end', four, 4, [1], [1]],
    ['strides beyond the end', four, 0, [2, 2], [3, 1]],
    ['extents whose product is zero, but not the storage', four, 0, [2 ** 40, 2 ** 40], [0, 0]],
    ['a huge stride', four, 0, [2], [Number.MAX_SAFE_INTEGER]],
    ['a negative stride', four, 0, [2], [-1]],
    ['a negative offset', four, -1, [1], [1]],
    ['a fractional extent', four, 0, [1.5], [1]],
    ['a bigint', four, 0, [2n ** 70n], [1]],
    ['too few strides', four, 0, [2, 2], [1]],
    ['no shape', four, 0, null, [1]],
    ['no storage', 'storage', 0, [1], [1]],
    ['nothing', undefined, undefined, undefined, undefined],
    ['too many axes', four, 0, Array(65).fill(1), Array(65).fill(1)],
  ])('refuses %s', (_, place, offset, shape, strides) => {
    expect(() => tensorView(place, offset, shape, strides)).toThrow(EspalierError)
  })

  test('a later change to the lists it was made from does not reach a view', () => {
    const [shape, strides] = [[2], [1]]
    const view = tensorView(four, 0, shape, strides)
    shape.push(1000)
    strides[0] = 1000
    expect(view).toMatchObject({ shape: [2], strides: [1] })
  })
})
