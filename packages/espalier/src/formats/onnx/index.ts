/** ONNX: models read and written, with their weights referenced and not copied. */
import { EspalierError } from '../../errors.ts'
import type { Format } from '../format.ts'
import { readOnnx } from './read.ts'
import { encodeOnnx } from './write.ts'

export { PROTOBUF_LIMIT } from './encode.ts'
export type { ExternalFiles } from './external.ts'
export { parseOnnx, parseTensorProto, parseValueProto, type ReadOnnxOptions, readOnnx } from './read.ts'
export { encodeOnnx, encodeTensorProto, type WriteOnnxOptions, writeOnnx } from './write.ts'

export const onnx: Format = {
  name: 'onnx',
  title: 'ONNX model',
  extensions: ['onnx'],
  holds: 'graph',
  // A model starts with its IR version: field 1, a small varint; then the producer, the graph or an operator set.
  detect: head => head.length > 2 && head[0] === 0x08 && head[1]! > 0 && head[1]! < 0x40,
  read: async source => ({ kind: 'graph', graph: await readOnnx(source) }),
  encode(contents) {
    if (contents.kind === 'graph') return encodeOnnx(contents.graph)
    throw new EspalierError('unsupported-format', 'an ONNX file holds a graph, not named tensors')
  },
}
