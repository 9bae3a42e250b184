/** What every layout keeps to: numbers come back, bytes and units are what it says, the same each time. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Isa, Target } from '../../plan/target.ts'
import { sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { CutLayout, ProductShape, SparseLayout } from '../layout.ts'
import { lineOf } from '../layout.ts'
import { convolutionMatrix, type Numbers, productMatrix, type WeightMatrix } from '../matrix.ts'
import { nonzerosOfDense } from '../nonzeros.ts'
import { sparseLayouts } from './index.ts'

/** Machines with vectors and dot products of all lengths. */
const targets: Target[] = (
  [
    ['wasm', 4, 2],
    ['neondotprod', 4, 4],
    ['avx2', 8, 2],
    ['avx512vnni', 16, 4],
  ] as [Isa, number, number][]
).map(([isa, lanes, int8Depth]) => ({
  isa,
  threads: 2,
  traits: { layout: 0, lanes, gemmRows: 6, gemmColumns: 2 * lanes, int8Columns: 2 * lanes, int8Depth },
  winograd: true,
  sparse: 'always',
}))

/** [outputs][k] of a matrix, by its definition. */
function inOrder({ outputs, taps, channels, shape, outputStrides, kStrides }: WeightMatrix, data: Numbers) {
  const result = data.slice()
  const strides = stridesOf(shape)
  for (let place = 0; place < data.length; place++) {
    const at = shape.map((extent, axis) => Math.floor(place / strides[axis]!) % extent)
    const along = (by: readonly number[]): number => at.reduce((sum, i, axis) => sum + i * by[axis]!, 0)
    result[along(outputStrides) * taps * channels + along(kStrides)] = data[place]!
  }
  expect(result.length).toBe(outputs * taps * channels)
  return result
}

/** Patterns, as [outputs][taps][channels]: whether a number is there. */
const patterns = {
  'all zero': () => false,
  'all dense': () => true,
  'some numbers': (_, __, ___, draw) => draw() < 0.2,
  'many numbers': (_, __, ___, draw) => draw() < 0.7,
  'one full row': output => output === 1,
  'one number': (output, tap, channel) => output === 0 && tap === 0 && channel === 0,
  'every other row empty': (output, _, __, draw) => output % 2 === 0 && draw() < 0.5,
  'fours of inputs': (output, tap, channel) => (output * 7 + tap * 3 + (channel >> 2)) % 3 === 0,
  'blocks of four outputs': (output, tap, channel) => ((output >> 2) * 5 + tap + channel) % 4 === 0,
  'blocks of four by four': (output, tap, channel) => ((output >> 2) + tap + (channel >> 2)) % 3 === 0,
  '1:4': (output, tap, channel) => (channel + output + tap) % 4 === 0,
  '2:4': (output, _, channel) => (channel + output) % 4 < 2,
  '2:4 at most': (output, tap, channel, draw) => (channel + output + tap) % 4 < 2 && draw() < 0.7,
  '4:8': (output, _, channel) => (channel * 3 + output) % 8 < 4,
} satisfies Record<string, (output: number, tap: number, channel: number, draw: () => number) => boolean>

type Pattern = (output: number, tap: number, channel: number, draw: () => number) => boolean

interface Weight {
  readonly product: ProductShape
  readonly floats: Float32Array
}

const extent = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 75 }))
const weights = fc
  .record({
    outputs: fc.oneof(extent, fc.constantFrom(1, 257, 300)),
    channels: fc.oneof(extent, fc.constantFrom(16, 32, 48, 64)),
    kernel: fc.constantFrom([1, 1], [3], [3, 2]),
    form: fc.constantFrom('product', 'transposed', 'one of a batch', 'convolution'),
    pattern: fc.constantFrom(...Object.keys(patterns)),
    rows: fc.constantFrom(1, 2, 4, 7, 8, 16, 33, 128),
    seed: fc.nat(),
  })
  .map(({ outputs, channels, kernel, form, pattern, rows, seed }): Weight => {
    const matrix =
      form === 'convolution'
        ? convolutionMatrix([outputs, channels, ...kernel])
        : form === 'transposed'
          ? productMatrix([outputs, channels], true)
          : productMatrix([...(form === 'product' ? [] : [1, 1]), channels, outputs], false)
    const across = form === 'convolution' ? [...new Array(3 - kernel.length).fill(1), ...kernel] : [1, 1, 1]
    return {
      product: { matrix, window: { ...lineOf(rows), kernel: across } },
      floats: numbersIn(patterns[pattern as keyof typeof patterns], matrix, seed),
    }
  })

