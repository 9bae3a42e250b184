/**
 * npz, NumPy's format for several arrays: a zip file with one npy file for each, `NAME.npy`, as `numpy.savez` and
 * `numpy.savez_compressed` write it. Other entries are taken as text beside the tensors, and written so.
 */
import { EspalierError, locateAsync } from '../errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { tensorsIn } from './contents.ts'
import type { Format, NamedTensors } from './format.ts'
import { type Input, withSource, writeFile } from './io/files.ts'
import { type ByteSource, memorySource } from './io/source.ts'
import { encodeNpy, readNpy } from './npy/index.ts'
import { openZip } from './zip/read.ts'
import { deflatedPart, encodeZip, storedPart, type ZipPart } from './zip/write.ts'

const SUFFIX = '.npy'

/**
 * Reads all arrays. Those that are stored uncompressed come straight from the file, each into a buffer of its own,
 * and from bytes they are views. Throws `malformed`, `truncated`, `unsafe` (Python objects), `unsupported-format`.
 */
export function readNpz(input: Input): Promise<NamedTensors> {
  return withSource(input, readAll)
}

export interface NpzOptions {
  /** Text to store beside the tensors, by entry name; must not end in `.npy`. */
  readonly metadata?: ReadonlyMap<string, string>
}

/**
 * The bytes of an npz file, in pieces, uncompressed; the tensors' own bytes are passed through. Throws `bad-dtype`
 * for types that NumPy does not have, `bad-argument` for names that are too long, repeated or not valid Unicode.
 */
export function encodeNpz(
  tensors: Iterable<readonly [name: string, tensor: Tensor]>,
  options: NpzOptions = {},
): Iterable<Uint8Array> {
  return encodeZip(partsOf(tensors, options, storedPart))
}

export interface WriteNpzOptions extends NpzOptions {
  /** Whether to compress the arrays, which takes long and does little for weights. False when left out. */
  readonly compress?: boolean
}

/** Writes an npz file; an old file stays whole when that fails. Throws as {@link encodeNpz} does. */
export async function writeNpz(
  path: string,
  tensors: Iterable<readonly [name: string, tensor: Tensor]>,
  { compress = false, ...options }: WriteNpzOptions = {},
): Promise<void> {
  if (!compress) return writeFile(path, encodeNpz(tensors, options))
  const parts: ZipPart[] = []
  for (const part of partsOf(tensors, options, deflatedPart)) parts.push(await part)
  return writeFile(path, encodeZip(parts))
}

function* partsOf<T>(
  tensors: Iterable<readonly [name: string, tensor: Tensor]>,
  { metadata = new Map() }: NpzOptions,
  makePart: (name: string, chunks: Iterable<Uint8Array>) => T,
): Generator<T> {
  for (const [name, tensor] of tensors) yield makePart(name + SUFFIX, encodeNpy(tensor))
  for (const [name, text] of metadata) {
    if (name.endsWith(SUFFIX))
      throw new EspalierError('bad-argument', `text named "${name}" would be read as an array`)
    yield makePart(name, [new TextEncoder().encode(text)])
  }
}

export const npz: Format = {
  name: 'npz',
  title: 'NumPy arrays (zip)',
  extensions: ['npz'],
  holds: 'tensors',
  keepsMetadata: true,
  detect: isNpz,
  read: async source => ({ kind: 'tensors', ...(await readAll(source)) }),
  encode(contents) {
    const { tensors, metadata } = tensorsIn(contents, 'npz')
    return encodeNpz(tensors, metadata === undefined ? {} : { metadata })
  },
}

/** Whether a file begins as a zip file whose first entry is an array, or that is empty. A long name may be cut off. */
function isNpz(head: Uint8Array): boolean {
  const signature = String.fromCharCode(...head.subarray(0, 4))
  if (signature === 'PK\x05\x06') return true
  if (signature !== 'PK\x03\x04' || head.length < 30) return false
  const length = head[26]! | (head[27]! << 8)
  const name = String.fromCharCode(...head.subarray(30, 30 + length))
  return name.length < length || name.endsWith(SUFFIX)
}

async function readAll(source: ByteSource): Promise<NamedTensors> {
  const tensors = new Map<string, Tensor>()
  const metadata = new Map<string, string>()
  for (const entry of (await openZip(source)).values()) {
    const file = `${source.name}/${entry.name}`
    if (entry.name.endsWith(SUFFIX)) {
      const name = entry.name.slice(0, -SUFFIX.length)
      const bytes = await entry.read()
      tensors.set(name, await locateAsync({ tensor: name }, () => readNpy(memorySource(bytes, file))))
    } else if (!entry.name.endsWith('/')) metadata.set(entry.name, decodeText(await entry.read(), file))
  }
  return metadata.size > 0 ? { tensors, metadata } : { tensors }
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new EspalierError('unsupported-format', 'this entry is neither an array nor text', {
      where: { file },
      expected: 'NAME.npy, or UTF-8 text',
      cause,
    })
  }
}
