/**
 * Weights outside the model file (ONNX "external data"): a tensor names a file in the model's folder, an offset
 * and a length. Names that lead out of that folder are refused: a model must not be able to read other files.
 */
import type * as FsPromises from 'node:fs/promises'
import type * as Path from 'node:path'
import { EspalierError } from '../../errors.ts'
import { byteLength } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { openFile } from '../io/files.ts'
import { type ByteSource, memorySource } from '../io/source.ts'
import type { TensorProto } from './proto.ts'
import { dtypeOfNumber } from './tensor-proto.ts'

/** Files that hold weights, by the name the model uses for them. */
export type ExternalFiles = ReadonlyMap<string, Uint8Array>

/** Where a tensor's bytes are. */
export interface ExternalRange {
  readonly location: string
  readonly offset: number
  readonly length: number
}

const EXTERNAL = 1

/** Tensors among `tensors` whose bytes are in other files, with their places. Throws `malformed` or `unsafe`. */
export function externalTensors(tensors: readonly TensorProto[]): [TensorProto, ExternalRange][] {
  return tensors
    .filter(({ dataLocation }) => dataLocation === EXTERNAL)
    .map(tensor => [tensor, rangeOf(tensor)])
}

function rangeOf(tensor: TensorProto): ExternalRange {
  const where = { tensor: tensor.name ?? '' }
  const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key, value]))
  const location = entries.get('location')
  if (location === undefined || location === '')
    throw new EspalierError('malformed', 'external data without a location', { where })
  checkLocation(location, tensor.name ?? '')
  const size = byteLength(dtypeOfNumber(tensor.dataType), sizeOf((tensor.dims ?? []).map(Number)))
  const number = (key: string, fallback: number): number => {
    const text = entries.get(key)
    if (text === undefined) return fallback
    if (/^\d{1,15}$/.test(text)) return Number(text)
    throw new EspalierError('malformed', `external data with a bad ${key}`, { where, got: `"${text}"` })
  }
  const length = number('length', size)
  if (length !== size)
    throw new EspalierError('malformed', 'external data has another length than the tensor', {
      where,
      expected: `${size} bytes`,
      got: `${length}`,
    })
  return { location, offset: number('offset', 0), length }
}

/** Throws `unsafe` for a name that is absolute or climbs out of its folder. */
function checkLocation(location: string, tensor: string): void {
  const parts = location.split(/[\\/]/)
  const absolute = /^[\\/]|^[A-Za-z]:/.test(location)
  if (absolute || parts.includes('..') || location.includes('\0'))
    throw new EspalierError('unsafe', 'external data outside the folder of the model', {
      where: { tensor },
      expected: "a path below the model's folder",
      got: `"${location}"`,
    })
}

/** Opens the files that ranges name, each once. */
export interface ExternalOpener {
  open(location: string): Promise<ByteSource>
  close(): Promise<void>
}

/** Weights from memory. */
export function memoryOpener(files: ExternalFiles): ExternalOpener {
  return {
    open: async location => memoryFile(files, location),
    close: async () => {},
  }
}

/** The source of one file in memory. Throws `not-found`. */
export function memoryFile(files: ExternalFiles, location: string): ByteSource {
  const bytes = files.get(location)
  if (bytes !== undefined) return memorySource(bytes, location)
  throw new EspalierError('not-found', 'the model keeps weights in a file that was not given', {
    where: { file: location },
    hint: 'Pass it as externalData, or read the model from its path',
  })
}

/** Weights from the folder of `model`. Links that lead out of the folder are refused. */
export function folderOpener(model: string): ExternalOpener {
  const path = globalThis.process.getBuiltinModule('node:path') as typeof Path
  const fs = globalThis.process.getBuiltinModule('node:fs/promises') as typeof FsPromises
  const sources = new Map<string, ByteSource>()
  return {
    async open(location) {
      let source = sources.get(location)
      if (source === undefined) {
        const folder = await fs.realpath(path.dirname(path.resolve(model)))
        const file = path.join(folder, location)
        const real = await fs.realpath(file).catch(() => file)
        if (!real.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep))
          throw new EspalierError('unsafe', 'external data is a link out of the folder of the model', {
            where: { file },
            got: real,
          })
        source = await openFile(file)
        sources.set(location, source)
      }
      return source
    },
    async close() {
      for (const source of sources.values()) await source.close()
    },
  }
}
