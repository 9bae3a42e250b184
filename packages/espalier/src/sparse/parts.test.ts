import fc from 'fast-check'
import { expect, test } from 'vitest'
import { convolutionMatrix, productMatrix, type WeightMatrix } from './matrix.ts'
import { type PartsShape, packParts, stepsOf, unpackParts } from './parts.ts'

/** [outputs][k] of a matrix, by its definition. */
function dense(matrix: WeightMatrix): number[] {
  const k = matrix.taps * matrix.channels
  return Array.from({ length: matrix.outputs * k }, (_, i) =>
    matrix.outputsFirst ? matrix.data[i]! : matrix.data[(i % k) * matrix.outputs + Math.floor(i / k)]!,
  )
}

const sizes = fc.record({
  outputs: fc.integer({ min: 1, max: 40 }),
  channels: fc.integer({ min: 1, max: 30 }),
  taps: fc.integer({ min: 1, max: 9 }),
  density: fc.constantFrom(0, 0.05, 0.3, 1),
  seed: fc.integer(),
})
const shapes = fc.record<PartsShape>({
  width: fc.constantFrom(1, 4),
  panel: fc.integer({ min: 1, max: 50 }),
  block: fc.integer({ min: 1, max: 60 }),
  pitch: fc.constantFrom(1, 32, 128),
})

function random(length: number, density: number, seed: number): Float32Array {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Float32Array.from({ length }, () => (next() < density ? Math.round(next() * 250 - 125) || 1 : 0))
}

test('every number comes back, of float32 and int8, of products and convolutions', () => {
  fc.assert(
    fc.property(sizes, shapes, fc.boolean(), fc.boolean(), (size, shape, bytes, turned) => {
      const { outputs, channels, density, seed } = size
      const taps = turned ? size.taps : 1
      const floats = random(outputs * channels * taps, density, seed)
      const data = bytes ? Int8Array.from(floats) : floats
      const matrix = turned
        ? convolutionMatrix(data, outputs, channels, taps)
        : productMatrix(data, channels, outputs, seed % 2 === 0)
      const parts = packParts(matrix, shape, 12)
      expect(Array.from(unpackParts(parts, matrix))).toEqual(dense(matrix))
      expect(parts.bytes.byteLength).toBe(parts.extraAt + 12)
      expect(parts.kept).toBeLessThanOrEqual(outputs * stepsOf(matrix, shape.width))
    }),
  )
})

test('the taps of a convolution come before its channels', () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) // [2 outputs, 2 channels, 2 taps]
  const matrix = convolutionMatrix(data, 2, 2, 2)
  expect(Array.from(matrix.data)).toEqual([1, 3, 2, 4, 5, 7, 6, 8])
})

test('outputs of a part are listed by how many numbers they have', () => {
  const data = Float32Array.of(1, 1, 1, 0, 2, 0, 0, 0, 0, 3, 0, 3) // [3 outputs, 4]
  const { bytes, directoryAt, placesAt, kept } = packParts(productMatrix(data, 4, 3, true), {
    width: 1,
    panel: 8,
    block: 4,
    pitch: 10,
  })
  expect(Array.from(new Uint16Array(bytes.buffer, directoryAt, 6))).toEqual([1, 1, 2, 2, 0, 3])
  expect(Array.from(new Uint16Array(bytes.buffer, placesAt, kept))).toEqual([0, 10, 30, 0, 10, 20])
})
