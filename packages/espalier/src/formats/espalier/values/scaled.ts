/**
 * float32 values that are whole multiples of a scale: weights that were rounded to a grid of 8 or 4 bits and stayed
 * floats. A row of the matrix, or each group of consecutive columns of it, has a scale of its own; a value is the float32
 * nearest to integer times scale. The scale is looked for where symmetric quantisation leaves it: the largest value is
 * the largest integer.
 * Parameters: columns that share a scale; 0 for a whole row.
 */
import { EspalierError } from '../../../errors.ts'
import { fromNumbers, numbers } from '../../../tensor/elements.ts'
import { tensor } from '../../../tensor/tensor.ts'
import type { Extents } from '../codecs/codec.ts'
import type { StoredElements, ValueCodec } from './values.ts'

/** Numbers of columns that are tried; 0 for all of a row. */
const groupings = [0, 32, 64, 128]

export const int8Scaled: ValueCodec = scaledBy('int8', 8, 127)
export const int4Scaled: ValueCodec = scaledBy('int4', 4, 7)

function scaledBy(dtype: 'int8' | 'int4', bits: number, most: number): ValueCodec {
  const name = `${dtype}-scaled`
  return {
    name,
    bits,
    encode(elements) {
      if (elements.dtype !== 'float32') return undefined
      for (const group of groupings) {
        if (group >= elements.extents.columns && group > 0) break
        const found = onGrid(elements, group, most)
        if (found === undefined) continue
        const { integers, scales } = found
        return {
          parameters: [group],
          values: fromNumbers(dtype, [integers.length], integers),
          scales: tensor('float32', [scales.length], scales),
        }
      }
      return undefined
    },
    valueType(source, parameters) {
      const [group = -1] = parameters
      if (source !== 'float32' || parameters.length !== 1 || !Number.isInteger(group) || group < 0)
        throw new EspalierError('malformed', `${name} values are those of a float32 tensor, with a group`, {
          got: `${source} [${parameters.slice(0, 8).join(', ')}]`,
        })
      return dtype
    },
    scaleCount: (extents, [group]) => extents.rows * scalesInRow(extents, group!),
    decode(_, { values, scales, parameters }, positions, extents) {
      const integers = numbers(values)
      const scaleOf = scaleIndex(extents, parameters[0]!)
      const places = positions()
      const result = new Float32Array(integers.length)
      for (let i = 0; i < integers.length; i++) result[i] = integers[i]! * scales!.data[scaleOf(places[i]!)]!
      return new Uint32Array(result.buffer)
    },
  }
}

function scalesInRow({ columns }: Extents, group: number): number {
  return group === 0 ? 1 : Math.ceil(columns / group)
}

/** The number of the scale that an element has. */
export function scaleIndex(extents: Extents, group: number): (position: number) => number {
  const { columns } = extents
  const inRow = scalesInRow(extents, group)
  const width = group === 0 ? Math.max(1, columns) : group
  return position => {
    const row = Math.floor(position / columns)
    return row * inRow + Math.floor((position - row * columns) / width)
  }
}

/** Integers and scales that give exactly these values, where there are such. */
function onGrid(
  { patterns, positions, extents }: StoredElements,
  group: number,
  most: number,
): { readonly integers: Int8Array; readonly scales: Float32Array } | undefined {
  const bits = patterns as Uint32Array
  const values = new Float32Array(bits.buffer as ArrayBuffer, bits.byteOffset, bits.length)
  const scaleOf = scaleIndex(extents, group)
  const scales = new Float32Array(extents.rows * scalesInRow(extents, group))
  const integers = new Int8Array(values.length)
  for (let first = 0; first < values.length; ) {
    const own = scaleOf(positions[first]!)
    let end = first
    let largest = 0
    for (; end < values.length && scaleOf(positions[end]!) === own; end++)
      largest = Math.max(largest, Math.abs(values[end]!)) // NaN stays NaN, and fits no grid
    const scale = neighbours(Math.fround(largest / most)).find(candidate =>
      fitsScale(values, bits, integers, candidate, first, end),
    )
    if (scale === undefined) return undefined
    scales[own] = scale
    first = end
  }
  return { integers, scales }
}

/** A float32 and those next to it: the scale was rounded, and so was the largest value. */
function neighbours(scale: number): number[] {
  const pattern = new Uint32Array(Float32Array.of(scale).buffer)[0]!
  return [0, -1, 1, -2, 2]
    .map(step => new Float32Array(Uint32Array.of(Math.max(0, pattern + step)).buffer)[0]!)
    .filter(Number.isFinite)
}

function fitsScale(
  values: Float32Array,
  bits: Uint32Array,
  integers: Int8Array,
  scale: number,
  first: number,
  end: number,
): boolean {
  const made = new Float32Array(1)
  const pattern = new Uint32Array(made.buffer)
  for (let i = first; i < end; i++) {
    const integer = scale === 0 ? 0 : Math.round(values[i]! / scale)
    made[0] = integer * scale
    if (pattern[0] !== bits[i] || integer < -128 || integer > 127) return false
    integers[i] = integer
  }
  return true
}
