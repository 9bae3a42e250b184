// Symmetric int8 quantisation of weights: zero stays zero, the largest magnitude becomes 127.
import { tensor } from 'espalier/tensor'

const MOST = 127

/** One scale for the whole tensor. Gives `values` (int8) and `scales` (one). */
export function perTensor(weight) {
  return quantize(weight, 1, () => 0)
}

/** One scale for each index along `axis`. Gives `values` (int8) and `scales`. */
export function perChannel(weight, axis) {
  const channels = weight.shape[axis]
  const inner = weight.shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  return quantize(weight, channels, index => Math.floor(index / inner) % channels)
}

function quantize({ shape, data }, channels, channelOf) {
  const scales = new Float32Array(channels)
  for (let i = 0; i < data.length; i++) {
    const channel = channelOf(i)
    scales[channel] = Math.max(scales[channel], Math.abs(data[i]))
  }
  for (let channel = 0; channel < channels; channel++) scales[channel] = scales[channel] / MOST || 1
  const values = new Int8Array(data.length)
  for (let i = 0; i < data.length; i++)
    values[i] = Math.max(-MOST, Math.min(MOST, Math.round(data[i] / scales[channelOf(i)])))
  return { values: tensor('int8', shape, values), scales }
}

/** The transpose of a matrix. */
export function transposed({ shape: [rows, columns], data }) {
  const out = new Float32Array(data.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column]
  return tensor('float32', [columns, rows], out)
}
