/**
 * Writing an espalier file: the graph as an ONNX message in which large constants are empty, and the constants each in
 * their smallest form, as entries of a safetensors file. The graph is ONNX because that says everything a graph can hold,
 * attributes, bodies and doc strings, by a reader and writer that exist; JSON of our own would be one more dialect.
 */
import { EspalierError, locate } from '../../errors.ts'
import { type Graph, type Initializer, isSparse } from '../../graph/graph.ts'
import { freshNames } from '../../graph/names.ts'
import { byteLength, type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor, tensorBytes, zeros } from '../../tensor/tensor.ts'
import { concatBytes } from '../io/bytes.ts'
import { writeFile } from '../io/files.ts'
import { encodeOnnx } from '../onnx/write.ts'
import { encodeSafetensors } from '../safetensors/encode.ts'
import { LENGTH_BYTES, METADATA, typeNames } from '../safetensors/header.ts'
import { crc32 } from '../zip/crc32.ts'
import { compressedOf } from './compressed.ts'
import { CHECKSUM_DIGITS, checksumText, metadataOf, PREFIX, type TensorRecord } from './directory.ts'
import { isNatural, type MatrixView, naturalView } from './matrix.ts'
import { boundOf, denseBytesOf, type StoredTensor, storedBytesOf, storeTensor } from './stored.ts'

export interface WriteEspalierOptions {
  /** How weights are read as matrices, by name; see `weightViews`. Others are taken in their own order. */
  readonly views?: ReadonlyMap<string, MatrixView>
  /** Called after every constant. */
  readonly onProgress?: (done: number, total: number) => void
}

/** How a constant was stored. */
export interface StoredReport {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** `raw`, `n:m`, `block`, `bitmask` or `rice`. */
  readonly codec: string
  readonly parameters: readonly number[]
  /** How values are stored: `plain`, `float16`, `bfloat16`, `int8-scaled`, `int4-scaled`. */
  readonly values: string
  /** Stored elements; those that fill up a block or a group are counted. */
  readonly stored: number
  /** Bytes with every element stored. */
  readonly denseBytes: number
  /** Bytes in the file. */
  readonly storedBytes: number
  /** Bytes that no code of a random pattern of this form is below, with values of this size. */
  readonly boundBytes: number
}

export interface EspalierReport {
  /** The constants that are stored beside the graph, in its order. */
  readonly tensors: readonly StoredReport[]
  /** Bytes of the graph, with its small constants. */
  readonly graphBytes: number
  /** Bytes of the whole file. */
  readonly fileBytes: number
}

/** Bytes that the header says about a constant: one that takes fewer, or gains fewer by its code, stays in the graph. */
const RECORD = 512
/** Constants that are stored whole stay in the graph below this many bytes. */
const SMALL = 4096

/** The part that holds the graph. */
const GRAPH_PART = 'graph'

/**
 * The bytes of an espalier file, in pieces, and how its constants are stored. Throws `bad-argument` for a name that is not
 * valid Unicode or a view that does not fit, `too-large` for a graph of 2 GiB without its constants.
 */
export function encodeEspalier(
  graph: Graph,
  { views = new Map(), onProgress }: WriteEspalierOptions = {},
): { readonly chunks: readonly Uint8Array[]; readonly report: EspalierReport } {
  const parts = new Map<string, Tensor>()
  const fresh = freshNames(new Set([METADATA, GRAPH_PART]))
  const skeleton = new Map<string, Initializer>()
  const records: TensorRecord[] = []
  const reports: StoredReport[] = []
  for (const [name, constant] of graph.initializers) {
    const stored = locate({ tensor: name }, () => storedBeside(constant, views.get(name)))
    if (stored === undefined) skeleton.set(name, constant)
    else {
      records.push(addParts(name, stored, parts, fresh))
      reports.push(reportOf(name, stored))
      skeleton.set(name, zeros(constant.dtype, [0]))
    }
    onProgress?.(skeleton.size, graph.initializers.size)
  }
  const message = concatBytes(encodeOnnx({ ...graph, initializers: skeleton }))
  parts.set(GRAPH_PART, bytesTensor(message))
  const metadata = metadataOf({
    graph: { part: GRAPH_PART, checksum: checksumText(crc32(message)) },
    tensors: records,
  })
  const [header, ...data] = encodeSafetensors(parts, metadata) as Iterable<Uint8Array>
  const chunks = [withChecksum(header!), ...data]
  const fileBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  return { chunks, report: { tensors: reports, graphBytes: message.length, fileBytes } }
}

