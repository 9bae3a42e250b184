import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packBitmask, unpackBitmask } from './bitmask.ts'
import { productMatrix } from './matrix.ts'
import { nonzerosOfDense } from './nonzeros.ts'
import { keptSteps } from './parts.ts'

const shapes = fc.constantFrom(
  { columns: 8, depth: 2 },
  { columns: 8, depth: 4 },
  { columns: 16, depth: 2 },
  { columns: 32, depth: 4 },
)

test('every number comes back, of float32 and int8', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.constantFrom(0, 0, 0, 1, -128, 7), { minLength: 1, maxLength: 400 }),
      fc.boolean(),
      shapes,
      (outputs, fours, pattern, bytes, shape) => {
        const channels = 4 * fours
        const numbers = Array.from({ length: outputs * channels }, (_, i) => pattern[i % pattern.length]!)
        const dense = bytes ? Int8Array.from(numbers) : Float32Array.from(numbers)
        const matrix = productMatrix([outputs, channels], true)
        const nonzeros = nonzerosOfDense<Float32Array | Int8Array>(dense, matrix)!
        const packed = packBitmask(nonzeros, matrix, shape, 12)
        expect(packed.kept).toBe(keptSteps(nonzeros, matrix, bytes ? 4 : 1))
        expect(unpackBitmask(packed, matrix, dense)).toEqual(dense)
        expect(packed.bytes.length).toBe(packed.extraAt + 12)
      },
    ),
  )
})

test('bits run over the columns of a step; words lie as machines multiply them', () => {
  const data = new Int8Array(8 * 8) // [8 outputs, 8]
  data.set([1, 2, 3, 4], 3 * 8) // output 3, first step
  data.set([5, 0, 0, 6], 0) // output 0
  data.set([0, 7, 0, 0], 7 * 8 + 4) // output 7, second step
  const matrix = productMatrix([8, 8], true)
  const values = (depth: number): number[] => {
    const { bytes, wordsAt } = packBitmask(nonzerosOfDense(data, matrix)!, matrix, { columns: 8, depth })
    expect(Array.from(bytes.subarray(0, 2))).toEqual([0b1001, 0x80])
    return Array.from(new Int8Array(bytes.buffer, wordsAt, 12))
  }
  expect(values(4)).toEqual([5, 0, 0, 6, 1, 2, 3, 4, 0, 7, 0, 0])
  expect(values(2)).toEqual([5, 0, 0, 6, 1, 3, 2, 4, 0, 0, 7, 0])
})
