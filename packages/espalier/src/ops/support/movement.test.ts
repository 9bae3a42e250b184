import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DType, dtypeInfo, dtypes, storageLength } from '../../tensor/dtype.ts'
import { sizeOf, stridesOf } from '../../tensor/shape.ts'
import { float32, sameTensor, type Tensor, tensor, tensorBytes, zeros } from '../../tensor/tensor.ts'
import { copyStrided, gatherElements, outputSize, selectAxes } from './movement.ts'

/** A tensor of random bits (NaN payloads included), without bits behind the last element. */
function randomBits(dtype: DType, shape: readonly number[], bits: readonly number[]): Tensor {
  const count = sizeOf(shape)
  if (dtype === 'string')
    return tensor(
      'string',
      shape,
      Array.from({ length: count }, (_, i) => `${bits[i]}`),
    )
  const result = zeros(dtype, shape)
  tensorBytes(result).forEach((_, i, bytes) => {
    bytes[i] = bits[i % bits.length]!
  })
  // Packing again clears the unused bits of the last byte.
  return gatherElements(result, shape, i => i)
}

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
const bits = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 300, maxLength: 300 })

describe.each(dtypes)('%s', dtype => {
  test('axes reversed and reversed again are as they were, bit by bit', () => {
    fc.assert(
      fc.property(shapes, bits, (shape, noise) => {
        const source = randomBits(dtype, shape, noise)
        const back = [...shape].reverse()
        const reversed = copyStrided(source, back, stridesOf(shape).reverse())
        expect(reversed.data.length).toBe(storageLength(dtype, sizeOf(shape)))
        const again = copyStrided(reversed, shape, stridesOf(back).reverse())
        expect(sameTensor(again, source)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })

  test('elements are the same whichever way they are picked', () => {
    fc.assert(
      fc.property(bits, fc.array(fc.integer({ min: -1, max: 2 }), { maxLength: 5 }), (noise, table) => {
        const source = randomBits(dtype, [2, 3, 2], noise)
        const shape = [2, table.length, 2]
        const picked = selectAxes(source, [undefined, table])
        const one = gatherElements(source, shape, i => {
          const [row, rest] = [Math.floor(i / (2 * table.length)), i % (2 * table.length)]
          const position = table[Math.floor(rest / 2)]!
          return position < 0 ? -1 : row * 6 + position * 2 + (rest % 2)
        })
        expect(picked.shape).toEqual(shape)
        expect(sameTensor(picked, one)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })

  test('what has no source is the fill', () => {
    const source = randomBits(dtype, [3], [7, 77, 177])
    const fill = selectAxes(source, [[1]])
    const filled = selectAxes(source, [[-1, 2, -1]], fill)
    expect(sameTensor(filled, selectAxes(source, [[1, 2, 1]]))).toBe(true)
    expect(sameTensor(selectAxes(source, [[-1]]), zeros(dtype, [1]))).toBe(true)
  })

  test('outputs end at four gigabytes', () => {
    const { bits: size } = dtypeInfo(dtype)
    const most = dtype === 'string' ? 2 ** 24 : (2 ** 32 * 8) / size
    expect(outputSize(dtype, [most])).toBe(most)
    expect(() => outputSize(dtype, [most, 2])).toThrow(expect.objectContaining({ code: 'too-large' }))
  })
})

test('strides may repeat and run backwards', () => {
  const source = float32([1, 2, 3])
  expect(Array.from(copyStrided(source, [2, 3], [0, -1], 2).data as Float32Array)).toEqual([3, 2, 1, 3, 2, 1])
})

test('a signalling NaN is not quieted', () => {
  const source = tensor('float32', [1], new Float32Array(Uint32Array.of(0x7fa00001).buffer))
  expect(tensorBytes(copyStrided(source, [2], [0]))).toEqual(
    Uint8Array.of(1, 0, 0xa0, 0x7f, 1, 0, 0xa0, 0x7f),
  )
})
