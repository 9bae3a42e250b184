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
import type { Nonzeros } from './nonzeros.ts'

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

/** Where the sections begin. */
interface PartsPlaces {
  readonly directoryAt: number
  readonly placesAt: number
  readonly valuesAt: number
  /** Where `extra` bytes begin. */
  readonly extraAt: number
}

export interface Parts extends PartsShape, PartsPlaces {
  readonly bytes: Uint8Array
  readonly kept: number
}

/** How many steps of k a matrix has: those of a tap are filled up to whole ones. */
export function stepsOf({ taps, channels }: WeightMatrix, width: number): number {
  return taps * Math.ceil(channels / width)
}

/** How many steps have a number. */
export function keptSteps({ starts, ks }: Nonzeros, matrix: WeightMatrix, width: number): number {
  if (width === 1) return ks.length
  const steps = stepTable(matrix, width)
  let kept = 0
  for (let output = 0; output < starts.length - 1; output++)
    for (let i = starts[output]!, newest = -1; i < starts[output + 1]!; i++) {
      const step = steps[ks[i]!]!
      if (step !== newest) kept++
      newest = step
    }
  return kept
}

/** Packs the numbers of a matrix, and leaves room for `extra` more bytes behind them. */
export function packParts(nonzeros: Nonzeros, matrix: WeightMatrix, shape: PartsShape, extra = 0): Parts {
  const { panel, block, width } = shape
  const walk = walkOf(matrix, shape)
  const { counts, kept, entries } = countSteps(nonzeros, matrix, walk, shape)
  const sections = sectionsOf(counts.length / panel, entries, kept, width * nonzeros.values.BYTES_PER_ELEMENT)
  const { directoryAt, placesAt, valuesAt, extraAt } = sections
  const bytes = new Uint8Array(extraAt + extra)
  const parts = counts.length / panel
  const starts = new Uint32Array(bytes.buffer, 0, (parts + 1) * 2)
  const directory = new Uint16Array(bytes.buffer, directoryAt, entries * 2)
  let entry = 0
  let next = 0
  const order = new Uint32Array(panel)
  const sizes = new Uint32Array(block + 2)
  for (let part = 0; part < parts; part++) {
    starts[2 * part] = entry
    starts[2 * part + 1] = next
    const own = counts.subarray(part * panel, (part + 1) * panel)
    const listed = byCount(own, order, sizes)
    for (let i = 0; i < listed; i++) {
      const output = order[i]!
      const count = own[output]!
      directory[2 * entry] = output
      directory[2 * entry + 1] = count
      entry++
      own[output] = next // from now on where the next step of the output goes
      next += count
    }
  }
  starts[2 * parts] = entry
  starts[2 * parts + 1] = next
  const places = new Uint16Array(bytes.buffer, placesAt, kept)
  placeSteps(nonzeros, walk, shape, counts, places, numbersAt(nonzeros.values, bytes, valuesAt, kept * width))
  return { ...shape, ...sections, bytes, kept }
}

/** Bytes that {@link packParts} makes. */
export function partsBytes(nonzeros: Nonzeros, matrix: WeightMatrix, shape: PartsShape, extra = 0): number {
  const { counts, kept, entries } = countSteps(nonzeros, matrix, walkOf(matrix, shape), shape)
  const unit = shape.width * nonzeros.values.BYTES_PER_ELEMENT
  return sectionsOf(counts.length / shape.panel, entries, kept, unit).extraAt + extra
}

/** Where everything begins, of so many parts, entries of the directory and steps of `unit` bytes. */
function sectionsOf(parts: number, entries: number, kept: number, unit: number): PartsPlaces {
  const directoryAt = round((parts + 1) * 8)
  const placesAt = round(directoryAt + entries * 4)
  const valuesAt = round(placesAt + kept * 2)
  return { directoryAt, placesAt, valuesAt, extraAt: round(valuesAt + kept * unit) }
}

/** Of each k: its step, where its block begins among the counts of a panel, its place in the block and in the step. */
interface Walk {
  readonly blocks: number
  readonly steps: Uint32Array
  readonly counts: Uint32Array
  readonly places: Uint16Array
  readonly within: Uint8Array
}

