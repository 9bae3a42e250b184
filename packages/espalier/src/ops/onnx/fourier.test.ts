/** Fourier transforms against their definition, one-sided forms, frames, windows and mel filters. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { float32, int64, type Tensor, zeros } from '../../tensor/tensor.ts'
import { fourierTransform, inverseFourierTransform } from '../support/fourier.ts'
import { evaluateNumbers, evaluateOp, inferOp } from '../support/testing.ts'
import { BlackmanWindow } from './blackman-window.ts'
import { DFT } from './dft.ts'
import { HammingWindow } from './hamming-window.ts'
import { HannWindow } from './hann-window.ts'
import { MelWeightMatrix } from './mel-weight-matrix.ts'
import { STFT } from './stft.ts'

const shapeOf = (value: unknown): readonly number[] => (value as Tensor).shape
const close = (got: ArrayLike<number>, wanted: ArrayLike<number>, digits = 10): void => {
  expect(got.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) expect(got[i]).toBeCloseTo(wanted[i]!, digits)
}

/** The sum that defines the transform. */
function definition(re: Float64Array, im: Float64Array): [number[], number[]] {
  const n = re.length
  const at = (part: 're' | 'im', k: number): number => {
    let sum = 0
    for (let j = 0; j < n; j++) {
      const angle = (-2 * Math.PI * ((j * k) % n)) / n
      sum +=
        part === 're'
          ? re[j]! * Math.cos(angle) - im[j]! * Math.sin(angle)
          : re[j]! * Math.sin(angle) + im[j]! * Math.cos(angle)
    }
    return sum
  }
  return [Array.from(re, (_, k) => at('re', k)), Array.from(re, (_, k) => at('im', k))]
}

describe('the transform', () => {
  const signal = fc
    .integer({ min: 1, max: 70 })
    .chain(n =>
      fc.tuple(
        ...[0, 1].map(() =>
          fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: n, maxLength: n }),
        ),
      ),
    )
  test('is the defining sum for every length, and the inverse undoes it', () => {
    fc.assert(
      fc.property(signal, ([first, second]) => {
        const [re, im] = [Float64Array.from(first!), Float64Array.from(second!)]
        const [wantedRe, wantedIm] = definition(re, im)
        fourierTransform(re.length)(re, im)
        close(re, wantedRe)
        close(im, wantedIm)
        inverseFourierTransform(re.length)(re, im)
        close(re, first!)
        close(im, second!)
      }),
    )
  })
  test('keeps the energy of a signal of prime length', () => {
    const n = 10007
    const re = Float64Array.from({ length: n }, (_, i) => Math.sin(i * i))
    const energy = re.reduce((sum, value) => sum + value * value, 0)
    const im = new Float64Array(n)
    fourierTransform(n)(re, im)
    const transformed = re.reduce((sum, value, i) => sum + value * value + im[i]! ** 2, 0)
    expect(transformed / n / energy).toBeCloseTo(1, 12)
  })
  test('refuses lengths that are none, or too long for its tables', () => {
    expect(() => fourierTransform(0)).toThrow('1 or more')
    expect(() => fourierTransform(2 ** 27)).toThrow('too long')
  })
})

