import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CompressedTensor,
  compressedTensor,
  type MatrixView,
  naturalView,
  storeTensor,
  tensorOfCompressed,
} from '../formats/espalier/index.ts'
import { type Shape, sizeOf, stridesOf } from '../tensor/shape.ts'
import { copyBytes, type Tensor, tensor, tensorFromBytes } from '../tensor/tensor.ts'
import { convolutionMatrix, type Numbers, productMatrix, type WeightMatrix } from './matrix.ts'
import { type Nonzeros, nonzerosOfDense } from './nonzeros.ts'
import { keptSteps, type PartsShape, packParts, stepsOf, unpackParts } from './parts.ts'
import { nonzerosOf } from './weights.ts'

/** [outputs][k] of a matrix, by its definition. */
function dense(
  { outputs, taps, channels, shape, outputStrides, kStrides }: WeightMatrix,
  data: ArrayLike<number>,
) {
  const result = new Array<number>(outputs * taps * channels)
  const strides = stridesOf(shape)
  for (let place = 0; place < data.length; place++) {
    const at = shape.map((extent, axis) => Math.floor(place / strides[axis]!) % extent)
    const along = (by: readonly number[]): number =>
      at.reduce((sum, index, axis) => sum + index * by[axis]!, 0)
    result[along(outputStrides) * taps * channels + along(kStrides)] = data[place]!
  }
  return result
}

interface Weight {
  readonly matrix: WeightMatrix
  readonly data: Numbers
  readonly dtype: 'float32' | 'int8'
}

/** Weights of products and convolutions, in all the ways that they lie. */
const weights = fc
  .record({
    outputs: fc.integer({ min: 1, max: 40 }),
    channels: fc.integer({ min: 1, max: 30 }),
    kernel: fc.constantFrom([1, 1], [3], [3, 2]),
    form: fc.constantFrom('product', 'transposed', 'one of a batch', 'convolution'),
    density: fc.constantFrom(0, 0.05, 0.3, 1),
    run: fc.constantFrom(1, 4),
    bytes: fc.boolean(),
    seed: fc.integer(),
  })
  .map(({ outputs, channels, kernel, form, density, run, bytes, seed }): Weight => {
    const matrix =
      form === 'convolution'
        ? convolutionMatrix([outputs, channels, ...kernel])
        : form === 'transposed'
          ? productMatrix([outputs, channels], true)
          : productMatrix([...(form === 'product' ? [] : [1, 1]), channels, outputs], false)
    const floats = random(sizeOf(matrix.shape), density, run, seed)
    return { matrix, data: bytes ? Int8Array.from(floats) : floats, dtype: bytes ? 'int8' : 'float32' }
  })
const shapes = fc.record<PartsShape>({
  width: fc.constantFrom(1, 4),
  panel: fc.integer({ min: 1, max: 50 }),
  block: fc.integer({ min: 1, max: 60 }),
  pitch: fc.constantFrom(1, 32, 128),
})

function random(length: number, density: number, run: number, seed: number): Float32Array {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  let kept = false
  return Float32Array.from({ length }, (_, i) => {
    if (i % run === 0) kept = next() < density
    return kept ? Math.round(next() * 250 - 125) || 1 : 0
  })
}

const tensorOf = ({ matrix: { shape }, data, dtype }: Weight): Tensor => tensor(dtype, shape, data as never)

/** A constant as a file gives it, whose dense form nothing may ask for. */
function fromFile(weight: Tensor, view: MatrixView): { tensor: Tensor; form: CompressedTensor } {
  const form: CompressedTensor = {
    ...compressedTensor(storeTensor(weight, view)),
    dense() {
      throw new Error('the dense weight was made')
    },
  }
  return { tensor: tensorOfCompressed(form), form }
}

test('every number comes back, of float32 and int8, of products and convolutions', () => {
  fc.assert(
    fc.property(weights, shapes, ({ matrix, data }, shape) => {
      const nonzeros = nonzerosOfDense(data, matrix)!
      const parts = packParts(nonzeros, matrix, shape, 12)
      expect(Array.from(unpackParts(parts, matrix, data))).toEqual(dense(matrix, data))
      expect(parts.bytes.byteLength).toBe(parts.extraAt + 12)
      expect(parts.kept).toBe(keptSteps(nonzeros, matrix, shape.width))
      expect(parts.kept).toBeLessThanOrEqual(matrix.outputs * stepsOf(matrix, shape.width))
    }),
  )
})

