/** ONNX: models read and written, with their weights referenced and not copied. */
import { EspalierError } from '../../errors.ts'
import type { Format } from '../format.ts'
import { readOnnx } from './read.ts'
import { encodeOnnx } from './write.ts'

export { PROTOBUF_LIMIT } from './encode.ts'
export type { ExternalFiles } from './external.ts'
export { parseOnnx, parseTensorProto, parseValueProto, type ReadOnnxOptions, readOnnx } from './read.ts'
export { tensorProto } from './tensor-file.ts'
export { encodeOnnx, encodeTensorProto, type WriteOnnxOptions, writeOnnx } from './write.ts'

/** Tags that may follow the IR version: producer, domain, version, doc, graph, operator sets, metadata. */
const modelTags = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72]

export const onnx: Format = {
  name: 'onnx',
  title: 'ONNX model',
  extensions: ['onnx'],
  holds: 'graph',
  // A model starts with its IR version (field 1, a small varint) and goes on with another field of its own.
  detect: head => head[0] === 0x08 && head[1]! > 0 && head[1]! < 0x40 && modelTags.includes(head[2]!),
  read: async source => ({ kind: 'graph', graph: await readOnnx(source) }),
  encode(contents) {
    if (contents.kind === 'graph') return encodeOnnx(contents.graph)
    throw new EspalierError('unsupported-format', 'an ONNX file holds a graph, not named tensors')
  },
}