/** Writes an espalier file; an old file stays whole when that fails. Throws as {@link encodeEspalier} does, `io`, `not-found`. */
export async function writeEspalier(
  path: string,
  graph: Graph,
  options: WriteEspalierOptions = {},
): Promise<EspalierReport> {
  const { chunks, report } = locate({ file: path }, () => encodeEspalier(graph, options))
  await writeFile(path, chunks)
  return report
}

/** What a file stores of a constant beside the graph; `undefined` for those that stay in it. */
function storedBeside(constant: Initializer, view: MatrixView | undefined): StoredTensor | undefined {
  const { dtype, shape } = constant
  if (dtype === 'string') return undefined
  if (isSparse(constant))
    return byteLength(dtype, sizeOf(constant.values.shape)) < RECORD ? undefined : storeTensor(constant)
  const bytes = byteLength(dtype, sizeOf(shape))
  if (bytes < RECORD) return undefined
  const stored = storeTensor(constant, view ?? compressedOf(constant)?.view ?? naturalView(shape))
  return bytes < SMALL && bytes - storedBytesOf(stored) < RECORD ? undefined : stored
}

function addParts(
  name: string,
  stored: StoredTensor,
  parts: Map<string, Tensor>,
  fresh: (stem: string) => string,
): TensorRecord {
  const { dtype, shape, view, codec, parameters, pattern, valueCodec, encoded, sparse } = stored
  const { values, scales, parameters: valueParameters } = encoded
  const add = (suffix: string, part: Tensor): string => {
    const own = fresh(`${name}${suffix}`)
    parts.set(own, part)
    return own
  }
  // A tensor that is stored as it is has its own name: any reader of safetensors finds it.
  const alone = pattern.length === 0 && scales === undefined
  const named = {
    ...(pattern.length > 0 && { pattern: add('#pattern', bytesTensor(pattern)) }),
    values: add(alone ? '' : '#values', asEntry(values)),
    ...(scales && { scales: add('#scales', scales) }),
  }
  const checksum = [pattern, tensorBytes(values), ...(scales ? [tensorBytes(scales)] : [])].reduce(
    (crc, bytes) => crc32(bytes, crc),
    0,
  )
  return {
    name,
    dtype,
    shape,
    ...(!isNatural(view) && { order: view.order }),
    ...(view.columnAxes !== Math.min(1, shape.length) && { columnAxes: view.columnAxes }),
    codec,
    ...(parameters.length > 0 && { parameters }),
    stored: stored.stored,
    values: valueCodec,
    ...(valueParameters.length > 0 && { valueParameters }),
    ...(sparse !== undefined && { sparse }),
    parts: named,
    checksum: checksumText(checksum),
  }
}

function bytesTensor(bytes: Uint8Array): Tensor {
  return tensor('uint8', [bytes.length], bytes)
}

const entryTypes = new Set(typeNames.values())

/** A tensor as safetensors can hold it: bytes, where it does not have the type or the elements fill no whole bytes. */
function asEntry(values: Tensor): Tensor {
  const whole = (sizeOf(values.shape) * dtypeInfo(values.dtype).bits) % 8 === 0
  return entryTypes.has(values.dtype) && whole ? values : bytesTensor(tensorBytes(values))
}

/** The header with its checksum, which is that of the header with zeros in its place. */
function withChecksum(header: Uint8Array): Uint8Array {
  const at = LENGTH_BYTES + PREFIX.length
  const digits = new TextDecoder().decode(header.subarray(LENGTH_BYTES, at + CHECKSUM_DIGITS))
  if (digits !== PREFIX + '0'.repeat(CHECKSUM_DIGITS))
    throw new EspalierError('bad-argument', 'the header of an espalier file does not begin as it must')
  const result = header.slice()
  result.set(new TextEncoder().encode(checksumText(crc32(header))), at)
  return result
}

function reportOf(name: string, stored: StoredTensor): StoredReport {
  return {
    name,
    dtype: stored.dtype,
    shape: stored.shape,
    codec: stored.codec,
    parameters: stored.parameters,
    values: stored.valueCodec,
    stored: stored.stored,
    denseBytes: denseBytesOf(stored),
    storedBytes: storedBytesOf(stored),
    boundBytes: boundOf(stored),
  }
}
