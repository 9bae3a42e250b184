/**
 * What is remembered of a weight as long as there is its tensor: how many zeros it has, how much layouts keep of it, and
 * where things lie in what they packed. Numbers, and no memory that a session should give back: packed bytes belong to the
 * sessions that use them, and are shared between those.
 */
import { sizeOf } from '../tensor/shape.ts'
import { sampleBytes, type Tensor } from '../tensor/tensor.ts'
import type { CutLayout, Packed, Places } from './layout.ts'
import type { WeightMatrix } from './matrix.ts'
import type { Nonzeros } from './nonzeros.ts'
import { countNonzero, nonzerosOf } from './weights.ts'

export interface Remembered {
  /** Whether it has so few zeros that no layout is worth a look. */
  readonly dense: boolean
  /** Numbers that are not zero, once they are counted. */
  nonzero: number | undefined
  /** Units that are kept, by their name and how the weight is walked; `undefined` where a layout cannot hold it. */
  readonly kept: Map<string, number | undefined>
  readonly layouts: Map<string, MadeOnce>
}

interface MadeOnce {
  readonly at: Places
  readonly byteLength: number
  bytes: WeakRef<ArrayBuffer>
}

const weights = new WeakMap<Tensor, Remembered>()

export function remembered(weight: Tensor): Remembered {
  let seen = weights.get(weight)
  if (seen === undefined) {
    const sampled = sampledDensity(weight)
    const nonzero = sampled === undefined ? countNonzero(weight) : undefined
    const density = sampled ?? nonzero! / sizeOf(weight.shape)
    seen = { dense: density > DENSE_FROM, nonzero, kept: new Map(), layouts: new Map() }
    weights.set(weight, seen)
  }
  return seen
}

/** Share of numbers other than zero above which a weight is dense to us. */
const DENSE_FROM = 0.75
/** Numbers of a weight that are looked at first, in lines of some. */
const SAMPLE = { lines: 32, bytes: 512 } as const

/** The share of numbers other than zero in a part of the weight; `undefined` where all of it would have to be read. */
function sampledDensity(weight: Tensor): number | undefined {
  const line = new Uint8Array(SAMPLE.bytes)
  const numbers = weight.dtype === 'float32' ? new Uint32Array(line.buffer) : line
  const zero = weight.dtype === 'uint8' ? 128 : 0
  let [seen, nonzero] = [0, 0]
  const sampled = sampleBytes(weight, SAMPLE.lines, line, () => {
    seen += numbers.length
    for (const number of numbers) if (number !== zero) nonzero++
  })
  return sampled && seen > 0 ? nonzero / seen : undefined
}

/** A weight in a layout: where everything lies, and its bytes when a session asks for them. */
export interface MadeLayout {
  /** With the weight, says what the bytes are. */
  readonly id: string
  readonly at: Places
  readonly byteLength: number
  readonly make: () => Uint8Array
}

/** A weight in a layout that can hold it, packed from `nonzeros` where it has not been packed yet. */
export function madeLayout(
  weight: Tensor,
  matrix: WeightMatrix,
  layout: CutLayout,
  nonzeros: () => Nonzeros,
): MadeLayout {
  const id = `${layout.id} along ${matrix.outputStrides}`
  const { layouts } = remembered(weight)
  let known = layouts.get(id)
  // The plan holds what is packed here until a session has it; whoever asks later has it packed again.
  let pending: Uint8Array | undefined
  if (known === undefined) {
    const packed: Packed = layout.pack(nonzeros())
    pending = packed.bytes
    const { byteLength, buffer } = packed.bytes
    known = { at: packed.at, byteLength, bytes: new WeakRef(buffer as ArrayBuffer) }
    layouts.set(id, known)
  }
  const once = known
  const make = (): Uint8Array => {
    const shared = once.bytes.deref()
    const bytes =
      pending ??
      (shared === undefined
        ? layout.pack(nonzerosOf(weight, matrix, sizeOf(weight.shape))!).bytes
        : new Uint8Array(shared))
    pending = undefined
    if (bytes.buffer !== shared) once.bytes = new WeakRef(bytes.buffer as ArrayBuffer)
    return bytes
  }
  return { id: `sparse ${id}`, at: once.at, byteLength: once.byteLength, make }
}