describe('DFT', () => {
  const real = float32([1, 2, 3, 4], [1, 4, 1])
  const spectrum = [10, 0, -2, 2, -2, 0, -2, -2]
  test('forward and inverse, real and complex', () => {
    close(evaluateNumbers(DFT, [real]), spectrum, 5)
    const complex = float32(spectrum, [1, 4, 2])
    close(evaluateNumbers(DFT, [complex], { inverse: 1 }), [1, 0, 2, 0, 3, 0, 4, 0], 5)
    const [unfolded] = evaluateOp(DFT, [float32(spectrum.slice(0, 6), [1, 3, 2])], {
      inverse: 1,
      onesided: 1,
    })
    expect(shapeOf(unfolded)).toEqual([1, 4, 1])
    close(numbers(unfolded as Tensor), [1, 2, 3, 4], 5)
    close(evaluateNumbers(DFT, [real], { onesided: 1 }), spectrum.slice(0, 6), 5)
  })
  test('the length cuts or pads; an odd one unfolds to an odd signal', () => {
    close(evaluateNumbers(DFT, [real, int64(2)]), [3, 0, -1, 0], 5)
    close(evaluateNumbers(DFT, [float32([1], [1, 1]), int64(3)]), [1, 0, 1, 0, 1, 0], 5)
    const unfolded = [float32([6, 0, 0, 0], [2, 2]), int64(3)]
    close(evaluateNumbers(DFT, unfolded, { inverse: 1, onesided: 1 }), [2, 2, 2], 5)
  })
  test('the axis is an attribute up to operator set 19, an input from 20 on', () => {
    const square = float32([1, 2, 3, 4], [2, 2, 1])
    const columns = [4, 0, 6, 0, -2, 0, -2, 0]
    const rows = [3, 0, -1, 0, 7, 0, -1, 0]
    close(evaluateNumbers(DFT, [square], { axis: 0 }, { opset: 19 }), columns, 5)
    close(evaluateNumbers(DFT, [square], {}, { opset: 17 }), rows, 5)
    close(evaluateNumbers(DFT, [square, undefined, int64(-3)]), columns, 5)
    close(evaluateNumbers(DFT, [square]), rows, 5)
  })
  test('misfits', () => {
    const complex = zeros('float32', [1, 4, 2])
    expect(() => evaluateOp(DFT, [complex], { onesided: 1 })).toThrow('1 (a real signal)')
    expect(() => evaluateOp(DFT, [real], { onesided: 1, inverse: 1 })).toThrow('2 (a complex one)')
    expect(() => evaluateOp(DFT, [zeros('float32', [4, 3])])).toThrow('1 or 2')
    expect(() => evaluateOp(DFT, [real, undefined, int64(-1)])).toThrow('axis -1 holds the real')
    expect(() => evaluateOp(DFT, [real, int64(0)])).toThrow('1 or more')
    expect(() => evaluateOp(DFT, [real, int64(2 ** 50)])).toThrow('too')
    expect(() => inferOp(DFT, [tensorType('float32', ['n', 4, 3])])).toThrow('1 or 2')
  })
  test('types', () => {
    const signal = tensorType('float32', ['b', 'n', 1])
    expect(inferOp(DFT, [signal], { onesided: 1 })).toEqual([
      tensorType('float32', ['b', 'floordiv(n,2)+1', 2]),
    ])
    const half = tensorType('float32', ['b', 'm', 2])
    expect(inferOp(DFT, [half], { onesided: 1, inverse: 1 })).toEqual([
      tensorType('float32', ['b', '2*m-2', 1]),
    ])
    expect(inferOp(DFT, [signal, int64(8)])).toEqual([tensorType('float32', ['b', 8, 2])])
    expect(inferOp(DFT, [signal, undefined, tensorType('int64', [])])).toEqual([
      tensorType('float32', [null, null, 2]),
    ])
  })
})

describe('STFT', () => {
  const signal = float32([1, 2, 3, 4, 5, 6], [1, 6, 1])
  test('frames of the window length, weighted', () => {
    const [frames] = evaluateOp(STFT, [signal, int64(2), float32([1, 0])])
    expect(shapeOf(frames)).toEqual([1, 3, 2, 2])
    close(numbers(frames as Tensor), [1, 0, 1, 0, 3, 0, 3, 0, 5, 0, 5, 0], 5)
  })
  test('a given length; a rest that fills no frame is left out; two-sided and complex', () => {
    const [frames] = evaluateOp(STFT, [signal, int64(3), undefined, int64(2)], { onesided: 0 })
    close(numbers(frames as Tensor), [3, 0, -1, 0, 9, 0, -1, 0], 5)
    const turned = float32([0, 1, 0, 2], [1, 2, 2])
    close(evaluateNumbers(STFT, [turned, int64(1), undefined, int64(2)], { onesided: 0 }), [0, 3, 0, -1], 5)
  })
  test('misfits', () => {
    expect(() => evaluateOp(STFT, [zeros('float32', [1, 6, 2]), int64(1)])).toThrow('one-sided')
    expect(() => evaluateOp(STFT, [signal, int64(1), float32([1, 1]), int64(3)])).toThrow('3 elements')
    expect(() => evaluateOp(STFT, [signal, int64(0), float32([1, 1])])).toThrow('a step of 1 or more')
    expect(() => evaluateOp(STFT, [signal, int64(1), undefined, int64(7)])).toThrow('shorter than a frame')
  })
  test('types', () => {
    const input = tensorType('float32', ['b', 'n', 1])
    expect(inferOp(STFT, [input, int64(4), undefined, int64(16)])).toEqual([
      tensorType('float32', ['b', 'floordiv(n-16,4)+1', 9, 2]),
    ])
    expect(inferOp(STFT, [input, int64(4), tensorType('float32', [16])], { onesided: 0 })).toEqual([
      tensorType('float32', ['b', 'floordiv(n-16,4)+1', 16, 2]),
    ])
    expect(inferOp(STFT, [input, tensorType('int64', []), undefined, tensorType('int64', [])])).toEqual([
      tensorType('float32', ['b', null, null, 2]),
    ])
  })
})

