/** Frames of a WAV file as spectra, as a noise suppressor takes them. */
import { float32, type Tensor } from '../../src/tensor/tensor.ts'

/** Samples of a mono 16-bit WAV file, from -1 to 1. */
export function wavSamples(file: Uint8Array): Float64Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const tag = (at: number): string => String.fromCharCode(...file.subarray(at, at + 4))
  for (let at = 12; at + 8 <= file.length; ) {
    const length = view.getUint32(at + 4, true)
    if (tag(at) === 'data') {
      const count = Math.min(length, file.length - at - 8) >> 1
      return Float64Array.from({ length: count }, (_, i) => view.getInt16(at + 8 + 2 * i, true) / 32768)
    }
    at += 8 + length + (length % 2)
  }
  throw new Error('the file has no samples')
}

/** Magnitudes of the discrete Fourier transform of `samples`: float32 [1, 1, length / 2 + 1]. */
export function magnitudes(samples: Float64Array): Tensor<'float32'> {
  const bins = samples.length / 2 + 1
  const values = Array.from({ length: bins }, (_, bin) => {
    let [real, imaginary] = [0, 0]
    for (const [i, sample] of samples.entries()) {
      const angle = (-2 * Math.PI * ((bin * i) % samples.length)) / samples.length
      real += sample * Math.cos(angle)
      imaginary += sample * Math.sin(angle)
    }
    return Math.hypot(real, imaginary)
  })
  return float32(values, [1, 1, bins])
}
