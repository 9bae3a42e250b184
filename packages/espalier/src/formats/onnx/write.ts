/**
 * Writing ONNX files: pieces go to the file in order and weights are passed through, so that a model is written
 * in its own size of memory. Past 2 GiB, or on request, weights go to a file beside the model.
 */
import type * as Path from 'node:path'
import { EspalierError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { type Tensor, tensorBytes } from '../../tensor/tensor.ts'
import { nodeModule, writeFile, writeFiles } from '../io/files.ts'
import { encodeMessage } from './encode.ts'
import { staysInFolder } from './external.ts'
import { modelOfGraph, protoOfTensor, type TensorWriter } from './from-graph.ts'
import { EXTERNAL, modelTable, type TensorProto, tensorTable } from './proto.ts'
import { numberOfDtype } from './tensor-proto.ts'

export interface WriteOnnxOptions {
  /**
   * Puts weights into a file of their own beside the model: `true` for `MODEL.data`, or its name. Needed for
   * models of 2 GiB and more. Constants in attributes and in bodies stay in the model.
   */
  readonly externalData?: boolean | string
  /** Smallest weight, in bytes, that goes to the external file; 1024 when left out. */
  readonly externalThreshold?: number
}

/** Where weights begin in an external file: at a page, so that readers can map them; small ones at a cache line. */
const PAGE = 4096
const LINE = 64
/** Weights of this many bytes begin at a page. */
const LARGE = 1 << 16

/** The bytes of a model, in pieces. Throws `too-large` past 2 GiB. */
export function encodeOnnx(graph: Graph): Uint8Array[] {
  return encodeMessage(modelOfGraph(graph), modelTable)
}

/** The bytes of a file that holds one tensor (`TensorProto`). */
export function encodeTensorProto(tensor: Tensor, name = ''): Uint8Array[] {
  return encodeMessage(protoOfTensor(name, tensor), tensorTable)
}

/**
 * Writes a model. The file appears complete or not at all; with external data, both files are complete under other
 * names before the first takes its place. Throws `io`, `not-found`, `too-large`, or `bad-argument` for a name of the
 * external file that leads out of the model's folder.
 */
export async function writeOnnx(path: string, graph: Graph, options: WriteOnnxOptions = {}): Promise<void> {
  const { externalData = false, externalThreshold = 1024 } = options
  if (externalData === false) {
    await writeFile(path, encodeOnnx(graph))
    return
  }
  const { basename, dirname, join } = nodeModule<typeof Path>('node:path', path)
  const location = externalData === true ? `${basename(path)}.data` : externalData
  if (location === '' || !staysInFolder(location) || join(location) === basename(path))
    throw new EspalierError('bad-argument', 'weights cannot be written there', {
      where: { field: 'externalData' },
      expected: "a name below the model's folder, other than the model's",
      got: `"${location}"`,
    })
  const { model, weights } = splitWeights(graph, location, externalThreshold)
  const files = [{ path, chunks: model }]
  if (weights.length > 0) files.unshift({ path: join(dirname(path), location), chunks: weights })
  await writeFiles(files)
}

/** The model's pieces with references into an external file, and that file's pieces; none when nothing goes there. */
export function splitWeights(
  graph: Graph,
  location: string,
  threshold: number,
): { readonly model: Uint8Array[]; readonly weights: Uint8Array[] } {
  const weights: Uint8Array[] = []
  let end = 0
  const writeInitializer: TensorWriter = (name, tensor): TensorProto => {
    if (tensor.dtype === 'string') return protoOfTensor(name, tensor)
    const bytes = tensorBytes(tensor)
    if (bytes.length < Math.max(1, threshold)) return protoOfTensor(name, tensor)
    const alignment = bytes.length >= LARGE ? PAGE : LINE
    const offset = Math.ceil(end / alignment) * alignment
    if (offset > end) weights.push(new Uint8Array(offset - end))
    weights.push(bytes)
    end = offset + bytes.length
    return {
      dims: tensor.shape,
      dataType: numberOfDtype(tensor.dtype),
      name,
      dataLocation: EXTERNAL,
      externalData: [
        { key: 'location', value: location },
        { key: 'offset', value: `${offset}` },
        { key: 'length', value: `${bytes.length}` },
      ],
    }
  }
  return { model: encodeMessage(modelOfGraph(graph, writeInitializer), modelTable), weights }
}
