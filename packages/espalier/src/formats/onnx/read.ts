/**
 * Reading ONNX files. The structure is read first and weights are only noted; then the weights are loaded, each
 * straight into a buffer of its own, so that a model takes its own size in memory and no more.
 */
import { EspalierError, locateAsync } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import type { RuntimeValue, Tensor } from '../../tensor/tensor.ts'
import { type Input, openFile, withSource } from '../io/files.ts'
import { type ByteSource, type FileSource, memorySource } from '../io/source.ts'
import { decodeMessage, type Findings, noFindings } from './decode.ts'
import {
  type ExternalFiles,
  folderOpener,
  loadExternal,
  memoryOpener,
  placeExternal,
  viewExternal,
} from './external.ts'
import { inlineFunctions } from './inline.ts'
import {
  type ModelProto,
  modelTable,
  type OptionalProto,
  optionalTable,
  type Payload,
  type SequenceProto,
  sequenceTable,
  type Table,
  type TensorProto,
  tensorTable,
} from './proto.ts'
import { canStay, optionalOfProto, sequenceOfProto, tensorOfProto } from './tensor-proto.ts'
import { graphOfModel } from './to-graph.ts'
import { Cursor } from './wire.ts'

export interface ReadOnnxOptions {
  /** Files that hold weights, by the name the model uses; not needed when the model is read from its path. */
  readonly externalData?: ExternalFiles
}

/**
 * Reads an ONNX model; its own functions are inlined. Throws `malformed`, `truncated`, `unsafe`, `not-found`, `io`
 * or `unsupported-format`.
 */
export async function readOnnx(input: Input, options: ReadOnnxOptions = {}): Promise<Graph> {
  return withSource(input, async source => {
    const { message, found } = decode(source, modelTable)
    await loadPayloads(source, found.payloads)
    const { externalData } = options
    const opener =
      externalData === undefined && source.path !== undefined
        ? folderOpener(source.path)
        : memoryOpener(externalData ?? new Map())
    await loadExternal(found.tensors, opener)
    return graphOfModel(inlineFunctions(message as ModelProto))
  })
}

/** A model whose large weights are in its files, and are read whenever they are asked for. */
export interface OpenModel {
  readonly graph: Graph
  /** Closes the files: weights cannot be read any more. */
  close(): Promise<void>
}

/**
 * Opens an ONNX model: as {@link readOnnx}, but large weights stay in the file, and in the files beside it, until
 * somebody asks for their data. Those files must not be written to as long as the model is open.
 */
export async function openOnnx(path: string): Promise<OpenModel> {
  const source = await openFile(path)
  const opener = folderOpener(path)
  const close = async (): Promise<void> => {
    await opener.close()
    await source.close()
  }
  const graph = locateAsync({ file: path }, async () => {
    const { message, found } = decode(source, modelTable)
    for (const tensor of found.tensors) if (canStay(tensor)) leave(source, tensor.rawData!)
    await loadPayloads(
      source,
      found.payloads.filter(({ stored }) => stored === undefined),
    )
    await placeExternal(found.tensors, opener, (file, tensor) => {
      const payload = tensor.rawData!
      if (canStay(tensor)) leave(file, payload)
      if (payload.stored === undefined) payload.bytes = file.readSync(payload.offset, payload.length)
    })
    return graphOfModel(inlineFunctions(message as ModelProto))
  })
  try {
    return { graph: await graph, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** From so many bytes on weights stay in the file: below, what is around them is larger. */
const STAYS_FROM = 1 << 14

function leave(source: FileSource, payload: Payload): void {
  const { offset, length } = payload
  if (length < STAYS_FROM) return
  payload.stored = {
    byteLength: length,
    fill: target => source.fillSync(offset, target),
    peek: (at, target) => source.fillSync(offset + at, target),
  }
}

/** Up to so many bytes a read takes less time than asking another thread for it. */
const QUICK = 1 << 16
/** Large payloads that are read at the same time. */
const AT_ONCE = 4

async function loadPayloads(source: ByteSource, payloads: readonly Payload[]): Promise<void> {
  const large = payloads.filter(payload => {
    if (payload.length <= QUICK) payload.bytes = source.readSync(payload.offset, payload.length)
    return payload.length > QUICK
  })
  const next = large.values()
  const load = async (): Promise<void> => {
    for (const payload of next) payload.bytes = await source.read(payload.offset, payload.length)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, load))
}

/** Reads an ONNX model from memory. Weights are views of `bytes` where their alignment allows. */
export function parseOnnx(bytes: Uint8Array, { externalData = new Map() }: ReadOnnxOptions = {}): Graph {
  const { message, found } = decodeBytes(bytes, modelTable)
  viewExternal(found.tensors, externalData)
  return graphOfModel(inlineFunctions(message as ModelProto))
}

/** Reads a file that holds one `TensorProto`; the name is `''` where the file gives none. */
export function parseTensorProto(bytes: Uint8Array): { readonly name: string; readonly tensor: Tensor } {
  const proto = decodeBytes(bytes, tensorTable).message as TensorProto
  return { name: proto.name ?? '', tensor: tensorOfProto(proto) }
}

/** Reads a file that holds one value of the given kind, as ONNX's test data has them. */
export function parseValueProto(bytes: Uint8Array, kind: 'tensor' | 'sequence' | 'optional'): RuntimeValue {
  if (kind === 'tensor') return parseTensorProto(bytes).tensor
  if (kind === 'sequence') return sequenceOfProto(decodeBytes(bytes, sequenceTable).message as SequenceProto)
  return optionalOfProto(decodeBytes(bytes, optionalTable).message as OptionalProto)
}

interface DecodedFile {
  readonly message: object
  readonly found: Findings
}

function decode(source: ByteSource, table: Table): DecodedFile {
  checkContent(source)
  const found = noFindings()
  return { message: decodeMessage(new Cursor(source), source.size, table, found), found }
}

const LFS_POINTER = 'version https://git-lfs'

/** Throws for what is often found in place of a model: nothing, and the note that Git keeps for a large file. */
function checkContent(source: ByteSource): void {
  if (source.size === 0) throw new EspalierError('truncated', 'the file is empty')
  const head = new TextDecoder().decode(source.readSync(0, Math.min(source.size, LFS_POINTER.length)))
  if (head === LFS_POINTER)
    throw new EspalierError('malformed', 'the file is a Git LFS pointer and not the model itself', {
      hint: 'Fetch the model with "git lfs pull"',
    })
}

function decodeBytes(bytes: Uint8Array, table: Table): DecodedFile {
  const source = memorySource(bytes)
  const decoded = decode(source, table)
  for (const payload of decoded.found.payloads)
    payload.bytes = source.readSync(payload.offset, payload.length)
  return decoded
}
