/**
 * Writing safetensors as the reference implementation does: tensors by descending size of their type, then by
 * name, and a header padded with spaces to a multiple of 8 bytes, so that every tensor lies aligned in the file.
 */
import { EspalierError } from '../../errors.ts'
import { byteLength, type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensorBytes } from '../../tensor/tensor.ts'
import { LENGTH_BYTES, MAX_HEADER, METADATA, typeNames } from './header.ts'

/** Tensors with their names: a map, or pairs. */
export type TensorsByName = Iterable<readonly [name: string, tensor: Tensor]>

interface Placed {
  readonly name: string
  readonly tensor: Tensor
  readonly type: string
  /** Position of the type among the format's types. */
  readonly rank: number
}

/**
 * The bytes of a safetensors file, in pieces; the tensors' own bytes are passed through. Everything is checked
 * before the first piece. Throws `bad-dtype` for types that the format does not have (strings, 2- and 4-bit
 * integers, complex128), `bad-shape` for a float4 tensor that does not fill whole bytes, `bad-argument` for a
 * name that is reserved, repeated or not valid Unicode, `too-large` for a header beyond 100 MB.
 */
export function* encodeSafetensors(
  tensors: TensorsByName,
  metadata: ReadonlyMap<string, string> = new Map(),
): Generator<Uint8Array> {
  const placed = place(tensors)
  yield encodeHeader(placed, metadata)
  for (const { tensor } of placed) yield tensorBytes(tensor)
}

/** Checks tensors and puts them in the order of the file. */
function place(tensors: TensorsByName): Placed[] {
  const seen = new Set<string>()
  const placed = Array.from(tensors, ([name, tensor]) => {
    checkName(name, seen)
    const type = typeOf(name, tensor)
    return { name, tensor, type, rank: ranks.get(type)! }
  })
  return placed.sort((a, b) => b.rank - a.rank || (a.name < b.name ? -1 : 1))
}

const ranks: ReadonlyMap<string, number> = new Map([...typeNames.keys()].map((type, rank) => [type, rank]))
const types: ReadonlyMap<DType | undefined, string> = new Map(
  [...typeNames].map(([type, dtype]) => [dtype, type]),
)

function checkName(name: string, seen: Set<string>): void {
  const where = { tensor: name }
  if (name === METADATA)
    throw new EspalierError('bad-argument', 'this name is reserved by the format', { where })
  if (seen.has(name)) throw new EspalierError('bad-argument', 'two tensors have this name', { where })
  checkUnicode(name)
  seen.add(name)
}

/** Text with half of a surrogate pair would not be the same when it is read back. */
function checkUnicode(text: string): void {
  if (/\p{Surrogate}/u.test(text))
    throw new EspalierError('bad-argument', 'a name or remark is not valid Unicode', {
      got: JSON.stringify(text),
    })
}

function typeOf(name: string, { dtype, shape }: Tensor): string {
  const type = types.get(dtype)
  if (type === undefined)
    throw new EspalierError('bad-dtype', `safetensors cannot hold ${dtype}`, {
      where: { tensor: name },
      expected: [...types.keys()].filter(known => known !== undefined).join(', '),
      hint: 'Convert the tensor first',
    })
  if ((sizeOf(shape) * dtypeInfo(dtype).bits) % 8 !== 0)
    throw new EspalierError('bad-shape', `safetensors cannot hold ${dtype} that does not fill whole bytes`, {
      where: { tensor: name },
      expected: 'an even number of elements',
      got: formatShape(shape),
    })
  return type
}

function encodeHeader(placed: readonly Placed[], metadata: ReadonlyMap<string, string>): Uint8Array {
  const parts: string[] = []
  if (metadata.size > 0) parts.push(`"${METADATA}":${encodeMetadata(metadata)}`)
  let offset = 0
  for (const { name, tensor, type } of placed) {
    const end = offset + byteLength(tensor.dtype, sizeOf(tensor.shape))
    const entry = { dtype: type, shape: tensor.shape, data_offsets: [offset, end] }
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`)
    offset = end
  }
  const text = new TextEncoder().encode(`{${parts.join(',')}}`)
  const length = Math.ceil(text.length / LENGTH_BYTES) * LENGTH_BYTES
  if (length > MAX_HEADER)
    throw new EspalierError('too-large', 'the header would be too long for a safetensors file', {
      expected: `at most ${MAX_HEADER} bytes`,
      got: `${length}`,
    })
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(text, LENGTH_BYTES)
  return header
}

function encodeMetadata(metadata: ReadonlyMap<string, string>): string {
  const parts = Array.from(metadata, ([key, text]) => {
    checkUnicode(key)
    checkUnicode(text)
    return `${JSON.stringify(key)}:${JSON.stringify(text)}`
  })
  return `{${parts.join(',')}}`
}
