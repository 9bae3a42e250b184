/**
 * The form that the sparse layouts for many rows of activations share (kernels/sparse_rows.hpp). k is cut into steps of
 * `width` numbers, which stay together; a step that has any number other than zero is kept. Outputs are cut into panels,
 * steps into blocks; a part is a panel in a block. Its directory lists the outputs that have any steps there, those with
 * equally many behind each other, so that the processor foresees the end of the inner loop.
 *
 *   starts     uint32 [parts + 1][2]    where a part begins in the directory, and in the steps that are kept
 *   directory  uint16 [entries][2]      output within the panel, how many steps it has
 *   places     uint16 [kept]            (step - beginning of the block) * pitch
 *   values     [kept][width]
 *
 * Parts are ordered by panel, then by block; steps of an output by k.
 */
import type { Numbers, WeightMatrix } from './matrix.ts'

export interface PartsShape {
  /** Numbers of a step, all of one tap: 1 or 4. */
  readonly width: number
  /** Outputs of a panel, at most 65,536. */
  readonly panel: number
  /** Steps of a block; times `pitch` at most 65,536. */
  readonly block: number
  /** 32-bit words between steps of activations. */
  readonly pitch: number
}

export interface Parts extends PartsShape {
  readonly bytes: Uint8Array
  readonly directoryAt: number
  readonly placesAt: number
  readonly valuesAt: number
  /** Where `extra` bytes begin. */
  readonly extraAt: number
  readonly kept: number
}

/** How many steps of k a matrix has: those of a tap are filled up to whole ones. */
export function stepsOf({ taps, channels }: WeightMatrix, width: number): number {
  return taps * Math.ceil(channels / width)
}

/** Packs a matrix, and leaves room for `extra` more bytes behind it. */
export function packParts(matrix: WeightMatrix, shape: PartsShape, extra = 0): Parts {
  const { panel, block, pitch, width } = shape
  const { outputs } = matrix
  const size = matrix.data.BYTES_PER_ELEMENT * width
  const blocks = Math.ceil(stepsOf(matrix, width) / block)
  const parts = Math.ceil(outputs / panel) * blocks
  const nonzero = nonzeroPlaces(matrix.data)
  const stepAt = stepFinder(matrix, width)
  // By part and output of the panel: how many steps are kept, then where the next goes.
  const counts = new Uint32Array(parts * panel)
  const newest = new Int32Array(outputs).fill(-1)
  let kept = 0
  for (const at of nonzero) {
    const { output, step } = stepAt(at)
    if (newest[output] === step) continue
    newest[output] = step
    counts[(Math.floor(output / panel) * blocks + Math.floor(step / block)) * panel + (output % panel)]!++
    kept++
  }
  let entries = 0
  for (const count of counts) if (count > 0) entries++
  const directoryAt = round((parts + 1) * 8)
  const placesAt = round(directoryAt + entries * 4)
  const valuesAt = round(placesAt + kept * 2)
  const extraAt = round(valuesAt + kept * size)
  const bytes = new Uint8Array(extraAt + extra)
  const starts = new Uint32Array(bytes.buffer, 0, (parts + 1) * 2)
  const directory = new Uint16Array(bytes.buffer, directoryAt, entries * 2)
  const places = new Uint16Array(bytes.buffer, placesAt, kept)
  const values = numbersAt(matrix.data, bytes, valuesAt, kept * width)
  let entry = 0
  let next = 0
  for (let part = 0; part < parts; part++) {
    starts[2 * part] = entry
    starts[2 * part + 1] = next
    const own = counts.subarray(part * panel, (part + 1) * panel)
    for (const output of byCount(own)) {
      directory[2 * entry] = output
      directory[2 * entry + 1] = own[output]!
      entry++
      ;[own[output], next] = [next, next + own[output]!]
    }
  }
  starts[2 * parts] = entry
  starts[2 * parts + 1] = next
  newest.fill(-1)
  for (const at of nonzero) {
    const { output, step, within } = stepAt(at)
    const index = (Math.floor(output / panel) * blocks + Math.floor(step / block)) * panel + (output % panel)
    if (newest[output] !== step) {
      newest[output] = step
      places[counts[index]!++] = (step % block) * pitch
    }
    values[(counts[index]! - 1) * width + within] = matrix.data[at]!
  }
  return { ...shape, bytes, directoryAt, placesAt, valuesAt, extraAt, kept }
}

/** The matrix again, as [outputs][k]. */
export function unpackParts<N extends Numbers>(parts: Parts, like: WeightMatrix<N>): N {
  const { outputs, taps, channels } = like
  const { bytes, panel, block, pitch, width } = parts
  const inTap = Math.ceil(channels / width)
  const blocks = Math.ceil(stepsOf(like, width) / block)
  const count = Math.ceil(outputs / panel) * blocks
  const dense = numbersAt(
    like.data,
    new Uint8Array(outputs * taps * channels * like.data.BYTES_PER_ELEMENT),
    0,
  )
  const starts = new Uint32Array(bytes.buffer, 0, (count + 1) * 2)
  const directory = new Uint16Array(bytes.buffer, parts.directoryAt, starts[2 * count]! * 2)
  const places = new Uint16Array(bytes.buffer, parts.placesAt, parts.kept)
  const values = numbersAt(like.data, bytes, parts.valuesAt, parts.kept * width)
  for (let part = 0; part < count; part++) {
    let at = starts[2 * part + 1]!
    for (let entry = starts[2 * part]!; entry < starts[2 * part + 2]!; entry++) {
      const output = Math.floor(part / blocks) * panel + directory[2 * entry]!
      for (const end = at + directory[2 * entry + 1]!; at < end; at++) {
        const step = (part % blocks) * block + places[at]! / pitch
        const channel = (step % inTap) * width
        const to = (output * taps + Math.floor(step / inTap)) * channels + channel
        for (let i = 0; i < width && channel + i < channels; i++) dense[to + i] = values[at * width + i]!
      }
    }
  }
  return dense
}

const round = (bytes: number): number => Math.ceil(bytes / 64) * 64

function numbersAt<N extends Numbers>(like: N, bytes: Uint8Array, at: number, length?: number): N {
  const kind = like instanceof Float32Array ? Float32Array : Int8Array
  return new kind(bytes.buffer as ArrayBuffer, bytes.byteOffset + at, length) as N
}

/** Where numbers other than zero lie. */
function nonzeroPlaces(data: Numbers): Uint32Array {
  let count = 0
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) count++
  const places = new Uint32Array(count)
  let next = 0
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) places[next++] = i
  return places
}

/** Finds the output, the step and the place within the step of an element. The result is used again by the next call. */
function stepFinder(
  { outputs, taps, channels, outputsFirst }: WeightMatrix,
  width: number,
): (at: number) => { readonly output: number; readonly step: number; readonly within: number } {
  const inTap = Math.ceil(channels / width)
  const found = { output: 0, step: 0, within: 0 }
  const depth = taps * channels
  return at => {
    const k = outputsFirst ? at % depth : Math.floor(at / outputs)
    const channel = k % channels
    found.output = outputsFirst ? Math.floor(at / depth) : at % outputs
    found.step = Math.floor(k / channels) * inTap + Math.floor(channel / width)
    found.within = channel % width
    return found
  }
}

/** Outputs with any steps, the fewest first, equal ones in order. */
function byCount(counts: Uint32Array): number[] {
  const outputs: number[] = []
  for (let output = 0; output < counts.length; output++) if (counts[output]! > 0) outputs.push(output)
  return outputs.sort((a, b) => counts[a]! - counts[b]! || a - b)
}
