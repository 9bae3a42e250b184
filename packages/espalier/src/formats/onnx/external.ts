/**
 * Weights outside the model file (ONNX "external data"): a tensor names a file in the model's folder, an offset
 * and a length. Names that lead out of that folder are refused: a model must not be able to read other files.
 */
import type * as Fs from 'node:fs'
import type * as Path from 'node:path'
import { EspalierError, locate, locateAsync } from '../../errors.ts'
import { byteLength } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { nodeModule, openFile } from '../io/files.ts'
import { type ByteSource, checkRange, type FileSource, memorySource } from '../io/source.ts'
import { EXTERNAL, type TensorProto } from './proto.ts'
import { dtypeOfNumber, malformedAt, shapeOfDims } from './tensor-proto.ts'

/** Files that hold weights, by the name the model uses for them. */
export type ExternalFiles = ReadonlyMap<string, Uint8Array>

/** A tensor whose bytes are in another file, and where. */
interface ExternalTensor {
  readonly tensor: TensorProto
  readonly location: string
  readonly offset: number
  readonly length: number
}

/** Loads what `tensors` have in other files. Throws `malformed`, `unsafe`, `not-found`, `truncated` or `io`. */
export async function loadExternal(tensors: readonly TensorProto[], opener: ExternalOpener): Promise<void> {
  try {
    for (const group of byLocation(externalTensors(tensors))) {
      const source = await locateAsync(whereOf(group[0]!), async () =>
        sharedSource(await opener.open(group[0]!.location), group),
      )
      for (const external of group) {
        const { tensor, offset, length } = external
        const bytes = await locateAsync(whereOf(external), () => source.read(offset, length))
        tensor.rawData = { offset, length, bytes }
      }
    }
  } finally {
    await opener.close()
  }
}

/**
 * Notes where `tensors` have what is in other files, which stay open until the opener is closed. `place` says how a range
 * of a file is to be had. Throws as {@link loadExternal} does.
 */
export async function placeExternal(
  tensors: readonly TensorProto[],
  opener: FolderOpener,
  place: (source: FileSource, tensor: TensorProto) => void,
): Promise<void> {
  for (const group of byLocation(externalTensors(tensors))) {
    const source = await locateAsync(whereOf(group[0]!), () => opener.open(group[0]!.location))
    for (const external of group) {
      const { tensor, offset, length } = external
      tensor.rawData = { offset, length }
      locate(whereOf(external), () => {
        checkRange(source, offset, length)
        place(source, tensor)
      })
    }
  }
}

function whereOf({ tensor }: ExternalTensor): { readonly tensor: string } {
  return { tensor: tensor.name ?? '' }
}

/** The same from memory: `tensors` become views of `files`. */
export function viewExternal(tensors: readonly TensorProto[], files: ExternalFiles): void {
  for (const { tensor, location, offset, length } of externalTensors(tensors)) {
    const read = (): Uint8Array => memoryFile(files, location).readSync(offset, length)
    tensor.rawData = { offset, length, bytes: locate({ tensor: tensor.name ?? '' }, read) }
  }
}

/** Where tensors overlap so much that reading each would take more memory than the file: the file, read once. */
async function sharedSource(source: ByteSource, group: readonly ExternalTensor[]): Promise<ByteSource> {
  const total = group.reduce((sum, { length }) => sum + length, 0)
  return total <= source.size ? source : memorySource(await source.read(0, source.size), source.name)
}

function byLocation(tensors: readonly ExternalTensor[]): Iterable<readonly ExternalTensor[]> {
  const groups = new Map<string, ExternalTensor[]>()
  for (const tensor of tensors) {
    const group = groups.get(tensor.location)
    if (group === undefined) groups.set(tensor.location, [tensor])
    else group.push(tensor)
  }
  return groups.values()
}

function externalTensors(tensors: readonly TensorProto[]): ExternalTensor[] {
  return tensors.flatMap(tensor => malformedAt(tensor.name ?? '', () => placeOf(tensor)))
}

