/**
 * Reading an espalier file. The header is checked by its checksum before a word of it is believed, every tensor by its own
 * before it is handed out. Constants stay compressed until their elements are asked for.
 */
import { EspalierError, locate, locateAsync } from '../../errors.ts'
import { type Graph, type Initializer, isSparse } from '../../graph/graph.ts'
import { byteLength, type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { allocate, type Tensor, tensorFromBytes } from '../../tensor/tensor.ts'
import { normalizeBools } from '../io/bytes.ts'
import { type Input, openFile, openInput, withSource } from '../io/files.ts'
import type { ByteSource, FileSource } from '../io/source.ts'
import { type OpenModel, parseOnnx } from '../onnx/read.ts'
import {
  headerBytes,
  LENGTH_BYTES,
  METADATA,
  readHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from '../safetensors/header.ts'
import { crc32 } from '../zip/crc32.ts'
import { codecs } from './codecs/index.ts'
import { type CompressedTensor, compressedTensor, tensorOfCompressed } from './compressed.ts'
import {
  CHECKSUM_DIGITS,
  checksumText,
  type Directory,
  type GraphRecord,
  PREFIX,
  readDirectory,
  type TensorRecord,
  VERSION,
  versionIn,
} from './directory.ts'
import { isWithinLimits, MOST_ELEMENTS } from './limits.ts'
import { checkView, extentsOf, isNatural, type MatrixView, naturalView } from './matrix.ts'
import { isPlain, RAW, type StoredTensor, sparseOf } from './stored.ts'
import { plain, valueCodecs } from './values/index.ts'

/** An open espalier file: its graph, and its constants one by one. Close it when done. */
export interface EspalierFile {
  /** The graph. Constants that are stored beside it are empty, of shape [0]. */
  readonly graph: Graph
  /** The constants that are stored beside the graph. */
  readonly tensors: ReadonlyMap<string, TensorRecord>
  /** Reads one constant, still compressed, and checks it. Throws `bad-argument` when there is none of that name, `malformed`. */
  load(name: string): Promise<CompressedTensor>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens an espalier file: reads and checks the header and the graph, and no weight. Throws `malformed`, `truncated`,
 * `too-large`, `unsupported-format` for files of a later version.
 */
export async function openEspalier(input: Input): Promise<EspalierFile> {
  const { source, close } = await openInput(input)
  const where = { file: source.name }
  try {
    const opened = await locateAsync(where, () => open(source))
    const tensors = new Map(opened.directory.tensors.map(record => [record.name, record]))
    return {
      graph: opened.graph,
      tensors,
      load: name =>
        locateAsync({ ...where, tensor: name }, async () => {
          const record = tensors.get(name)
          if (record !== undefined) return compressedTensor(await loadStored(source, record, opened.header))
          throw new EspalierError('bad-argument', 'there is no constant of this name beside the graph')
        }),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Reads a model. Its large constants are tensors whose elements are made on use; `compressedOf` gives what is behind them.
 * Throws as {@link openEspalier}, and `malformed` with the name of the tensor for damaged constants.
 */
export function readEspalier(input: Input): Promise<Graph> {
  return withSource(input, async source => {
    const { graph, header, directory } = await open(source)
    const initializers = new Map<string, Initializer>(graph.initializers)
    for (const record of directory.tensors) {
      const loaded = await locateAsync({ tensor: record.name }, async () =>
        constantOf(await loadStored(source, record, header)),
      )
      initializers.set(record.name, loaded)
    }
    return { ...graph, initializers }
  })
}

/** From so many bytes on constants stay in the file: below, what is around them is larger. */
const STAYS_FROM = 1 << 14

/**
 * Opens a model: as {@link readEspalier}, but large constants stay in the file, and are read and checked each time somebody
 * asks for their elements, which then throws as reading does. The file must not be written to as long as the model is open.
 */
export async function openEspalierModel(path: string): Promise<OpenModel> {
  const source = await openFile(path)
  const close = (): Promise<void> => source.close()
  try {
    const graph = await locateAsync({ file: path }, async () => {
      const { graph, header, directory } = await open(source)
      const initializers = new Map<string, Initializer>(graph.initializers)
      for (const record of directory.tensors)
        await locateAsync({ tensor: record.name }, async () => {
          const placed = placeOf(record, header)
          const stays = placed.bytes >= STAYS_FROM && placed.sparse === undefined && placed.dtype !== 'bool'
          const constant = stays
            ? constantInFile(source, record.name, placed)
            : constantOf(await loadStored(source, record, header))
          initializers.set(record.name, constant)
        })
      return { ...graph, initializers }
    })
    return { graph, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A constant whose elements are read when they are asked for. */
function constantInFile(source: FileSource, tensor: string, placed: PlacedTensor): Tensor {
  const where = { file: source.path, tensor }
  const read = (): StoredTensor =>
    locate(where, () =>
      placed.withParts(
        placed.parts.map(({ start, end }) => {
          const bytes = allocate('uint8', end - start) as Uint8Array
          source.fillSync(start, bytes)
          return bytes
        }),
      ),
    )
  if (!isPlain(placed)) {
    // Pattern and values are asked for one after the other: what was read lasts until the end of a turn.
    let held: WeakRef<StoredTensor> | undefined
    const current = (): StoredTensor => {
      const stored = held?.deref() ?? read()
      held = new WeakRef(stored)
      return stored
    }
    const stored: StoredTensor = {
      ...placed,
      get pattern() {
        return current().pattern
      },
      get encoded() {
        return current().encoded
      },
    }
    return tensorOfCompressed(compressedTensor(stored, placed.bytes))
  }
  const [{ start }] = placed.parts as [SafetensorsEntry]
  return tensorFromBytes(placed.dtype, placed.shape, {
    byteLength: placed.bytes,
    fill(target: Uint8Array) {
      source.fillSync(start, target)
      locate(where, () => placed.withParts([target]))
    },
    peek: (at: number, target: Uint8Array) => source.fillSync(start + at, target),
  })
}

/** The constant of a graph. Everything about it is checked here, so that using it cannot fail. */
function constantOf(stored: StoredTensor): Initializer {
  const compressed = compressedTensor(stored)
  if (stored.sparse !== undefined) return sparseOf(stored, compressed.positions(), compressed.elements())
  if (isPlain(stored)) return compressed.dense()
  compressed.positions()
  return tensorOfCompressed(compressed)
}

interface Opened {
  readonly header: SafetensorsHeader
  readonly directory: Directory
  readonly graph: Graph
}

async function open(source: ByteSource): Promise<Opened> {
  const bytes = await checkedHeader(source)
  const header = await readHeader(source).catch(error => {
    throw error instanceof EspalierError ? aboutTensor(error, bytes) : error
  })
  const directory = readDirectory(header.metadata)
  checkParts(directory, header)
  const graph = await locateAsync({ field: 'graph' }, () => readGraph(source, directory.graph, header))
  for (const record of directory.tensors) locate({ tensor: record.name }, () => checkPlace(record, graph))
  return { header, directory, graph }
}

/** The text of the header, which is the one that was written. */
async function checkedHeader(source: ByteSource): Promise<Uint8Array> {
  const bytes = await headerBytes(source)
  const version = versionIn(bytes)
  if (version === undefined) throw malformed('the header is not that of an espalier file')
  if (version !== VERSION)
    throw new EspalierError('unsupported-format', `an espalier file of version ${version}`, {
      expected: `version ${VERSION}`,
      hint: 'A newer version of Espalier may read it',
    })
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, PREFIX.length + CHECKSUM_DIGITS))
  const whole = new Uint8Array(LENGTH_BYTES + bytes.length)
  whole.set(await source.read(0, LENGTH_BYTES))
  whole.set(bytes, LENGTH_BYTES)
  const start = LENGTH_BYTES + PREFIX.length
  whole.fill(0x30, start, start + CHECKSUM_DIGITS)
  if (text !== PREFIX + checksumText(crc32(whole)))
    throw malformed('the header is damaged: its checksum does not fit', 'Copy or write the file again')
  return bytes
}

/** A cut file as an error about the tensor that is cut, in place of its part. */
function aboutTensor(error: EspalierError, header: Uint8Array): EspalierError {
  if (error.code !== 'truncated') return error
  // What else can be wrong with a header was found before, so that this much of it can be read.
  const json = JSON.parse(new TextDecoder().decode(header)) as { [METADATA]: Record<string, string> }
  const { tensors } = readDirectory(new Map(Object.entries(json[METADATA])))
  const part = error.where.tensor
  const owner = tensors.find(({ parts }) => part !== undefined && Object.values(parts).includes(part))
  return owner === undefined ? error : renamed(error, owner.name)
}

function renamed({ code, summary, where, expected, got }: EspalierError, tensor: string): EspalierError {
  return new EspalierError(code, summary, {
    where: { ...where, tensor },
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
  })
}

/** Throws unless every part belongs to one tensor: bytes that no checksum covers would be a place for damage. */
function checkParts({ graph, tensors }: Directory, { entries }: SafetensorsHeader): void {
  const claimed = new Set<string>()
  const claim = (part: string): void => {
    if (!entries.has(part)) throw malformed(`a part "${part.slice(0, 200)}" is missing`)
    if (claimed.has(part)) throw malformed(`a part "${part.slice(0, 200)}" is used twice`)
    claimed.add(part)
  }
  claim(graph.part)
  for (const { parts } of tensors)
    for (const part of [parts.pattern, parts.values, parts.scales]) if (part !== undefined) claim(part)
  if (claimed.size !== entries.size) throw malformed('there are parts that belong to no tensor')
}

async function readGraph(source: ByteSource, record: GraphRecord, header: SafetensorsHeader): Promise<Graph> {
  const bytes = await readPart(source, header.entries.get(record.part)!)
  checkChecksum([bytes], record.checksum)
  return parseOnnx(bytes)
}

/** Throws unless the graph has left a place for a tensor. */
function checkPlace({ name, dtype }: TensorRecord, graph: Graph): void {
  const place = graph.initializers.get(name)
  if (place === undefined) throw malformed('the graph has no such constant')
  if (isSparse(place) || place.dtype !== dtype || place.shape.length !== 1 || place.shape[0] !== 0)
    throw malformed('the graph has another constant of this name')
}

function readPart(source: ByteSource, { start, end }: SafetensorsEntry): Promise<Uint8Array> {
  return source.read(start, end - start)
}

function checkChecksum(parts: readonly Uint8Array[], expected: string): void {
  const found = checksumText(parts.reduce((crc, bytes) => crc32(bytes, crc), 0))
  if (found !== expected)
    throw malformed('the bytes are damaged: the checksum does not fit', 'Copy or write the file again')
}

/** A tensor of the file, as far as the header tells it: that its parts fit each other is checked, and no part is read. */
export interface PlacedTensor extends Omit<StoredTensor, 'pattern' | 'encoded'> {
  /** Where the parts are in the file: the pattern, where there is one, the values, the scales, where there are some. */
  readonly parts: readonly SafetensorsEntry[]
  readonly bytes: number
  /** The tensor with the bytes of its parts. Throws `malformed` where they are not those that were written. */
  withParts(parts: readonly Uint8Array[]): StoredTensor
}

/** Checks what the header says of a tensor; the pattern itself is checked where it is decoded. */
function placeOf(record: TensorRecord, { entries }: SafetensorsHeader): PlacedTensor {
  const { dtype, shape, codec, parts, stored, parameters = [], valueParameters = [], sparse } = record
  const view = viewOf(record)
  const elements = sizeOf(shape)
  const extents = extentsOf(shape, view)
  const values = valueCodecs.find(({ name }) => name === record.values)
  if (values === undefined || (codec !== RAW && !codecs.some(({ name }) => name === codec)))
    throw new EspalierError('unsupported-format', 'a codec that is not known here', {
      got: `${codec.slice(0, 40)} with values ${record.values.slice(0, 40)}`,
      hint: 'A newer version of Espalier may read it',
    })
  if ((codec === RAW && stored !== elements) || (codec !== RAW && elements > MOST_ELEMENTS))
    throw malformed('it stores another number of elements than it has')
  const needsScales = values.name.endsWith('-scaled')
  if (codec === RAW && parts.pattern !== undefined) throw malformed('it has a pattern too many')
  if (needsScales !== (parts.scales !== undefined)) throw malformed('its scales are missing, or too many')
  if (sparse !== undefined && (!isNatural(view) || codec === RAW))
    throw malformed('it is sparse in a way of its own')
  const valueType = values.valueType(dtype, valueParameters)
  const names = [parts.pattern, parts.values, parts.scales].filter(name => name !== undefined)
  const places = names.map(name => entries.get(name)!)
  const total = places.reduce((sum, { start, end }) => sum + end - start, 0)
  checkLength('values', entries.get(parts.values)!, byteLength(valueType, stored))
  const scaleCount = needsScales ? values.scaleCount(extents, valueParameters) : 0
  if (parts.scales !== undefined) checkLength('scales', entries.get(parts.scales)!, 4 * scaleCount)
  if (codec !== RAW && !isWithinLimits(dtype, elements, total))
    throw new EspalierError('too-large', 'it would be too large for its bytes in the file', {
      got: `${byteLength(dtype, elements)} bytes from ${total}`,
    })
  const valueShape = codec === RAW && values === plain && isNatural(view) ? shape : [stored]
  const form = { dtype, shape, view, codec, parameters, stored, valueCodec: values.name }
  const facts = { ...form, ...(sparse !== undefined && { sparse }) }
  return {
    ...facts,
    parts: places,
    bytes: total,
    withParts(bytes) {
      checkChecksum(bytes, record.checksum)
      const rest = [...bytes]
      const pattern = parts.pattern === undefined ? new Uint8Array(0) : rest.shift()!
      const [valueBytes, scaleBytes] = rest
      return {
        ...facts,
        pattern,
        encoded: {
          parameters: valueParameters,
          values: tensorFromBytes(valueType, valueShape, cleanBytes(valueType, valueBytes!, stored)),
          ...(scaleBytes && { scales: tensorFromBytes('float32', [scaleCount], scaleBytes) }),
        },
      }
    },
  }
}

async function loadStored(
  source: ByteSource,
  record: TensorRecord,
  header: SafetensorsHeader,
): Promise<StoredTensor> {
  const placed = placeOf(record, header)
  return placed.withParts(await Promise.all(placed.parts.map(part => readPart(source, part))))
}

function viewOf({ shape, order, columnAxes }: TensorRecord): MatrixView {
  const natural = naturalView(shape)
  const view = { order: order ?? natural.order, columnAxes: columnAxes ?? natural.columnAxes }
  try {
    checkView(shape, view)
  } catch (cause) {
    throw new EspalierError('malformed', 'its axes are in no possible order', { cause })
  }
  return view
}

function checkLength(part: string, { start, end }: SafetensorsEntry, expected: number): void {
  if (end - start !== expected)
    throw malformed(`its ${part} do not fit its shape`, undefined, `${expected} bytes`, `${end - start}`)
}

/** Booleans as 0 and 1. Bits that fill up the last byte of packed types must be zero. */
function cleanBytes(dtype: DType, bytes: Uint8Array, count: number): Uint8Array {
  if (dtype === 'bool') return normalizeBools(bytes)
  const spare = 8 * bytes.length - count * dtypeInfo(dtype).bits
  if (spare > 0 && bytes.at(-1)! >> (8 - spare) !== 0) throw malformed('bits behind its last element are set')
  return bytes
}

function malformed(summary: string, hint?: string, expected?: string, got?: string): EspalierError {
  return new EspalierError('malformed', summary, {
    ...(hint !== undefined && { hint }),
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
  })
}