function walkOf(matrix: WeightMatrix, { width, panel, block, pitch }: PartsShape): Walk {
  const steps = stepTable(matrix, width)
  const depth = steps.length
  const [counts, places, within] = [new Uint32Array(depth), new Uint16Array(depth), new Uint8Array(depth)]
  for (let k = 0; k < depth; k++) {
    const ofBlock = Math.floor(steps[k]! / block)
    counts[k] = ofBlock * panel
    places[k] = (steps[k]! - ofBlock * block) * pitch
    within[k] = (k % matrix.channels) % width
  }
  return { blocks: Math.ceil(stepsOf(matrix, width) / block), steps, counts, places, within }
}

/** The step of each k. */
function stepTable({ taps, channels }: WeightMatrix, width: number): Uint32Array {
  const inTap = Math.ceil(channels / width)
  const steps = new Uint32Array(taps * channels)
  for (let tap = 0, k = 0; tap < taps; tap++)
    for (let channel = 0; channel < channels; channel++)
      steps[k++] = tap * inTap + Math.floor(channel / width)
  return steps
}

/** Counts the steps that are kept, by part and output of the panel and in all, and the outputs of parts that have any. */
function countSteps(
  { starts, ks }: Nonzeros,
  { outputs }: WeightMatrix,
  { blocks, steps, counts: countsAt }: Walk,
  { panel }: PartsShape,
): { readonly counts: Uint32Array; readonly kept: number; readonly entries: number } {
  const counts = new Uint32Array(Math.ceil(outputs / panel) * blocks * panel)
  let kept = 0
  let entries = 0
  for (let output = 0; output < starts.length - 1; output++) {
    const first = Math.floor(output / panel) * blocks * panel + (output % panel)
    const end = starts[output + 1]!
    for (let i = starts[output]!, newest = -1; i < end; i++) {
      const k = ks[i]!
      const step = steps[k]!
      if (step === newest) continue
      newest = step
      if (counts[first + countsAt[k]!]!++ === 0) entries++
      kept++
    }
  }
  return { counts, kept, entries }
}

/** Writes every step where `next`, of each part and output, says; it moves on. */
function placeSteps(
  { starts, ks, values }: Nonzeros,
  { blocks, steps, counts: nextAt, places: placeOf, within }: Walk,
  { panel, width }: PartsShape,
  next: Uint32Array,
  places: Uint16Array,
  packed: Numbers,
): void {
  for (let output = 0; output < starts.length - 1; output++) {
    const first = Math.floor(output / panel) * blocks * panel + (output % panel)
    const end = starts[output + 1]!
    for (let i = starts[output]!, newest = -1, at = 0; i < end; i++) {
      const k = ks[i]!
      const step = steps[k]!
      if (step !== newest) {
        newest = step
        at = next[first + nextAt[k]!]!++
        places[at] = placeOf[k]!
      }
      packed[at * width + within[k]!] = values[i]!
    }
  }
}

/** The matrix again, as [outputs][k], in an array of the type of `like`. */
export function unpackParts<N extends Numbers>(parts: Parts, matrix: WeightMatrix, like: N): N {
  const { outputs, taps, channels } = matrix
  const { bytes, panel, block, pitch, width } = parts
  const inTap = Math.ceil(channels / width)
  const blocks = Math.ceil(stepsOf(matrix, width) / block)
  const count = Math.ceil(outputs / panel) * blocks
  const dense = numbersAt(like, new Uint8Array(outputs * taps * channels * like.BYTES_PER_ELEMENT), 0)
  const starts = new Uint32Array(bytes.buffer, 0, (count + 1) * 2)
  const directory = new Uint16Array(bytes.buffer, parts.directoryAt, starts[2 * count]! * 2)
  const places = new Uint16Array(bytes.buffer, parts.placesAt, parts.kept)
  const values = numbersAt(like, bytes, parts.valuesAt, parts.kept * width)
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

/**
 * Fills `order` with the outputs that have any steps, the fewest first, equal ones in order; says how many there are.
 * `starts` is room for two more than the largest count.
 */
function byCount(counts: Uint32Array, order: Uint32Array, starts: Uint32Array): number {
  starts.fill(0)
  for (let output = 0; output < counts.length; output++) starts[counts[output]! + 1]!++
  const none = starts[1]!
  starts[1] = 0
  for (let count = 1; count + 1 < starts.length; count++) starts[count + 1]! += starts[count]!
  for (let output = 0; output < counts.length; output++)
    if (counts[output]! > 0) order[starts[counts[output]!]!++] = output
  return counts.length - none
}