describe('the numbers of a weight are the same', () => {
  const plain = ({ starts, ks, values }: Nonzeros) => [starts, ks, values].map(array => Array.from(array))

  test('from what a file stores, in whatever order of axes, without the dense weight', () => {
    fc.assert(
      fc.property(weights, fc.infiniteStream(fc.nat()), fc.nat(), (weight, keys, split) => {
        const { matrix, data } = weight
        const order = matrix.shape
          .map((_, axis) => ({ axis, key: keys.next().value! }))
          .sort((a, b) => a.key - b.key)
          .map(({ axis }) => axis)
        const { tensor: constant, form } = fromFile(tensorOf(weight), {
          order,
          columnAxes: split % (order.length + 1),
        })
        if (form.codec === 'raw') return
        const expected = nonzerosOfDense(data, matrix)!
        expect(plain(nonzerosOf(constant, matrix, data.length)!)).toEqual(plain(expected))
        if (expected.values.length > 0)
          expect(nonzerosOf(constant, matrix, expected.values.length - 1)).toBeUndefined()
      }),
    )
  })

  test('behind a transpose and factors of outputs', () => {
    fc.assert(
      fc.property(weights, weight => {
        const { matrix, dtype } = weight
        const { shape } = matrix
        const { tensor: of, form } = fromFile(tensorOf(weight), naturalView(shape))
        if (form.codec === 'raw') return
        const perm = shape.map((_, axis) => (axis + 1) % shape.length)
        const along = (values: readonly number[]): number[] => perm.map(axis => values[axis]!)
        const turned = computed(dtype, along(shape), { of, perm })
        const turnedMatrix: WeightMatrix = {
          ...matrix,
          shape: along(shape),
          outputStrides: along(matrix.outputStrides),
          kStrides: along(matrix.kStrides),
        }
        expect(plain(nonzerosOf(turned, turnedMatrix, weight.data.length)!)).toEqual(
          plain(nonzerosOfDense(weight.data, matrix)!),
        )
        const axis = turnedMatrix.outputStrides.indexOf(1)
        if (dtype !== 'float32' || axis < 0) return
        const values = Float64Array.from({ length: matrix.outputs }, (_, i) => 1 / (i + 1))
        const scaled = computed(dtype, turned.shape, { of: turned, factors: { axis, values } })
        const depth = matrix.taps * matrix.channels
        const wanted = dense(matrix, weight.data).map((x, i) =>
          Math.fround(x * values[Math.floor(i / depth)]!),
        )
        const rows = productMatrix([matrix.outputs, depth], true)
        expect(plain(nonzerosOf(scaled, turnedMatrix, weight.data.length)!)).toEqual(
          plain(nonzerosOfDense(Float32Array.from(wanted), rows)!),
        )
      }),
    )
  })

  test('of unsigned bytes as of signed ones; of floats that are not aligned', () => {
    const matrix = productMatrix([6, 8], false)
    const signed = Int8Array.from(random(48, 0.3, 1, 5))
    const unsigned = tensor(
      'uint8',
      [6, 8],
      Uint8Array.from(signed, value => value + 128),
    )
    expect(nonzerosOf(unsigned, matrix, 48)).toEqual(nonzerosOfDense(signed, matrix))
    const bytes = new Uint8Array(193)
    copyBytes(tensor('float32', [6, 8], Float32Array.from(signed)), bytes.subarray(1))
    const floats = tensorFromBytes('float32', [6, 8], bytes.subarray(1))
    expect(nonzerosOf(floats, matrix, 48)).toEqual(nonzerosOfDense(Float32Array.from(signed), matrix))
  })

  /** A tensor that follows from another, whose elements nobody may ask for. */
  function computed(dtype: 'float32' | 'int8', shape: Shape, derived: object): Tensor {
    return tensorFromBytes(dtype, shape, {
      byteLength: sizeOf(shape) * (dtype === 'int8' ? 1 : 4),
      derived: derived as never,
      fill() {
        throw new Error('the elements were computed')
      },
    })
  }
})

test('the taps of a convolution come before its channels', () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) // [2 outputs, 2 channels, 2 taps]
  const { ks, values } = nonzerosOfDense(data, convolutionMatrix([2, 2, 2]))!
  expect([...ks]).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  expect([...values]).toEqual([1, 3, 2, 4, 5, 7, 6, 8])
})

test('outputs of a part are listed by how many numbers they have', () => {
  const data = Float32Array.of(1, 1, 1, 0, 2, 0, 0, 0, 0, 3, 0, 3) // [3 outputs, 4]
  const matrix = productMatrix([3, 4], true)
  const shape = { width: 1, panel: 8, block: 4, pitch: 10 }
  const { bytes, directoryAt, placesAt, kept } = packParts(nonzerosOfDense(data, matrix)!, matrix, shape)
  expect(Array.from(new Uint16Array(bytes.buffer, directoryAt, 6))).toEqual([1, 1, 2, 2, 0, 3])
  expect(Array.from(new Uint16Array(bytes.buffer, placesAt, kept))).toEqual([0, 10, 30, 0, 10, 20])
})
