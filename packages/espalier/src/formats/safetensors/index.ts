/**
 * safetensors: named tensors behind a JSON header, nothing executable. Reading loads each tensor into a buffer of
 * its own, or only those that are asked for; writing passes the tensors' bytes through without copying them.
 */
import { EspalierError, locateAsync } from '../../errors.ts'
import { type Tensor, tensorFromBytes } from '../../tensor/tensor.ts'
import { tensorsIn } from '../contents.ts'
import type { Format, NamedTensors } from '../format.ts'
import { normalizeBools } from '../io/bytes.ts'
import { type Input, openInput, withSource, writeFile } from '../io/files.ts'
import type { ByteSource } from '../io/source.ts'
import { encodeSafetensors, type TensorsByName } from './encode.ts'
import { isHeader, readHeader, type SafetensorsEntry } from './header.ts'

export { encodeSafetensors, type TensorsByName } from './encode.ts'
export type { SafetensorsEntry } from './header.ts'

/** An open safetensors file: what is in it, and the tensors on demand. Close it when done. */
export interface SafetensorsFile {
  /** Type, shape and byte range of every tensor, by name, in the order of their bytes. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  /** The file's `__metadata__`; empty when it has none. */
  readonly metadata: ReadonlyMap<string, string>
  /** Reads one tensor. Throws `bad-argument` when there is none of that name. */
  load(name: string): Promise<Tensor>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Reads all tensors. From a path or a source each goes into a buffer of its own; from bytes they are views.
 * Throws `malformed`, `truncated`, `too-large`, `unsupported-format` as {@link openSafetensors} does.
 */
export function readSafetensors(input: Input): Promise<NamedTensors> {
  return withSource(input, readAll)
}

/**
 * Reads the header and checks it against the length of the file; loads no tensor. Throws `malformed` when the
 * header breaks the rules, `truncated` when the file ends early, `too-large` for a header of more than 100 MB,
 * `unsupported-format` for element types that have no counterpart here.
 */
export async function openSafetensors(input: Input): Promise<SafetensorsFile> {
  const { source, close } = await openInput(input)
  const where = { file: source.name }
  try {
    const { entries, metadata } = await locateAsync(where, () => readHeader(source))
    return {
      entries,
      metadata,
      load: name => locateAsync({ ...where, tensor: name }, () => load(source, name, entries)),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Writes a safetensors file; an old file stays whole when that fails. Throws as {@link encodeSafetensors} does. */
export function writeSafetensors(
  path: string,
  tensors: TensorsByName,
  metadata?: ReadonlyMap<string, string>,
): Promise<void> {
  return writeFile(path, encodeSafetensors(tensors, metadata))
}

export const safetensors: Format = {
  name: 'safetensors',
  title: 'safetensors (Hugging Face)',
  extensions: ['safetensors'],
  holds: 'tensors',
  keepsMetadata: true,
  detect: isHeader,
  read: async source => ({ kind: 'tensors', ...(await readAll(source)) }),
  encode(contents) {
    const { tensors, metadata } = tensorsIn(contents, 'safetensors')
    return encodeSafetensors(tensors, metadata)
  },
}

async function readAll(source: ByteSource): Promise<NamedTensors> {
  const { entries, metadata } = await readHeader(source)
  const tensors = new Map<string, Tensor>()
  for (const name of entries.keys()) tensors.set(name, await load(source, name, entries))
  return metadata.size > 0 ? { tensors, metadata } : { tensors }
}

async function load(
  source: ByteSource,
  name: string,
  entries: ReadonlyMap<string, SafetensorsEntry>,
): Promise<Tensor> {
  const entry = entries.get(name)
  if (entry === undefined)
    throw new EspalierError('bad-argument', 'there is no tensor of this name', {
      got: name,
      expected: `one of ${[...entries.keys()].slice(0, 8).join(', ')}${entries.size > 8 ? ', ...' : ''}`,
    })
  const { dtype, shape, start, end } = entry
  const bytes = await source.read(start, end - start)
  return tensorFromBytes(dtype, shape, dtype === 'bool' ? normalizeBools(bytes) : bytes)
}