/** Whole numbers from -128 to 127 in a pattern, in the order of the tensor. */
function numbersIn(pattern: Pattern, matrix: WeightMatrix, seed: number): Float32Array {
  const { outputs, taps, channels, shape, outputStrides, kStrides } = matrix
  let state = seed >>> 0
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const depth = taps * channels
  const ordered = Float32Array.from({ length: outputs * depth }, (_, i) => {
    const [output, k] = [Math.floor(i / depth), i % depth]
    const kept = pattern(output, Math.floor(k / channels), k % channels, draw)
    return kept ? Math.floor(draw() * 256) - 128 || 1 : 0
  })
  const strides = stridesOf(shape)
  return Float32Array.from({ length: sizeOf(shape) }, (_, place) => {
    const along = (by: readonly number[]): number =>
      shape.reduce((sum, size, axis) => sum + (Math.floor(place / strides[axis]!) % size) * by[axis]!, 0)
    return ordered[along(outputStrides) * depth + along(kStrides)]!
  })
}

test('layouts have names of their own', () => {
  const names = sparseLayouts.map(({ dtype, name }) => `${dtype} ${name}`)
  expect(new Set(names).size).toBe(names.length)
  expect(names).not.toContain('float32 dense')
})

describe.each(sparseLayouts.map(layout => [`${layout.dtype} ${layout.name}`, layout] as const))(
  '%s',
  (_, layout: SparseLayout) => {
    const numbersOf = (floats: Float32Array): Numbers =>
      layout.dtype === 'int8' ? Int8Array.from(floats) : floats
    /** Calls `check` for weights and machines that the layout has a kernel for, with what it keeps of them. */
    const forAll = (
      check: (cut: CutLayout, data: Numbers, matrix: WeightMatrix, kept: number) => void,
    ): void => {
      let taken = 0
      fc.assert(
        fc.property(weights, fc.constantFrom(...targets), ({ product, floats }, target) => {
          const cut = layout.cut(product, target)
          const data = numbersOf(floats)
          const kept = cut?.kept(nonzerosOfDense(data, product.matrix)!)
          if (cut === undefined || kept === undefined) return
          taken++
          check(cut, data, product.matrix, kept)
        }),
        { numRuns: 300 },
      )
      expect(taken).toBeGreaterThan(5)
    }

    test('every number comes back', () => {
      forAll((cut, data, matrix) => {
        const packed = cut.pack(nonzerosOfDense(data, matrix)!)
        // Compared as text is: a failure of a large array would take minutes to print.
        expect(`${cut.unpack(packed, data)}`).toBe(`${inOrder(matrix, data)}`)
      })
    })

    test('bytes and units are what it says, the same each time', () => {
      forAll((cut, data, matrix, kept) => {
        const nonzeros = nonzerosOfDense(data, matrix)!
        const packed = cut.pack(nonzeros)
        expect(packed.bytes.byteLength).toBe(cut.bytes(nonzeros))
        expect(cut.kept(nonzeros)).toBe(kept)
        expect(kept).toBeLessThanOrEqual(cut.units)
        expect(kept * layout.width).toBeGreaterThanOrEqual(nonzeros.values.length)
        const again = cut.pack(nonzerosOfDense(data, matrix)!)
        expect(again.at).toEqual(packed.at)
        expect(Buffer.compare(again.bytes, packed.bytes)).toBe(0)
      })
    })

    test('work does not grow less with what is kept', () => {
      forAll((cut, _data, _matrix, kept) => {
        const [none, some, all] = [cut.work(0), cut.work(kept), cut.work(cut.units)]
        for (const [less, more] of [
          [none, some],
          [some, all],
        ] as const) {
          expect(more.kept).toBeGreaterThanOrEqual(less.kept)
          expect(more.fixed).toBeGreaterThanOrEqual(less.fixed)
          expect(more.bytes).toBeGreaterThanOrEqual(less.bytes)
          expect(more.pieces).toBe(less.pieces)
        }
        for (const amount of Object.values(all)) expect(amount).toBeGreaterThanOrEqual(0)
        expect(layout.costs.kept + layout.costs.fixed).toBeGreaterThan(0)
      })
    })
  },
)
