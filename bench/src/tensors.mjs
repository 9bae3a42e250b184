// Named tensors in one file, for handing inputs and results from process to process. Needs nothing of the library, so
// that a process that measures a peer loads only the peer.
//
// Layout: length of the header (uint32), the header (JSON: name, dtype, shape, offset, bytes of each tensor), padding
// to 64, data at offsets that are multiples of 64 from there.
import { readFileSync, writeFileSync } from 'node:fs'

const ALIGNMENT = 64

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
}

const aligned = bytes => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

/** Writes a map of tensors `{ dtype, shape, data }`. */
export function writeTensors(file, tensors) {
  let offset = 0
  const entries = Array.from(tensors, ([name, { dtype, shape, data }]) => {
    const entry = { name, dtype, shape: [...shape], offset, bytes: data.byteLength }
    offset += aligned(data.byteLength)
    return entry
  })
  const header = new TextEncoder().encode(JSON.stringify(entries))
  const start = aligned(4 + header.length)
  const out = new Uint8Array(start + offset)
  new DataView(out.buffer).setUint32(0, header.length, true)
  out.set(header, 4)
  for (const entry of entries) {
    const { data } = tensors.get(entry.name)
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + entry.offset)
  }
  writeFileSync(file, out)
}

/** Reads what `writeTensors` wrote. */
export function readTensors(file) {
  const bytes = readFileSync(file)
  const length = bytes.readUInt32LE(0)
  const entries = JSON.parse(bytes.toString('utf8', 4, 4 + length))
  const start = bytes.byteOffset + aligned(4 + length)
  return new Map(
    entries.map(({ name, dtype, shape, offset, bytes: size }) => {
      const from = start + offset
      // A copy of its own: a view would keep the whole file, and its start need not be aligned.
      const data = new arrays[dtype](bytes.buffer.slice(from, from + size))
      return [name, { dtype, shape, data }]
    }),
  )
}
