/**
 * npy, NumPy's format for one array (NEP 1): a magic number and version, a header that is a Python dictionary in
 * text, then the elements. All three versions, both byte orders, both memory orders. Arrays of Python objects are
 * refused: they are pickles. The file does not name its array; it is called `data` here.
 */
import { type ErrorDetails, EspalierError } from '../../errors.ts'
import { formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensorBytes } from '../../tensor/tensor.ts'
import { oneTensor, onlyTensorIn } from '../contents.ts'
import type { Format } from '../format.ts'
import { type Input, withSource, writeFile } from '../io/files.ts'
import { type ByteSource, memorySource } from '../io/source.ts'
import { arrayFromBytes } from './array.ts'
import { descrOf, type Elements, parseDescr } from './dtypes.ts'
import { type Literal, parseLiteral } from './literal.ts'
import { encodeText } from './text.ts'

/** `\x93NUMPY`. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** Longest header text that is read, in bytes. NumPy's own limit is 10,000; no plain array comes near. */
const MAX_HEADER = 2 ** 20
/** Most axes an array can have in NumPy. */
const MAX_RANK = 64
/** Bytes before the header's text in version 1.0: magic, version, length. */
const PREFIX = 10
/** The data begins at a multiple of this, in bytes. */
const ALIGNMENT = 64

/**
 * The array in the bytes of an npy file. Little-endian numbers in row-major order are views of `bytes`; anything
 * else is converted. Throws `malformed`, `truncated`, `unsafe` (Python objects) and `unsupported-format`.
 */
export function decodeNpy(bytes: Uint8Array): Tensor {
  const source = memorySource(bytes)
  const layout = readLayout(source)
  return decode(layout, source.readSync(layout.start, layout.length))
}

/** Reads an npy file. Throws as {@link decodeNpy} does. */
export function readNpy(input: Input): Promise<Tensor> {
  return withSource(input, readTensor)
}

/**
 * The bytes of an npy file (version 1.0), in pieces: the header, then the tensor's own bytes. Throws `bad-dtype` for
 * types that NumPy does not have (bfloat16, float8, 4-bit integers), `bad-shape` for more than 64 axes.
 */
export function* encodeNpy(source: Tensor): Generator<Uint8Array> {
  const { descr, bytes } =
    source.dtype === 'string'
      ? encodeText(source.data)
      : { descr: descrOf(source.dtype), bytes: tensorBytes(source) }
  yield encodeHeader(descr, source.shape)
  yield bytes
}

/** Writes an npy file; an old file stays whole when that fails. Throws as {@link encodeNpy} does. */
export function writeNpy(path: string, source: Tensor): Promise<void> {
  return writeFile(path, encodeNpy(source))
}

export const npy: Format = {
  name: 'npy',
  title: 'NumPy array',
  extensions: ['npy'],
  holds: 'tensors',
  detect: head => MAGIC.every((byte, index) => head[index] === byte),
  read: async source => oneTensor(await readTensor(source)),
  encode: contents => encodeNpy(onlyTensorIn(contents, 'npy')),
}

async function readTensor(source: ByteSource): Promise<Tensor> {
  const layout = readLayout(source)
  return decode(layout, await source.read(layout.start, layout.length))
}

function decode({ elements, shape, fortranOrder }: Layout, bytes: Uint8Array): Tensor {
  return arrayFromBytes(elements, shape, fortranOrder, bytes)
}

/** What the header says, checked against the length of the file. */
interface Layout {
  readonly elements: Elements
  readonly shape: Shape
  readonly fortranOrder: boolean
  /** Position of the first element. */
  readonly start: number
  /** Bytes of all elements. */
  readonly length: number
}

function readLayout(source: ByteSource): Layout {
  const { text, textStart, start } = readHeader(source)
  const { elements, shape, fortranOrder } = parseHeader(text, textStart)
  const count = sizeOf(shape)
  const length = count * elements.width
  if (length !== source.size - start)
    throw new EspalierError(
      length > source.size - start ? 'truncated' : 'malformed',
      `the data is not that of an array ${formatShape(shape)} of ${elements.dtype}`,
      { expected: `${length} bytes after the header`, got: `${source.size - start}` },
    )
  // Strings without room for a character take no bytes in the file, but they would here.
  if (elements.width === 0 && count > source.size)
    throw new EspalierError('too-large', `an array ${formatShape(shape)} of empty strings`)
  return { elements, shape, fortranOrder, start, length }
}