/** Where a tensor's bytes are, when they are in another file. */
function placeOf(tensor: TensorProto): ExternalTensor[] {
  const { dataLocation = 0 } = tensor
  if (dataLocation === 0) return []
  if (dataLocation !== EXTERNAL)
    throw new EspalierError('malformed', 'unknown data location', { got: `${dataLocation}` })
  const dtype = dtypeOfNumber(tensor.dataType)
  if (dtype === 'string') throw new EspalierError('malformed', 'strings cannot be external data')
  const entries = new Map((tensor.externalData ?? []).map(({ key, value = '' }) => [key, value]))
  const location = entries.get('location') ?? ''
  if (location === '') throw new EspalierError('malformed', 'external data without a location')
  if (!staysInFolder(location))
    throw new EspalierError('unsafe', 'external data outside the folder of the model', {
      expected: "a path below the model's folder",
      got: `"${location}"`,
    })
  const size = byteLength(dtype, sizeOf(shapeOfDims(tensor.dims)))
  const length = numberOf(entries, 'length') ?? size
  if (length !== size)
    throw new EspalierError('malformed', 'external data has another length than the tensor', {
      expected: `${size} bytes`,
      got: `${length}`,
    })
  return [{ tensor, location, offset: numberOf(entries, 'offset') ?? 0, length }]
}

function numberOf(entries: ReadonlyMap<string | undefined, string>, key: string): number | undefined {
  const text = entries.get(key)
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new EspalierError('malformed', `external data with a bad ${key}`, { got: `"${text}"` })
}

/** Whether a name is neither absolute nor climbs out of its folder, on any system. */
export function staysInFolder(location: string): boolean {
  const absolute = /^[\\/]|^[A-Za-z]:/.test(location)
  return !absolute && !location.split(/[\\/]/).includes('..') && !location.includes('\0')
}

/** Opens the files that tensors name, each once. */
export interface ExternalOpener {
  open(location: string): Promise<ByteSource>
  close(): Promise<void>
}

/** Opens files beside a model. */
export interface FolderOpener extends ExternalOpener {
  open(location: string): Promise<FileSource>
}

/** Weights from memory. */
export function memoryOpener(files: ExternalFiles): ExternalOpener {
  return {
    open: async location => memoryFile(files, location),
    close: async () => {},
  }
}

function memoryFile(files: ExternalFiles, location: string): ByteSource {
  const bytes = files.get(location)
  if (bytes !== undefined) return memorySource(bytes, location)
  throw new EspalierError('not-found', 'the model keeps weights in a file that was not given', {
    where: { file: location },
    hint: 'Pass it as externalData, or read the model from its path',
  })
}

/** Weights from the folder of `model`. Links that lead out of the folder are refused. */
export function folderOpener(model: string): FolderOpener {
  const { dirname, join, resolve, sep } = nodeModule<typeof Path>('node:path', model)
  const { realpath } = nodeModule<typeof Fs>('node:fs', model).promises
  /** A path without links; where there is no such file, as it is: opening it will say so. */
  const real = (path: string): Promise<string> => realpath(path).catch(() => path)
  const sources: FileSource[] = []
  return {
    async open(location) {
      const path = resolve(model)
      const file = join(dirname(path), location)
      // A model that is a link itself, as in a download cache, may have its weights beside what it links to.
      const folders = [await real(dirname(path)), dirname(await real(path))]
      const target = await real(join(folders[0]!, location))
      if (!folders.some(folder => target.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
        throw new EspalierError('unsafe', 'external data is a link out of the folder of the model', {
          where: { file },
          got: target,
        })
      const source = await openFile(target).catch(error => {
        throw error instanceof EspalierError && error.code === 'not-found' ? notBeside(file, error) : error
      })
      sources.push(source)
      return source
    },
    async close() {
      for (const source of sources.splice(0)) await source.close()
    },
  }
}

function notBeside(file: string, cause: EspalierError): EspalierError {
  return new EspalierError('not-found', 'the model keeps weights in a file that is not there', {
    where: { file },
    hint: 'Put it beside the model, under the name it had when the model was written',
    cause,
  })
}
