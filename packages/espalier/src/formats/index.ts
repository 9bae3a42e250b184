/**
 * The file formats, and how a file finds its own: by its first bytes where these tell, by its name where they do
 * not. A new format is one more line in the list.
 */
import { EspalierError } from '../errors.ts'
import { cifar } from './cifar.ts'
import { espalier } from './espalier/index.ts'
import type { FileContents, Format, NamedTensors } from './format.ts'
import { idx } from './idx.ts'
import { type Input, withSource, writeFile } from './io/files.ts'
import { isGzip } from './io/gzip.ts'
import { npy } from './npy/index.ts'
import { npz } from './npz.ts'
import { onnx, tensorProto } from './onnx/index.ts'
import { safetensors } from './safetensors/index.ts'
import { torch } from './torch/index.ts'

export * from './cifar.ts'
export * from './espalier/index.ts'
export * from './format.ts'
export * from './idx.ts'
export { type Input, openFile, withSource, writeFile } from './io/files.ts'
export { type ByteSource, memorySource } from './io/source.ts'
export { type OnRead, watchSource } from './io/watched.ts'
export * from './npy/index.ts'
export * from './npz.ts'
export * from './onnx/index.ts'
export * from './safetensors/index.ts'
export * from './torch/index.ts'

/** Every format. Where the first bytes fit several, the first of them is meant: strict checks before loose ones. */
export const formats: readonly Format[] = [
  espalier,
  safetensors,
  onnx,
  torch,
  npy,
  npz,
  idx,
  cifar,
  tensorProto,
]

/** Number of bytes from the start of a file that formats look at to know it. */
export const HEAD_BYTES = 64

/**
 * The format of a file from its first bytes (`HEAD_BYTES` of them, or all of a shorter file) and its name. What
 * the bytes say counts before the name; where several formats could begin so, the name decides between them.
 * Throws `unsupported-format`, with the list of what is known, when neither says anything.
 */
export function formatOf(path: string, head: Uint8Array): Format {
  const detected = formats.filter(format => format.detect(head))
  return byName(path, detected) ?? detected[0] ?? byName(path, formats) ?? unknown(path, head)
}

/** Reads a file of any known format. Throws as {@link formatOf} and as the format's reader do. */
export function readFile(input: Input): Promise<FileContents> {
  return withSource(input, async source => {
    const head = await source.read(0, Math.min(HEAD_BYTES, source.size))
    return formatOf(source.name, head).read(source)
  })
}

/** The format whose ending `path` has; the longest where several fit. */
function byName(path: string, among: readonly Format[]): Format | undefined {
  const name = path.toLowerCase()
  let best: { format: Format; length: number } | undefined
  for (const format of among)
    for (const extension of format.extensions) {
      const fits = name.endsWith(`.${extension}`) || name.endsWith(`-${extension}`)
      if (fits && extension.length > (best?.length ?? 0)) best = { format, length: extension.length }
    }
  return best?.format
}

function unknown(file: string, head: Uint8Array): never {
  const known = formats.map(format => `${format.name} (.${format.extensions[0]})`).join(', ')
  const details = { where: { file }, expected: `one of ${known}` }
  if (head.length === 0) throw new EspalierError('unsupported-format', 'the file is empty', details)
  if (isGzip(head))
    throw new EspalierError('unsupported-format', 'the name does not say what this gzip file holds', {
      ...details,
      hint: 'Unpack it, or give it an ending such as .idx.gz',
    })
  throw new EspalierError(
    'unsupported-format',
    'neither the bytes nor the name are those of a known format',
    details,
  )
}

/** The format that a file of this name is to be written in. Throws `unsupported-format`. */
export function formatNamed(path: string): Format {
  const writable = formats.filter(format => format.encode !== undefined)
  const found = byName(path, writable)
  if (found !== undefined) return found
  const readOnly = byName(path, formats)
  throw new EspalierError(
    'unsupported-format',
    readOnly ? `${readOnly.title} files are read only` : 'the name does not say which format to write',
    {
      where: { file: path },
      expected: writable.map(({ extensions }) => `.${extensions[0]}`).join(', '),
    },
  )
}

/** Writes named tensors in the format that the name says. Throws as {@link formatNamed} and the format do. */
export async function writeTensors(
  path: string,
  tensors: NamedTensors['tensors'],
  metadata?: NamedTensors['metadata'],
): Promise<void> {
  const format = formatNamed(path)
  await writeFile(path, format.encode!({ kind: 'tensors', tensors, ...(metadata && { metadata }) }))
}