function readHeader(source: ByteSource): { text: string; textStart: number; start: number } {
  const head = source.readSync(0, Math.min(12, source.size))
  if (head.length < PREFIX)
    throw new EspalierError('truncated', 'too short for an npy file', { got: `${head.length} bytes` })
  if (!npy.detect(head))
    throw new EspalierError('unsupported-format', 'not an npy file', { expected: '\\x93NUMPY at the start' })
  const [major, minor] = [head[6]!, head[7]!]
  if (major < 1 || major > 3 || minor !== 0)
    throw new EspalierError('unsupported-format', `npy version ${major}.${minor} is not known`, {
      expected: '1.0, 2.0 or 3.0',
    })
  const textStart = major === 1 ? PREFIX : PREFIX + 2
  if (head.length < textStart)
    throw new EspalierError('truncated', 'too short for an npy file', { got: `${head.length} bytes` })
  const view = new DataView(head.buffer, head.byteOffset)
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > MAX_HEADER)
    throw new EspalierError('too-large', 'the header is too long for an npy file', {
      expected: `at most ${MAX_HEADER} bytes`,
      got: `${length}`,
    })
  const text = decodeHeader(source.readSync(textStart, length), major === 3)
  return { text, textStart, start: textStart + length }
}

function decodeHeader(bytes: Uint8Array, utf8: boolean): string {
  try {
    return new TextDecoder(utf8 ? 'utf-8' : 'latin1', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new EspalierError('malformed', 'the header is not valid UTF-8', { cause })
  }
}

const FIELDS = ['descr', 'fortran_order', 'shape']

function parseHeader(text: string, start: number): Pick<Layout, 'elements' | 'shape' | 'fortranOrder'> {
  const literal = parseLiteral(text, start)
  const header: ReadonlyMap<string, Literal> | undefined = literal instanceof Map ? literal : undefined
  if (header === undefined) throw malformed('the header is not a dictionary')
  const fields = [...header.keys()].sort().join(', ')
  if (fields !== FIELDS.join(', '))
    throw malformed('the header has other fields', { expected: FIELDS.join(', '), got: fields.slice(0, 80) })
  const [descr, fortranOrder, shape] = FIELDS.map(field => header.get(field))
  if (!isShape(shape)) throw malformed('the shape is not a tuple of sizes', { where: { field: 'shape' } })
  if (shape.length > MAX_RANK)
    throw malformed(`the array has more than ${MAX_RANK} axes`, { got: `${shape.length}` })
  if (typeof fortranOrder !== 'boolean')
    throw malformed('is neither True nor False', { where: { field: 'fortran_order' } })
  return { elements: parseDescr(descr), shape, fortranOrder }
}

function isShape(value: Literal | undefined): value is number[] {
  return Array.isArray(value) && value.every(extent => typeof extent === 'number' && extent >= 0)
}

/** Magic, version, length and text of the header, filled up with spaces so that the elements begin aligned. */
function encodeHeader(descr: string, shape: Shape): Uint8Array {
  if (shape.length > MAX_RANK)
    throw new EspalierError('bad-shape', `npy cannot hold an array of ${shape.length} axes`, {
      expected: `at most ${MAX_RANK}`,
    })
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`
  const length = Math.ceil((PREFIX + text.length + 1) / ALIGNMENT) * ALIGNMENT
  const header = new Uint8Array(length).fill(0x20)
  header.set([...MAGIC, 1, 0])
  new DataView(header.buffer).setUint16(MAGIC.length + 2, length - PREFIX, true)
  header.set(new TextEncoder().encode(text), PREFIX)
  header[length - 1] = 0x0a
  return header
}

function malformed(summary: string, details: ErrorDetails = {}): EspalierError {
  return new EspalierError('malformed', summary, details)
}