describe('windows', () => {
  test('periodic and symmetric', () => {
    close(evaluateNumbers(HannWindow, [int64(4)]), [0, 0.5, 1, 0.5], 6)
    close(evaluateNumbers(HannWindow, [int64(3)], { periodic: 0 }), [0, 1, 0], 6)
    close(evaluateNumbers(HammingWindow, [int64(2)]), [4 / 46, 1], 6)
    close(evaluateNumbers(BlackmanWindow, [int64(4)]), [0, 0.34, 1, 0.34], 6)
    expect(evaluateNumbers(BlackmanWindow, [int64(4)], { output_datatype: 7 })).toEqual([0, 0, 1, 0])
    expect(evaluateNumbers(BlackmanWindow, [int64(10)], { output_datatype: 11 })[0]).toBe(0)
  })
  test('of one element, of none, of another type', () => {
    expect(evaluateNumbers(HannWindow, [int64(1)], { periodic: 0 })).toEqual([1])
    expect(evaluateNumbers(HannWindow, [int64(0)])).toEqual([])
    const [whole] = evaluateOp(HannWindow, [fromNumbers('int32', [], [4])], { output_datatype: 6 })
    expect(whole).toMatchObject({ dtype: 'int32' })
    expect(numbers(whole as Tensor)).toEqual(Float64Array.of(0, 0, 1, 0))
  })
  test('refuses sizes and types that are none', () => {
    expect(() => evaluateOp(HannWindow, [int64(-1)])).toThrow('0 or more')
    expect(() => evaluateOp(HannWindow, [int64(2 ** 40)])).toThrow('too large')
    expect(() => evaluateOp(HannWindow, [int64(1)], { output_datatype: 8 })).toThrow('string')
  })
  test('types', () => {
    expect(inferOp(HammingWindow, [int64(5)], { output_datatype: 11 })).toEqual([tensorType('float64', [5])])
    expect(inferOp(HammingWindow, [tensorType('int64', [])])).toEqual([tensorType('float32', [null])])
  })
})

describe('MelWeightMatrix', () => {
  const inputs = (bands: number, length: number, rate: number, low: number, high: number): Tensor[] => [
    int64(bands),
    int64(length),
    int64(rate),
    float32([low], []),
    float32([high], []),
  ]
  test('the example of the specification', () => {
    const [matrix] = evaluateOp(MelWeightMatrix, inputs(8, 16, 8192, 0, 4096))
    expect(shapeOf(matrix)).toEqual([9, 8])
    const ones = [0, 1, 10, 11, 20, 29, 38, 47]
    expect(Array.from(numbers(matrix as Tensor))).toEqual(
      Array.from({ length: 72 }, (_, i) => (ones.includes(i) ? 1 : 0)),
    )
  })
  test('each band rises to 1 at its centre and falls', () => {
    const weights = evaluateNumbers(MelWeightMatrix, inputs(4, 512, 16000, 100, 7000))
    for (let band = 0; band < 4; band++) {
      const column = weights.filter((_, i) => i % 4 === band)
      const top = column.indexOf(1)
      expect(column.slice(0, top + 1)).toEqual(column.slice(0, top + 1).sort((a, b) => a - b))
      expect(column.slice(top)).toEqual(column.slice(top).sort((a, b) => b - a))
    }
  })
  test('refuses edges beyond the spectrum, and in the wrong order', () => {
    expect(() => evaluateOp(MelWeightMatrix, inputs(8, 16, 8192, 0, 8000))).toThrow('beyond the spectrum')
    expect(() => evaluateOp(MelWeightMatrix, inputs(8, 16, 8192, 9, 8))).toThrow('lower edge <= upper edge')
    expect(inferOp(MelWeightMatrix, inputs(8, 16, 8192, 0, 4096))).toEqual([tensorType('float32', [9, 8])])
  })
})
