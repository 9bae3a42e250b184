/**
 * IDX, the format of the MNIST files (Y. LeCun, "The MNIST database of handwritten digits"): two zero bytes, a type
 * code, the rank, the extents as big-endian 32-bit integers, and big-endian elements. Read plain or gzipped, as
 * the files are handed around. It has no names: the one tensor is called `data`.
 */
import { EspalierError } from '../errors.ts'
import { byteLength, type DType, dtypeInfo } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { type Tensor, tensorBytes, tensorFromBytes } from '../tensor/tensor.ts'
import { oneTensor, onlyTensorIn } from './contents.ts'
import type { Format } from './format.ts'
import { swapBytes } from './io/bytes.ts'
import { type Input, withSource, writeFile } from './io/files.ts'
import { withUnpacked } from './io/gzip.ts'
import type { ByteSource } from './io/source.ts'
import type { ByteStream } from './io/stream.ts'

const codes: ReadonlyMap<number, DType> = new Map([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
])

/**
 * Reads an IDX file, gzipped or not. Throws `malformed`, `truncated`; `unsupported-format` for what is no IDX file.
 * A header that promises more than the file holds is refused without taking the memory that it asks for.
 */
export function readIdx(input: Input): Promise<Tensor> {
  return withSource(input, readTensor)
}

/** The bytes of an IDX file, in pieces. Throws `bad-dtype`, and `too-large` for extents of more than 32 bits. */
export function* encodeIdx(tensor: Tensor): Generator<Uint8Array> {
  const { dtype, shape } = tensor
  const code = [...codes].find(([, known]) => known === dtype)?.[0]
  if (code === undefined)
    throw new EspalierError('bad-dtype', `IDX cannot hold ${dtype}`, {
      expected: [...codes.values()].join(', '),
      hint: 'Convert the tensor first, or write npy or safetensors',
    })
  if (shape.length > 255 || shape.some(extent => extent > 0xffffffff))
    throw new EspalierError('too-large', 'IDX takes at most 255 extents of 32 bits', { got: shape.join('x') })
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length))
  header.setUint8(2, code)
  header.setUint8(3, shape.length)
  for (const [axis, extent] of shape.entries()) header.setUint32(4 + 4 * axis, extent)
  yield new Uint8Array(header.buffer)
  yield bigEndian(tensorBytes(tensor), dtype)
}

/** Writes an IDX file; an old file stays whole when that fails. */
export function writeIdx(path: string, tensor: Tensor): Promise<void> {
  return writeFile(path, encodeIdx(tensor))
}

export const idx: Format = {
  name: 'idx',
  title: 'IDX array (MNIST)',
  extensions: ['idx', 'idx1-ubyte', 'idx2-ubyte', 'idx3-ubyte', 'idx4-ubyte', 'idx.gz'].concat([
    'idx1-ubyte.gz',
    'idx2-ubyte.gz',
    'idx3-ubyte.gz',
    'idx4-ubyte.gz',
  ]),
  holds: 'tensors',
  detect: isIdx,
  read: async source => oneTensor(await readTensor(source)),
  encode: contents => encodeIdx(onlyTensorIn(contents, 'idx')),
}

/** A gzipped file is not recognised: what it holds cannot be seen from its first bytes. */
function isIdx(head: Uint8Array): boolean {
  const [zero, alsoZero, code, rank] = head
  if (zero !== 0 || alsoZero !== 0 || !codes.has(code!) || rank === undefined) return false
  // A safetensors file whose header length ends in these bytes: the length has its upper half empty, then `{`.
  const looksLikeSafetensors = head[8] === 0x7b && head.subarray(4, 8).every(byte => byte === 0)
  return !looksLikeSafetensors
}

function readTensor(source: ByteSource): Promise<Tensor> {
  return withUnpacked(source, async stream => {
    const { dtype, shape } = await readHeader(stream)
    const bytes = await stream.read(byteLength(dtype, sizeOf(shape)))
    await stream.end()
    return tensorFromBytes(dtype, shape, bigEndian(bytes, dtype))
  })
}

async function readHeader(stream: ByteStream): Promise<{ dtype: DType; shape: number[] }> {
  const [zero, alsoZero, code, rank] = await stream.read(4)
  if (zero !== 0 || alsoZero !== 0)
    throw new EspalierError('unsupported-format', 'not an IDX file', {
      expected: 'two zero bytes at the start',
      got: `${zero} and ${alsoZero}`,
    })
  const dtype = codes.get(code!)
  if (dtype === undefined)
    throw new EspalierError('malformed', 'unknown IDX element type', {
      where: { offset: 2 },
      expected: [...codes].map(([known, name]) => `${known} (${name})`).join(', '),
      got: `${code}`,
    })
  const extents = await stream.read(4 * rank!)
  const view = new DataView(extents.buffer, extents.byteOffset, extents.byteLength)
  return { dtype, shape: Array.from({ length: rank! }, (_, axis) => view.getUint32(4 * axis)) }
}

/** Little-endian elements as big-endian ones, and back; bytes stay as they are. */
function bigEndian(bytes: Uint8Array, dtype: DType): Uint8Array {
  const width = dtypeInfo(dtype).bits / 8
  return width === 1 ? bytes : swapBytes(bytes, width)
}
