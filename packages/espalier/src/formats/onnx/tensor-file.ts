/** Files that hold one ONNX tensor message (`input_0.pb`), as ONNX's own test data has them. */
import { onlyTensorIn } from '../contents.ts'
import type { Format } from '../format.ts'
import { parseTensorProto } from './read.ts'
import { encodeTensorProto } from './write.ts'

/** Tags of the fields that come first: an extent, the data type. A model cannot begin with two of these. */
const DIMS = 0x08
const TYPE = 0x10

/** Position after the varint that follows the first tag. */
function endOfVarint(head: Uint8Array): number {
  let at = 1
  while (head[at]! >= 0x80) at++
  return at + 1
}

export const tensorProto: Format = {
  name: 'pb',
  title: 'ONNX tensor',
  extensions: ['pb'],
  holds: 'tensors',
  detect: head => head[0] === TYPE || (head[0] === DIMS && [DIMS, TYPE].includes(head[endOfVarint(head)]!)),
  async read(source) {
    const { name, tensor } = parseTensorProto(await source.read(0, source.size))
    return { kind: 'tensors', tensors: new Map([[name === '' ? 'data' : name, tensor]]) }
  },
  encode: contents => encodeTensorProto(onlyTensorIn(contents, 'pb')),
}
