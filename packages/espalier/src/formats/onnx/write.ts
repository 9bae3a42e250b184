/**
 * Writing ONNX files: pieces go to the file in order and weights are passed through, so that a model is written
 * in its own size of memory. Past 2 GiB, or on request, weights go to a file beside the model.
 */
import type * as Path from 'node:path'
import type { Graph } from '../../graph/graph.ts'
import { type Tensor, tensorBytes } from '../../tensor/tensor.ts'
import { writeFile } from '../io/files.ts'
import { encodeMessage } from './encode.ts'
import { modelOfGraph, protoOfTensor, type TensorWriter } from './from-graph.ts'
import { modelTable, type TensorProto, tensorTable } from './proto.ts'
import { numberOfDtype } from './tensor-proto.ts'

export interface WriteOnnxOptions {
  /**
   * Puts weights into a file of their own beside the model: `true` for `MODEL.data`, or its name. Needed for
   * models of 2 GiB and more.
   */
  readonly externalData?: boolean | string
  /** Smallest weight, in bytes, that goes to the external file; 1024 when left out. */
  readonly externalThreshold?: number
}

/** Alignment of weights in an external file, in bytes: a memory page, so that readers can map them. */
const PAGE = 4096

/** The bytes of a model, in pieces. Throws `too-large` past 2 GiB. */
export function encodeOnnx(graph: Graph): Uint8Array[] {
  return encodeMessage(modelOfGraph(graph), modelTable)
}

/** The bytes of a file that holds one tensor (`TensorProto`). */
export function encodeTensorProto(tensor: Tensor, name = ''): Uint8Array[] {
  return encodeMessage(protoOfTensor(name, tensor), tensorTable)
}

/**
 * Writes a model. The file appears complete or not at all; with external data the weights are complete before the
 * model appears. Throws `io`, `not-found` or `too-large`.
 */
export async function writeOnnx(path: string, graph: Graph, options: WriteOnnxOptions = {}): Promise<void> {
  const { externalData = false, externalThreshold = 1024 } = options
  if (externalData === false) {
    await writeFile(path, encodeOnnx(graph))
    return
  }
  const { basename, dirname, join } = globalThis.process.getBuiltinModule('node:path') as typeof Path
  const location = externalData === true ? `${basename(path)}.data` : externalData
  const { model, pieces } = splitWeights(graph, location, externalThreshold)
  await writeFile(join(dirname(path), location), pieces)
  await writeFile(path, model)
}

/** The model's pieces with references into an external file, and that file's pieces. */
export function splitWeights(
  graph: Graph,
  location: string,
  threshold: number,
): { readonly model: Uint8Array[]; readonly pieces: Uint8Array[] } {
  const pieces: Uint8Array[] = []
  let offset = 0
  const writeInitializer: TensorWriter = (name, tensor): TensorProto => {
    if (tensor.dtype === 'string' || tensorBytes(tensor).length < threshold)
      return protoOfTensor(name, tensor)
    const bytes = tensorBytes(tensor)
    const padding = (PAGE - (offset % PAGE)) % PAGE
    if (padding > 0) pieces.push(new Uint8Array(padding))
    pieces.push(bytes)
    const start = offset + padding
    offset = start + bytes.length
    return {
      dims: tensor.shape,
      dataType: numberOfDtype(tensor.dtype),
      name,
      dataLocation: 1,
      externalData: [
        { key: 'location', value: location },
        { key: 'offset', value: `${start}` },
        { key: 'length', value: `${bytes.length}` },
      ],
    }
  }
  return { model: encodeMessage(modelOfGraph(graph, writeInitializer), modelTable), pieces }
}
